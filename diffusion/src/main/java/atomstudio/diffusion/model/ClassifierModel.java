package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.Resampling;
import atomstudio.diffusion.model.ImageEncoder.ImageProcessor;
import atomstudio.diffusion.model.ImageEncoder.ImageProcessor.Normalization;
import atomstudio.diffusion.net.Classifier;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.TensorFile;
import com.google.gson.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// An image classifier in a file or folder of timm, torchvision or transformers. The network is inferred from names and
/// shapes of the tensors; a `config.json` beside them has what these do not determine (heads, normalization).
/// @param imageSize   side of its images in pixels
/// @param cropShare   side of the centre crop over the resized image's shorter side
public record ClassifierModel(Path path, String name, NetworkFile<Classifier> file, int imageSize, double cropShare,
        Normalization normalization) {
    /// timm's for ResNet and ConvNeXt.
    private static final Normalization IMAGENET = new Normalization(List.of(0.485, 0.456, 0.406),
            List.of(0.229, 0.224, 0.225));
    private static final double DEFAULT_CROP_SHARE = 0.875;

    /// @param path a weight file, or a folder with weights and possibly `config.json`
    /// @throws Failure.Incompatible when it is no classifier of a supported architecture
    public static ClassifierModel open(Path path) throws Failure {
        if (!Files.exists(path))
            throw new Failure.Unreadable(path + ": expected a classifier's weight file or its folder, found nothing");
        Path file = Files.isDirectory(path) ? WeightFiles.find(path).getFirst() : path;
        Path configFile = file.toAbsolutePath().resolveSibling("config.json");
        ModelConfig config = Files.isRegularFile(configFile) ? ModelConfig.read(configFile)
                : new ModelConfig(configFile, new JsonObject());
        WeightLocation weights = new WeightLocation.InFile(file, ClassifierNetworks.mapping());
        Map<String, Shape> shapes = new HashMap<>();
        try (TensorFile tensors = TensorFile.open(file)) {
            tensors.tensors()
                    .values()
                    .forEach(stored -> weights.mapping()
                            .map(stored)
                            .forEach(each -> shapes.put(each.name(), each.shape())));
        }
        Classifier network = new ClassifierNetworks(file, shapes, config).network();
        if (network.imageChannels() != 3)
            throw new Failure.Incompatible(path + ": expects images of " + network.imageChannels()
                    + " channels; classifiers of RGB images are supported");
        ModelConfig pretrained = config.section("pretrained_cfg");
        String fileName = file.getFileName().toString();
        return new ClassifierModel(path, config.string("architecture", config.has("model_type")
                ? file.toAbsolutePath().getParent().getFileName().toString()
                : fileName.substring(0, Math.max(1, fileName.lastIndexOf('.')))), new NetworkFile<>(network, weights),
                imageSize(network, pretrained), cropShare(pretrained),
                normalization(file, pretrained));
    }

    private static double cropShare(ModelConfig pretrained) throws Failure {
        double share = pretrained.number("crop_pct", DEFAULT_CROP_SHARE);
        if (share > 0 && share <= 1) return share;
        throw pretrained.invalid("crop_pct", "a number above 0, up to 1", pretrained.json().get("crop_pct"));
    }

    private static int imageSize(Classifier network, ModelConfig pretrained) throws Failure {
        if (network.hasFixedImageSize()) return network.defaultImageSize();
        List<Integer> sizes = pretrained.integers("input_size", List.of(), 3);
        return sizes.size() == 3 ? sizes.get(1) : network.defaultImageSize();
    }

    /// timm's `pretrained_cfg`, transformers' `preprocessor_config.json`, or ImageNet's.
    private static Normalization normalization(Path file, ModelConfig pretrained) throws Failure {
        Path processor = file.toAbsolutePath().resolveSibling("preprocessor_config.json");
        boolean isTransformers = Files.isRegularFile(processor);
        ModelConfig config = isTransformers ? ModelConfig.read(processor) : pretrained;
        return new Normalization(config.numbers(isTransformers ? "image_mean" : "mean", IMAGENET.mean()),
                config.numbers(isTransformers ? "image_std" : "std", IMAGENET.std()));
    }

    public Classifier network() {
        return file.network();
    }

    /// All layers but the head.
    public List<Layer> backbone() {
        return network().layers().stream().filter(layer -> !layer.path().equals(network().head())).toList();
    }

    /// Maps the weights and checks that those of the backbone are complete; the caller closes the checkpoint.
    public Checkpoint openBackbone() throws Failure {
        return Checkpoint.open(file.weights(), backbone());
    }

    /// For images of this size.
    /// @throws Failure.Incompatible if the network's images have another size
    public ClassifierModel withImageSize(int size) throws Failure {
        if (network().hasFixedImageSize() && size != network().defaultImageSize())
            throw new Failure.Incompatible(path + ": expects images of " + network().defaultImageSize()
                    + " pixels, not " + size + "; its position embeddings have one size");
        return new ClassifierModel(path, name, file, size, cropShare, normalization);
    }

    /// Resizes the shorter side, crops the centre and normalizes.
    public ImageProcessor processor() {
        return new ImageProcessor((int) Math.floor(imageSize / cropShare), imageSize, Resampling.BICUBIC,
                normalization);
    }
}
