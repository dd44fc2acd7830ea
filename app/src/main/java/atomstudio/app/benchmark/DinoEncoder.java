package atomstudio.app.benchmark;

import atomstudio.app.benchmark.BenchmarkSettings.Encoder;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.file.Sha256;
import atomstudio.diffusion.image.Resampling;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.json.Json;
import atomstudio.diffusion.model.ClassifierModel;
import atomstudio.diffusion.model.ImageEncoder.ImageProcessor;
import atomstudio.diffusion.onnx.OnnxImageFeatures;
import atomstudio.tuning.measure.ClipEmbedding;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// DINO's ViT: the class token of an image. Not thread-safe; owns its network.
final class DinoEncoder implements AutoCloseable {
    /// Shorter side over the crop, in DINO's own evaluation: 256 and 224.
    private static final double RESIZED_OVER_CROP = 256.0 / 224;
    private static final int BICUBIC = 3;

    private final ClassifierModel model;
    private final Resampling resampling;
    private final OnnxImageFeatures network;

    private DinoEncoder(ClassifierModel model, Resampling resampling, OnnxImageFeatures network) {
        this.model = model;
        this.resampling = resampling;
        this.network = network;
    }

    /// The encoder with the hash of its weights.
    static Encoder encoder(Path path) throws Failure {
        ClassifierModel model = ClassifierModel.open(path);
        OnnxImageFeatures.open(model, Device.CPU, 1).close(); // checks the weights
        return new Encoder(path.toAbsolutePath().normalize(),
                Sha256.of(model.file().weights().files().getFirst()));
    }

    static DinoEncoder open(Encoder encoder, Device device) throws Failure {
        ClassifierModel model = ClassifierModel.open(encoder.path());
        if (!Sha256.of(model.file().weights().files().getFirst()).equals(encoder.hash()))
            throw new Failure.Incompatible(encoder.path() + ": is not the encoder that the benchmark was planned with; "
                    + "put that one back, or start another benchmark");
        // Providers other than CPU and CUDA run the diffusion networks only.
        Device own = device.equals(Device.CUDA) ? Device.CUDA : Device.CPU;
        return new DinoEncoder(model, resampling(encoder.path()),
                OnnxImageFeatures.open(model, own, Runtime.getRuntime().availableProcessors()));
    }

    /// That of `preprocessor_config.json`; bilinear, as transformers' ViTImageProcessor, without one.
    private static Resampling resampling(Path path) throws Failure {
        Path file = (Files.isDirectory(path) ? path.resolve("x") : path.toAbsolutePath())
                .resolveSibling("preprocessor_config.json");
        boolean isBicubic = Files.isRegularFile(file) && Json.read(file)
                .find("resample", "a number", element -> element.getAsInt())
                .filter(found -> found == BICUBIC)
                .isPresent();
        return isBicubic ? Resampling.BICUBIC : Resampling.BILINEAR;
    }

    List<ClipEmbedding> embed(List<RgbImage> images, BenchmarkProtocol protocol) throws Failure {
        int side = model.imageSize();
        List<ClipEmbedding> embeddings = new ArrayList<>();
        for (RgbImage image : images) {
            // For oft both sides are resized, without regard to the aspect ratio.
            boolean isCropped = protocol == BenchmarkProtocol.DREAMBOOTH;
            ImageProcessor processor = new ImageProcessor(
                    isCropped ? (int) Math.round(side * RESIZED_OVER_CROP) : side, side, Resampling.BICUBIC,
                    model.normalization());
            RgbImage input = isCropped ? image : image.resize(side, side, resampling);
            embeddings.add(ClipEmbedding.of(network.embed(processor.preprocess(input)).data()));
        }
        return embeddings;
    }

    @Override
    public void close() {
        network.close();
    }
}
