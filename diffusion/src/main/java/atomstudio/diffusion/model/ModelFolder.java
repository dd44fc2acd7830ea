package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.net.ClipText;
import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.net.Vae;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.sample.SchedulerConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// A Stable Diffusion 1.x or 2.x model in diffusers' folder layout: its networks as their configurations say, no weights yet.
/// `sampleSize` is the side, in latent pixels, that the UNet was trained at.
public record ModelFolder(Path folder, String name, UNet unet, Vae vae, ClipText text, SchedulerConfig scheduler, int sampleSize) {
    private static final Set<String> PIPELINES = Set.of("StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline", "StableDiffusionInpaintPipeline");

    /// Reads every configuration; no weights and no native code.
    /// @throws Failure.Unreadable when it is no model folder or a configuration is damaged
    /// @throws Failure.Incompatible when the model is of a kind that cannot be run here
    public static ModelFolder open(Path folder) throws Failure {
        Path index = folder.resolve("model_index.json");
        if (!Files.isRegularFile(index)) {
            throw new Failure.Unreadable(folder + ": is not a model folder: expected model_index.json with unet, vae, text_encoder, tokenizer and scheduler beside it (diffusers layout), found "
                    + (Files.isDirectory(folder) ? "a folder without it" : Files.exists(folder) ? "a file" : "nothing"));
        }
        Config pipeline = Config.read(index);
        String kind = pipeline.text("_class_name", "StableDiffusionPipeline");
        if (!PIPELINES.contains(kind)) throw new Failure.Incompatible(index + ": " + kind + " cannot be run here; Stable Diffusion 1.x and 2.x (StableDiffusionPipeline) can");
        Config unetConfig = config(folder, Part.UNET);
        UNet unet = NetworkConfigs.unet(unetConfig);
        Vae vae = NetworkConfigs.vae(config(folder, Part.VAE));
        ClipText text = NetworkConfigs.text(config(folder, Part.TEXT));
        if (text.width() != unet.contextWidth()) {
            throw new Failure.Incompatible(folder + ": text_encoder gives " + text.width() + " numbers a token, unet expects " + unet.contextWidth());
        }
        SchedulerConfig scheduler = SchedulerConfig.read(folder.resolve("scheduler/scheduler_config.json"));
        return new ModelFolder(folder, name(folder), unet, vae, text, scheduler, unetConfig.positive("sample_size", 64));
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

    public Path tokenizer() {
        return folder.resolve("tokenizer");
    }

    /// Side of a picture, in pixels, that the model was made for.
    public int pictureSize() {
        return sampleSize * vae.factor();
    }

    /// Every layer of a part's network.
    public List<Layer> layers(Part part) {
        return switch (part) {
            case UNET -> Inventory.of(unet);
            case VAE -> Inventory.of(vae);
            case TEXT -> Inventory.of(text);
        };
    }

    /// Every layer that can be tuned: the UNet's, then the text encoder's, whose names all start with `text_model.`.
    public List<Layer> tunable() {
        return Stream.of(Part.UNET, Part.TEXT).flatMap(part -> layers(part).stream()).toList();
    }

    /// Maps a part's weights and checks that all are there; the caller closes.
    public Checkpoint checkpoint(Part part) throws Failure {
        Checkpoint checkpoint = Checkpoint.open(folder.resolve(part.folder()), part);
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
        int factor = vae.factor();
        if (width >= factor && height >= factor && width % factor == 0 && height % factor == 0) return Optional.empty();
        return Optional.of(width + "x" + height + ": sides must be multiples of " + factor + "; the nearest size that works is " + nearest(width) + "x" + nearest(height));
    }

    private int nearest(int side) {
        int factor = vae.factor();
        return Math.max(factor, Math.toIntExact(Math.round((double) side / factor) * factor));
    }
}
