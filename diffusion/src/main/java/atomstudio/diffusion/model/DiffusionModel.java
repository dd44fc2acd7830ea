package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.net.ClipTextModel;
import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.net.Vae;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.prompt.Tokenizer;
import atomstudio.diffusion.sample.SchedulerConfig;
import atomstudio.diffusion.tensor.TensorFile;
import com.google.gson.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/// A Stable Diffusion 1.x or 2.x model, in diffusers' folder layout or in one file of the LDM layout: its components
/// without weights, which are mapped by [#openCheckpoint].
/// @param path the folder or the file
/// @param sampleSize side of the latents that the UNet was trained at, in latent pixels
public record DiffusionModel(Path path, String name, SchedulerConfig scheduler, int sampleSize,
        SortedMap<Component, NetworkFile<?>> components, Sources sources) {
    static final String MODEL_INDEX = "model_index.json";
    static final int DEFAULT_SAMPLE_SIZE = 64;
    static final int MAX_SAMPLE_SIZE = 4096;

    public DiffusionModel {
        components = Collections.unmodifiableSortedMap(new TreeMap<>(components));
    }

    /// Tokenizer and metadata of a model.
    record Sources(TokenizerLocator tokenizer, List<String> warnings, List<String> knownWords) {
        Sources {
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
                : FolderLoader.open(modelPath, options);
        model.validate();
        return model;
    }

    private void validate() throws Failure {
        // Several text encoders are concatenated by features.
        int features = textEncoders().stream().mapToInt(ClipTextModel::hiddenSize).sum();
        if (features != unet().crossAttentionDim()) {
            throw new Failure.Incompatible(path + ": text_encoder has " + features
                    + " features per token, unet expects " + unet().crossAttentionDim());
        }
        int latentChannels = vae().latentChannels();
        if (unet().channels().out() != latentChannels)
            throw new Failure.Incompatible(
                    weights(Component.VAE).path() + ": the autoencoder has latents of "
                            + latentChannels + " channels, unet outputs " + unet().channels().out());
        int inChannels = unet().channels().in();
        if (inChannels != latentChannels && inChannels != 2 * latentChannels + 1) {
            throw new Failure.Incompatible(path + ": its UNet has " + inChannels
                    + " input channels (as models conditioned on an image, depth or a low resolution image have); "
                    + latentChannels + " (text to image) and " + (2 * latentChannels + 1)
                    + " (inpainting) are supported");
        }
    }

    public DiffusionModel withScheduler(SchedulerConfig other) {
        return new DiffusionModel(path, name, other, sampleSize, components, sources);
    }

    public UNet unet() {
        return (UNet) file(Component.UNET).network();
    }

    public Vae vae() {
        return (Vae) file(Component.VAE).network();
    }

    /// The first text encoder.
    public ClipTextModel textEncoder() {
        return textEncoders().getFirst();
    }

    List<ClipTextModel> textEncoders() {
        return components.values()
                .stream()
                .map(NetworkFile::network)
                .filter(ClipTextModel.class::isInstance)
                .map(ClipTextModel.class::cast)
                .toList();
    }

    /// @throws Failure.Unsupported for a model that sampling and training do not support
    public void requireOneTextEncoder() throws Failure.Unsupported {
        if (textEncoders().size() > 1)
            throw new Failure.Unsupported(path + ": has " + textEncoders().size()
                    + " text encoders, as Stable Diffusion XL has; generating and training support one");
    }

    public boolean isSingleFile() { return weights(Component.UNET) instanceof WeightLocation.InFile; }

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
    public List<Layer> layers(Component component) {
        return file(component).layers();
    }

    /// Parameters of the UNet.
    public long unetParameterCount() {
        return Layer.parameterCount(unet().layers());
    }

    /// All trainable layers: the UNet's, then the text encoders'.
    public List<Layer> trainableLayers() {
        return components.values()
                .stream()
                .filter(file -> !(file.network() instanceof Vae))
                .flatMap(file -> file.layers().stream())
                .toList();
    }

    public WeightLocation weights(Component component) {
        return file(component).weights();
    }

    /// Maps a component's weights and checks that they are complete; the caller closes the checkpoint.
    public Checkpoint openCheckpoint(Component component) throws Failure {
        return file(component).open();
    }

    /// The same for several components; the caller closes the checkpoints.
    public Map<Component, Checkpoint> openCheckpoints(Collection<Component> wanted) throws Failure {
        Map<Component, Checkpoint> checkpoints = new HashMap<>();
        try {
            for (Component component : wanted) checkpoints.put(component, openCheckpoint(component));
            return checkpoints;
        } catch (Failure e) {
            checkpoints.values().forEach(Checkpoint::close);
            throw e;
        }
    }

    /// A component's network and weights.
    public NetworkFile<?> file(Component component) {
        NetworkFile<?> file = components.get(component);
        if (file == null) throw new IllegalArgumentException(path + ": has no " + component.folder());
        return file;
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

    /// The components' configurations by folder as one object, which a file of the LDM layout can have in its metadata.
    /// Of a model in one file, those given beside the file or in its metadata.
    public JsonObject configs() throws Failure {
        JsonObject configs = new JsonObject();
        if (Files.isRegularFile(path)) {
            try (TensorFile file = TensorFile.open(path)) {
                configs = Sidecar.of(path, file.metadata()).json().deepCopy();
            }
        } else {
            for (Component component : components.keySet()) {
                Path config = weights(component).path().resolve("config.json");
                if (Files.isRegularFile(config)) configs.add(component.folder(), ModelConfig.read(config).json());
            }
            configs.add("scheduler", ModelConfig.read(path.resolve("scheduler/scheduler_config.json")).json());
        }
        JsonObject schedulerConfig = configs.has("scheduler") ? configs.getAsJsonObject("scheduler") : new JsonObject();
        schedulerConfig.addProperty("prediction_type",
                DetectedPredictionType.declared(scheduler.predictionType()).type());
        configs.add("scheduler", schedulerConfig);
        return configs;
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
