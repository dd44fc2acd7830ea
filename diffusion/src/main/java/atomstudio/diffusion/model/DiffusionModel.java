package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.net.ClipTextModel;
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

/// A Stable Diffusion 1.x or 2.x model, in diffusers' folder layout or in one file of the original layout: its
/// networks as its configurations or its tensors say, no weights yet.
/// @param path     the folder, or the file
/// @param sampleSize side, in latent pixels, that the UNet was trained at
public record DiffusionModel(Path path, String name, Networks networks, SchedulerConfig scheduler, int sampleSize,
        Sources sources) {
    private static final Set<String> SUPPORTED_PIPELINES = Set.of("StableDiffusionPipeline",
            "StableDiffusionImg2ImgPipeline", "StableDiffusionInpaintPipeline");

    /// A folder's own description; who names it means the folder.
    private static final String MODEL_INDEX = "model_index.json";
    private static final int DEFAULT_SAMPLE_SIZE = 64;
    static final int MAX_SAMPLE_SIZE = 4096;

    /// What a model is made of.
    public record Networks(UNet unet, Vae vae, ClipTextModel textEncoder) {}

    /// Where its weights and its tokenizer lie, and what a person should know of what was found there.
    record Sources(Map<ModelComponent, WeightLocation> weights, TokenizerLocator tokenizer, List<String> warnings) {
        Sources {
            weights = Map.copyOf(weights);
            warnings = List.copyOf(warnings);
        }
    }

    /// Reads every configuration; no weights and no native code.
    /// @param path a model folder, its model_index.json, or a file
    /// @throws Failure.Unreadable when it is no model or a configuration is damaged
    /// @throws Failure.Incompatible when the model is of a kind that cannot be run here
    public static DiffusionModel open(Path path) throws Failure {
        return open(path, ModelLoadOptions.defaults());
    }

    /// The same, as a person wants it.
    public static DiffusionModel open(Path path, ModelLoadOptions options) throws Failure {
        boolean isIndex = Files.isRegularFile(path) && path.getFileName().toString().equals(MODEL_INDEX);
        Path modelPath = isIndex ? path.toAbsolutePath().getParent() : path;
        DiffusionModel model = Files.isRegularFile(modelPath) ? SingleFileLoader.open(modelPath, options)
                : ofFolder(modelPath, options);
        model.validate();
        return model;
    }

    private static DiffusionModel ofFolder(Path folder, ModelLoadOptions options) throws Failure {
        Path index = folder.resolve(MODEL_INDEX);
        if (!Files.isRegularFile(index)) {
            throw new Failure.Unreadable(folder
                    + ": is not a model folder: expected model_index.json with unet, vae, text_encoder, tokenizer and scheduler beside it (diffusers layout), or a model in one file; found "
                    + (Files.isDirectory(folder) ? "a folder without it" : "nothing"));
        }
        ModelConfig pipeline = ModelConfig.read(index);
        String className = pipeline.string("_class_name", "StableDiffusionPipeline");
        if (!SUPPORTED_PIPELINES.contains(className))
            throw new Failure.Incompatible(index + ": " + SafeText.of(className)
                    + " cannot be run here; Stable Diffusion 1.x and 2.x (StableDiffusionPipeline) can");
        ModelConfig unetConfig = config(folder, ModelComponent.UNET);
        Autoencoder vae = options.vae().isPresent() ? Autoencoder.open(options.vae().get())
                : Autoencoder.ofFolder(folder.resolve(ModelComponent.VAE.folder()));
        Networks networks = new Networks(NetworkFactory.unet(unetConfig), vae.network(),
                NetworkFactory.textEncoder(config(folder, ModelComponent.TEXT_ENCODER)));
        Map<ModelComponent, WeightLocation> weights = new EnumMap<>(ModelComponent.class);
        for (ModelComponent component : ModelComponent.values())
            weights.put(component, new WeightLocation.InFolder(folder.resolve(component.folder()),
                    WeightLocation.KeyMapping.renaming(component::diffusersKey)));
        weights.put(ModelComponent.VAE, vae.weights());
        SchedulerConfig scheduler = SchedulerConfig.read(folder.resolve("scheduler/scheduler_config.json"));
        if (options.predictionType().isPresent())
            scheduler = scheduler.withPredictionType(options.predictionType().get());
        return new DiffusionModel(folder, name(folder), networks, scheduler, sampleSize(unetConfig),
                new Sources(weights, TokenizerLocator.of(folder, options), List.of()));
    }

    /// Of a square, which some programs write as its two sides.
    private static int sampleSize(ModelConfig unet) throws Failure {
        List<Integer> sides = unet.integers("sample_size", List.of(DEFAULT_SAMPLE_SIZE), 1);
        int side = sides.isEmpty() ? 0 : sides.getFirst();
        if (side < 1 || side > MAX_SAMPLE_SIZE || sides.size() > 2 || sides.getLast() != side) {
            throw unet.invalid("sample_size", "one number from 1 to " + MAX_SAMPLE_SIZE + ", or that twice",
                    unet.json().get("sample_size"));
        }
        return side;
    }

    private void validate() throws Failure {
        if (textEncoder().hiddenSize() != unet().crossAttentionDim()) {
            throw new Failure.Incompatible(path + ": text_encoder gives " + textEncoder().hiddenSize()
                    + " numbers a token, unet expects " + unet().crossAttentionDim());
        }
        int latentChannels = vae().latentChannels();
        if (unet().channels().out() != latentChannels)
            throw new Failure.Incompatible(
                    sources.weights.get(ModelComponent.VAE).path() + ": the autoencoder has latents of "
                            + latentChannels + " channels, unet makes " + unet().channels().out());
        int inChannels = unet().channels().in();
        if (inChannels != latentChannels && inChannels != 2 * latentChannels + 1) {
            throw new Failure.Incompatible(path + ": its UNet has " + inChannels
                    + " input channels (as models that take a picture, depth or low resolution with the prompt); those of "
                    + latentChannels + " (pictures from prompts) and " + (2 * latentChannels + 1)
                    + " (inpainting) can be run");
        }
    }

    private static ModelConfig config(Path folder, ModelComponent component) throws Failure {
        return ModelConfig.read(folder.resolve(component.folder()).resolve("config.json"));
    }

    /// What the model calls itself in metadata.json, or else the folder's name.
    private static String name(Path folder) throws Failure {
        Path metadata = folder.resolve("metadata.json");
        String defaultName = folder.toAbsolutePath().normalize().getFileName().toString();
        return Files.isRegularFile(metadata) ? ModelConfig.read(metadata).string("name", defaultName) : defaultName;
    }

    /// The same model, its noise scheduled otherwise.
    public DiffusionModel withScheduler(SchedulerConfig other) {
        return new DiffusionModel(path, name, networks, other, sampleSize, sources);
    }

    public UNet unet() {
        return networks.unet;
    }

    public Vae vae() {
        return networks.vae;
    }

    public ClipTextModel textEncoder() {
        return networks.textEncoder;
    }

    /// Whether it is one file.
    public boolean isSingleFile() { return sources.weights.get(ModelComponent.UNET) instanceof WeightLocation.InFile; }

    /// What a person should know before relying on the model: what was guessed, and why.
    public List<String> warnings() {
        return sources.warnings;
    }

    /// Opens the model's tokenizer: its own, or for a single file one that fits from where it was looked for. The
    /// text encoder's length is its limit, whatever its settings say: a longer text would not fit, and a shorter one
    /// is no other model.
    /// @throws Failure.Unreadable when there is none, saying which public file to put where
    public Tokenizer tokenizer() throws Failure {
        return sources.tokenizer.open(textEncoder().vocabularySize()).withMaxLength(textEncoder().maxTokens());
    }

    /// Side of a picture, in pixels, that the model was made for.
    public int defaultImageSize() {
        return sampleSize * vae().downsamplingFactor();
    }

    /// Every layer of a part's network.
    public List<Layer> layers(ModelComponent component) {
        return switch (component) {
            case UNET -> NetworkLayers.of(unet());
            case VAE -> NetworkLayers.of(vae());
            case TEXT_ENCODER -> NetworkLayers.of(textEncoder());
        };
    }

    /// Every layer that can be tuned: the UNet's, then the text encoder's, whose names all start with `text_model.`.
    public List<Layer> trainableLayers() {
        return Stream.of(ModelComponent.UNET, ModelComponent.TEXT_ENCODER)
                .flatMap(component -> layers(component).stream())
                .toList();
    }

    /// Where a part's weights lie.
    public WeightLocation weights(ModelComponent component) {
        return sources.weights.get(component);
    }

    /// Maps a part's weights and checks that all are there; the caller closes.
    public Checkpoint openCheckpoint(ModelComponent component) throws Failure {
        Checkpoint checkpoint = Checkpoint.open(weights(component));
        try {
            checkpoint.check(layers(component));
            return checkpoint;
        } catch (Failure e) {
            checkpoint.close();
            throw e;
        }
    }

    /// The model's CLIP vision tower: its own image encoder, or else its safety checker's; empty where it has
    /// neither. Read when asked for.
    /// @throws Failure when there is one that is damaged or of a kind that cannot be run
    public Optional<ImageEncoder> imageEncoder() throws Failure {
        return ImageEncoder.of(this);
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
    public List<String> knownWords() throws Failure {
        Path metadata = path.resolve("metadata.json");
        return Files.isRegularFile(metadata) ? ModelConfig.read(metadata).strings("words", List.of()) : List.of();
    }

    /// The picture size nearest to what was asked that works, where the asked one does not: sides are multiples of 8
    /// (or of the VAE's factor).
    public Optional<String> sizeProblem(int width, int height) {
        int factor = vae().downsamplingFactor();
        if (width >= factor && height >= factor && width % factor == 0 && height % factor == 0) return Optional.empty();
        return Optional.of(width + "x" + height + ": sides must be multiples of " + factor
                + "; the nearest size that works is " + nearestSize(width) + "x" + nearestSize(height));
    }

    private int nearestSize(int side) {
        int factor = vae().downsamplingFactor();
        return Math.max(factor, Math.toIntExact(Math.round((double) side / factor) * factor));
    }
}
