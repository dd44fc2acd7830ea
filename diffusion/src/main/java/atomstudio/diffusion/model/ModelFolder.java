package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.net.ClipText;
import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.net.Vae;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.prompt.Tokenizer;
import atomstudio.diffusion.sample.SchedulerConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// A Stable Diffusion 1.x or 2.x model, in diffusers' folder layout or in one file of the original layout: its networks as its configurations or
/// its tensors say, no weights yet.
/// @param folder     the folder, or the file
/// @param sampleSize side, in latent pixels, that the UNet was trained at
public record ModelFolder(Path folder, String name, Networks networks, SchedulerConfig scheduler, int sampleSize, Sources sources) {
    private static final Set<String> PIPELINES = Set.of("StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline", "StableDiffusionInpaintPipeline");

    /// A folder's own description; who names it means the folder.
    private static final String INDEX = "model_index.json";
    private static final int USUAL_SAMPLE_SIZE = 64;
    static final int LARGEST_SAMPLE_SIZE = 4096;

    /// What a model is made of.
    public record Networks(UNet unet, Vae vae, ClipText text) {}

    /// Where its weights and its tokenizer lie, and what a person should know of what was found there.
    record Sources(Map<Part, Weights> weights, TokenizerSearch tokenizer, List<String> notes) {
        Sources {
            weights = Map.copyOf(weights);
            notes = List.copyOf(notes);
        }
    }

    /// Reads every configuration; no weights and no native code.
    /// @param place a model folder, its model_index.json, or a file
    /// @throws Failure.Unreadable when it is no model or a configuration is damaged
    /// @throws Failure.Incompatible when the model is of a kind that cannot be run here
    public static ModelFolder open(Path place) throws Failure {
        return open(place, ModelChoices.none());
    }

    /// The same, as a person wants it.
    public static ModelFolder open(Path place, ModelChoices choices) throws Failure {
        boolean index = Files.isRegularFile(place) && place.getFileName().toString().equals(INDEX);
        Path meant = index ? place.toAbsolutePath().getParent() : place;
        ModelFolder model = Files.isRegularFile(meant) ? SingleFile.open(meant, choices) : ofFolder(meant, choices);
        model.check();
        return model;
    }

    private static ModelFolder ofFolder(Path folder, ModelChoices choices) throws Failure {
        Path index = folder.resolve(INDEX);
        if (!Files.isRegularFile(index)) {
            throw new Failure.Unreadable(folder + ": is not a model folder: expected model_index.json with unet, vae, text_encoder, tokenizer and scheduler beside it (diffusers layout), or a model in one file; found "
                    + (Files.isDirectory(folder) ? "a folder without it" : "nothing"));
        }
        Config pipeline = Config.read(index);
        String kind = pipeline.text("_class_name", "StableDiffusionPipeline");
        if (!PIPELINES.contains(kind)) throw new Failure.Incompatible(index + ": " + SafeText.of(kind) + " cannot be run here; Stable Diffusion 1.x and 2.x (StableDiffusionPipeline) can");
        Config unetConfig = config(folder, Part.UNET);
        Autoencoder vae = choices.vae().isPresent() ? Autoencoder.at(choices.vae().get()) : Autoencoder.ofFolder(folder.resolve(Part.VAE.folder()));
        Networks networks = new Networks(NetworkConfigs.unet(unetConfig), vae.network(), NetworkConfigs.text(config(folder, Part.TEXT)));
        Map<Part, Weights> weights = new EnumMap<>(Part.class);
        for (Part part : Part.values()) weights.put(part, new Weights.InFolder(folder.resolve(part.folder()), Naming.renaming(part::canonical)));
        weights.put(Part.VAE, vae.weights());
        SchedulerConfig scheduler = SchedulerConfig.read(folder.resolve("scheduler/scheduler_config.json"));
        if (choices.prediction().isPresent()) scheduler = scheduler.withPredictionType(choices.prediction().get());
        return new ModelFolder(folder, name(folder), networks, scheduler, sampleSize(unetConfig), new Sources(weights, TokenizerSearch.of(folder, choices), List.of()));
    }

    /// Of a square, which some programs write as its two sides.
    private static int sampleSize(Config unet) throws Failure {
        List<Integer> sides = unet.wholes("sample_size", List.of(USUAL_SAMPLE_SIZE), 1);
        int side = sides.isEmpty() ? 0 : sides.getFirst();
        if (side < 1 || side > LARGEST_SAMPLE_SIZE || sides.size() > 2 || sides.getLast() != side) {
            throw unet.wrong("sample_size", "one number from 1 to " + LARGEST_SAMPLE_SIZE + ", or that twice", unet.json().get("sample_size"));
        }
        return side;
    }

    private void check() throws Failure {
        if (text().width() != unet().contextWidth()) {
            throw new Failure.Incompatible(folder + ": text_encoder gives " + text().width() + " numbers a token, unet expects " + unet().contextWidth());
        }
        int latents = vae().latentChannels();
        if (unet().channels().out() != latents) throw new Failure.Incompatible(sources.weights.get(Part.VAE).place() + ": the autoencoder has latents of " + latents + " channels, unet makes " + unet().channels().out());
        int in = unet().channels().in();
        if (in != latents && in != 2 * latents + 1) {
            throw new Failure.Incompatible(folder + ": its UNet has " + in + " input channels (as models that take a picture, depth or low resolution with the prompt); those of " + latents + " (pictures from prompts) and " + (2 * latents + 1)
                    + " (inpainting) can be run");
        }
    }

    private static Config config(Path folder, Part part) throws Failure {
        return Config.read(folder.resolve(part.folder()).resolve("config.json"));
    }

    /// What the model calls itself in metadata.json, or else the folder's name.
    private static String name(Path folder) throws Failure {
        Path metadata = folder.resolve("metadata.json");
        String otherwise = folder.toAbsolutePath().normalize().getFileName().toString();
        return Files.isRegularFile(metadata) ? Config.read(metadata).text("name", otherwise) : otherwise;
    }

    /// The same model, its noise scheduled otherwise.
    public ModelFolder withScheduler(SchedulerConfig other) {
        return new ModelFolder(folder, name, networks, other, sampleSize, sources);
    }

    public UNet unet() {
        return networks.unet;
    }

    public Vae vae() {
        return networks.vae;
    }

    public ClipText text() {
        return networks.text;
    }

    /// Whether it is one file.
    public boolean inOneFile() {
        return sources.weights.get(Part.UNET) instanceof Weights.InFile;
    }

    /// What a person should know before relying on the model: what was guessed, and why.
    public List<String> notes() {
        return sources.notes;
    }

    /// Opens the model's tokenizer: its own, or for a single file one that fits from where it was looked for.
    /// The text encoder's length is its limit, whatever its settings say: a longer text would not fit, and a shorter one is no other model.
    /// @throws Failure.Unreadable when there is none, saying which public file to put where
    public Tokenizer tokenizer() throws Failure {
        return sources.tokenizer.open(text().vocabulary()).withLimit(text().tokens());
    }

    /// Side of a picture, in pixels, that the model was made for.
    public int pictureSize() {
        return sampleSize * vae().factor();
    }

    /// Every layer of a part's network.
    public List<Layer> layers(Part part) {
        return switch (part) {
            case UNET -> Inventory.of(unet());
            case VAE -> Inventory.of(vae());
            case TEXT -> Inventory.of(text());
        };
    }

    /// Every layer that can be tuned: the UNet's, then the text encoder's, whose names all start with `text_model.`.
    public List<Layer> tunable() {
        return Stream.of(Part.UNET, Part.TEXT).flatMap(part -> layers(part).stream()).toList();
    }

    /// Where a part's weights lie.
    public Weights weights(Part part) {
        return sources.weights.get(part);
    }

    /// Maps a part's weights and checks that all are there; the caller closes.
    public Checkpoint checkpoint(Part part) throws Failure {
        Checkpoint checkpoint = Checkpoint.open(weights(part));
        try {
            checkpoint.check(layers(part));
            return checkpoint;
        } catch (Failure e) {
            checkpoint.close();
            throw e;
        }
    }

    /// The model's CLIP vision tower: its own image encoder, or else its safety checker's; empty where it has neither. Read when asked for.
    /// @throws Failure when there is one that is damaged or of a kind that cannot be run
    public Optional<VisionTower> visionTower() throws Failure {
        return VisionTower.of(this);
    }

    /// The model's safety checker; empty where it has none. Read when asked for.
    /// @throws Failure when there is one that is damaged or of a kind that cannot be run
    public Optional<SafetyChecker> safetyChecker() throws Failure {
        return SafetyChecker.of(this);
    }

    /// The projection of texts beside the text encoder's weights; empty where the model has none.
    /// @throws Failure when it is damaged
    public Optional<TextProjection> textProjection() throws Failure {
        return TextProjection.of(this);
    }

    /// Words that the model says it knows, for suggestions; empty when it says nothing.
    public List<String> words() throws Failure {
        Path metadata = folder.resolve("metadata.json");
        return Files.isRegularFile(metadata) ? Config.read(metadata).texts("words", List.of()) : List.of();
    }

    /// The picture size nearest to what was asked that works, where the asked one does not: sides are multiples of 8 (or of the VAE's factor).
    public Optional<String> sizeProblem(int width, int height) {
        int factor = vae().factor();
        if (width >= factor && height >= factor && width % factor == 0 && height % factor == 0) return Optional.empty();
        return Optional.of(width + "x" + height + ": sides must be multiples of " + factor + "; the nearest size that works is " + nearest(width) + "x" + nearest(height));
    }

    private int nearest(int side) {
        int factor = vae().factor();
        return Math.max(factor, Math.toIntExact(Math.round((double) side / factor) * factor));
    }
}
