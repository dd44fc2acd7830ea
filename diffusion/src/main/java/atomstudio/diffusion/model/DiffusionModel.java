package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.net.ClipTextModel;
import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.net.Vae;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.prompt.Tokenizer;
import atomstudio.diffusion.sample.SchedulerConfig;
import com.google.gson.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// A Stable Diffusion 1.x or 2.x model, in diffusers' folder layout or in one file of the LDM layout: its networks
/// without weights, which are mapped by [#openCheckpoint].
/// @param path the folder or the file
/// @param sampleSize side of the latents that the UNet was trained at, in latent pixels
public record DiffusionModel(Path path, String name, Networks networks, SchedulerConfig scheduler, int sampleSize,
        Sources sources) {
    private static final Set<String> SUPPORTED_PIPELINES = Set.of("StableDiffusionPipeline",
            "StableDiffusionImg2ImgPipeline", "StableDiffusionInpaintPipeline");

    private static final String MODEL_INDEX = "model_index.json";
    private static final int DEFAULT_SAMPLE_SIZE = 64;
    static final int MAX_SAMPLE_SIZE = 4096;

    public record Networks(UNet unet, Vae vae, ClipTextModel textEncoder) {}

    /// Weights, tokenizer and metadata of a model.
    record Sources(Map<ModelComponent, WeightLocation> weights, TokenizerLocator tokenizer, List<String> warnings,
            List<String> knownWords) {
        Sources {
            weights = Map.copyOf(weights);
            warnings = List.copyOf(warnings);
            knownWords = List.copyOf(knownWords);
        }
    }

    /// Reads the configurations with the default options; no weights are loaded and no native code is called.
    /// @param path a model folder, its model_index.json, or a file
    /// @throws Failure.Unreadable when it is not a model, or a configuration is damaged
    /// @throws Failure.Incompatible when the model is not supported
    public static DiffusionModel open(Path path) throws Failure {
        return open(path, ModelLoadOptions.defaults());
    }

    /// Reads the configurations with the given options.
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
                    + ": is not a model folder: expected model_index.json with unet, vae, text_encoder, tokenizer and "
                    + "scheduler folders (diffusers layout), or a model in one file; found "
                    + (Files.isDirectory(folder) ? "a folder without it" : "nothing"));
        }
        ModelConfig pipeline = ModelConfig.read(index);
        String className = pipeline.string("_class_name", "StableDiffusionPipeline");
        if (!SUPPORTED_PIPELINES.contains(className))
            throw new Failure.Incompatible(index + ": " + SafeText.of(className)
                    + " is not supported; Stable Diffusion 1.x and 2.x (StableDiffusionPipeline) are");
        ModelConfig unetConfig = config(folder, ModelComponent.UNET);
        VaeSource vae = options.vae().isPresent() ? VaeSource.open(options.vae().get())
                : VaeSource.ofFolder(folder.resolve(ModelComponent.VAE.folder()));
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
        ModelConfig metadata = metadata(folder);
        String folderName = folder.toAbsolutePath().normalize().getFileName().toString();
        return new DiffusionModel(folder, metadata.string("name", folderName), networks, scheduler,
                sampleSize(unetConfig), new Sources(weights, TokenizerLocator.of(folder, options), List.of(),
                        metadata.strings("words", List.of())));
    }

    /// The side of the square latents; some programs write it twice, as width and height.
    private static int sampleSize(ModelConfig unet) throws Failure {
        List<Integer> sides = unet.integers("sample_size", List.of(DEFAULT_SAMPLE_SIZE), 1);
        int side = sides.isEmpty() ? 0 : sides.getFirst();
        if (side < 1 || side > MAX_SAMPLE_SIZE || sides.size() > 2 || sides.getLast() != side) {
            throw unet.invalid("sample_size", "an integer from 1 to " + MAX_SAMPLE_SIZE + ", or two equal ones",
                    unet.json().get("sample_size"));
        }
        return side;
    }

    private void validate() throws Failure {
        if (textEncoder().hiddenSize() != unet().crossAttentionDim()) {
            throw new Failure.Incompatible(path + ": text_encoder has " + textEncoder().hiddenSize()
                    + " features per token, unet expects " + unet().crossAttentionDim());
        }
        int latentChannels = vae().latentChannels();
        if (unet().channels().out() != latentChannels)
            throw new Failure.Incompatible(
                    sources.weights.get(ModelComponent.VAE).path() + ": the autoencoder has latents of "
                            + latentChannels + " channels, unet outputs " + unet().channels().out());
        int inChannels = unet().channels().in();
        if (inChannels != latentChannels && inChannels != 2 * latentChannels + 1) {
            throw new Failure.Incompatible(path + ": its UNet has " + inChannels
                    + " input channels (as models conditioned on an image, depth or a low resolution image have); "
                    + latentChannels + " (text to image) and " + (2 * latentChannels + 1)
                    + " (inpainting) are supported");
        }
    }

    private static ModelConfig config(Path folder, ModelComponent component) throws Failure {
        return ModelConfig.read(folder.resolve(component.folder()).resolve("config.json"));
    }

    /// The optional metadata.json: the model's name, and words that it knows.
    private static ModelConfig metadata(Path folder) throws Failure {
        Path file = folder.resolve("metadata.json");
        return Files.isRegularFile(file) ? ModelConfig.read(file) : new ModelConfig(file, new JsonObject());
    }

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

    public boolean isSingleFile() { return sources.weights.get(ModelComponent.UNET) instanceof WeightLocation.InFile; }

    /// Warnings for the user: which settings were inferred, and how.
    public List<String> warnings() {
        return sources.warnings;
    }

    /// Opens the model's tokenizer; for a single file, a matching one from the search folders. Its maximum length is
    /// the text encoder's, not that of its own configuration.
    /// @throws Failure.Unreadable when there is none, with instructions where to put the public vocabulary
    public Tokenizer tokenizer() throws Failure {
        return sources.tokenizer.open(textEncoder().vocabularySize()).withMaxLength(textEncoder().maxTokens());
    }

    /// Side of the images that the model was trained on, in pixels.
    public int defaultImageSize() {
        return sampleSize * vae().downsamplingFactor();
    }

    /// All layers of a component.
    public List<Layer> layers(ModelComponent component) {
        return switch (component) {
            case UNET -> NetworkLayers.of(unet());
            case VAE -> NetworkLayers.of(vae());
            case TEXT_ENCODER -> NetworkLayers.of(textEncoder());
        };
    }

    /// All trainable layers: the UNet's, then the text encoder's, whose names start with `text_model.`.
    public List<Layer> trainableLayers() {
        return Stream.of(ModelComponent.UNET, ModelComponent.TEXT_ENCODER)
                .flatMap(component -> layers(component).stream())
                .toList();
    }

    public WeightLocation weights(ModelComponent component) {
        return sources.weights.get(component);
    }

    /// Maps a component's weights and checks that they are complete; the caller closes the checkpoint.
    public Checkpoint openCheckpoint(ModelComponent component) throws Failure {
        return Checkpoint.open(weights(component), layers(component));
    }

    /// Reads the model's CLIP image encoder, or else its safety checker's; empty if it has neither.
    /// @throws Failure when it is damaged or not supported
    public Optional<ImageEncoder> imageEncoder() throws Failure {
        return ImageEncoder.of(this);
    }

    /// Reads the model's safety checker; empty if it has none.
    /// @throws Failure when it is damaged or not supported
    public Optional<SafetyChecker> safetyChecker() throws Failure {
        return SafetyChecker.of(this);
    }

    /// Reads the text projection stored with the text encoder's weights; empty if there is none.
    /// @throws Failure when it is damaged
    public Optional<TextProjection> textProjection() throws Failure {
        return TextProjection.of(this);
    }

    /// Words that the model knows by its metadata, for suggestions.
    public List<String> knownWords() {
        return sources.knownWords;
    }

    /// A message with the nearest valid image size if the given one is invalid: sides must be multiples of the VAE's
    /// downsampling factor.
    public Optional<String> sizeProblem(int width, int height) {
        int factor = vae().downsamplingFactor();
        if (width >= factor && height >= factor && width % factor == 0 && height % factor == 0) return Optional.empty();
        return Optional.of(width + "x" + height + ": sides must be multiples of " + factor
                + "; the nearest valid size is " + nearestSize(width) + "x" + nearestSize(height));
    }

    private int nearestSize(int side) {
        int factor = vae().downsamplingFactor();
        return Math.max(factor, Math.toIntExact(Math.round((double) side / factor) * factor));
    }
}
