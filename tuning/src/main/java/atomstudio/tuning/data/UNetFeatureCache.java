package atomstudio.tuning.data;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.ops.LayerRecorder;
import atomstudio.diffusion.ops.ShapeOps;
import atomstudio.diffusion.tensor.DType;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.torch.TrainingBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// A cache on disk of the UNet encoder's features for a fixed set of noisy batches. While only the decoder is trained
/// these do not change: they are computed once, stored in half precision, and reused, also after a resume.
/// @param cycleSteps steps after which batches repeat
public record UNetFeatureCache(Path folder, int cycleSteps, FeatureExtractor featureExtractor) {
    private static final double MAX_FLOAT16 = 65504;
    private static final String MIDDLE_KEY = "middle";
    private static final String SKIP_PREFIX = "skip.";

    /// Runs the UNet encoder on a batch.
    @FunctionalInterface
    public interface FeatureExtractor {
        UNet.EncoderFeatures<Tensor> extract(TrainingBatch batch) throws Failure;
    }

    /// @throws Failure.Incompatible when layers of the encoder are trained, whose features would change
    public static void requireFrozenEncoder(TrainingConfig config, ParameterLayout layout) throws Failure.Incompatible {
        if (config.data().cachedNoiseSamples() == 0) return;
        Optional<String> trainedBelow = layout.trained()
                .stream()
                .map(entry -> entry.layer().name())
                .filter(name -> !UNet.isDecoderLayer(name))
                .findFirst();
        if (trainedBelow.isPresent())
            throw new Failure.Incompatible("cached noise samples: expected only layers of the up blocks, found "
                    + trainedBelow.get() + "; train the layers up, or cache no noise samples");
    }

    /// Bytes of this many entries in half precision.
    public static long bytes(DiffusionModel model, int entries, int resolution) {
        long latents = resolution / model.vae().downsamplingFactor();
        UNet unet = model.unet();
        UNet.EncoderFeatures<Shape> shapes = unet.encode(new ShapeOps(), new LayerRecorder(),
                Shape.of(1, unet.channels().in(), latents, latents), Shape.of(1, unet.timeProjection().dim()),
                Shape.of(1, 1, unet.crossAttentionDim()));
        return entries * DType.F16.bytes()
                * Stream.concat(Stream.of(shapes.middle()), shapes.skips().stream()).mapToLong(Shape::elements).sum();
    }

    /// The batch with its features, read back from the file even if just computed, so that the rounding is the same in
    /// every cycle.
    public TrainingBatch with(TrainingBatch batch, int step, int pass) throws Failure {
        Path file = folder.resolve(step % cycleSteps + "-" + pass + ".safetensors");
        if (!Files.isRegularFile(file)) write(file, featureExtractor.extract(batch));
        return batch.with(read(file));
    }

    private static void write(Path file, UNet.EncoderFeatures<Tensor> features) throws Failure {
        Map<String, Tensor> tensors = new HashMap<>(Map.of(MIDDLE_KEY, features.middle()));
        for (int i = 0; i < features.skips().size(); i++) tensors.put(SKIP_PREFIX + i, features.skips().get(i));
        DType dtype = tensors.values().stream().allMatch(UNetFeatureCache::fitsFloat16) ? DType.F16 : DType.F32;
        byte[] bytes = SafetensorsWriter.toBytes(tensors, Map.of(), dtype);
        AtomicFile.write(file, out -> out.write(bytes));
    }

    private static boolean fitsFloat16(Tensor tensor) {
        for (float number : tensor.data()) if (!(Math.abs(number) <= MAX_FLOAT16)) return false;
        return true;
    }

    private static UNet.EncoderFeatures<Tensor> read(Path file) throws Failure {
        try (SafetensorsFile stored = SafetensorsFile.open(file)) {
            List<Tensor> skips = new ArrayList<>();
            while (stored.tensors().containsKey(SKIP_PREFIX + skips.size()))
                skips.add(stored.read(SKIP_PREFIX + skips.size()));
            return new UNet.EncoderFeatures<>(stored.read(MIDDLE_KEY), skips);
        }
    }

    /// Deletes the cache; failures are ignored.
    public static void remove(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) Files.deleteIfExists(file);
            Files.deleteIfExists(folder);
        } catch (IOException e) {
            return;
        }
    }
}
