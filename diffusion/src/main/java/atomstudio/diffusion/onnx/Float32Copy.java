package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.StudioFolder;
import atomstudio.diffusion.file.TemporaryPath;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.WeightLocation;
import atomstudio.diffusion.model.WeightLocation.KeyMapping;
import atomstudio.diffusion.tensor.DType;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/// Half-precision weights in float32, in a temporary file. A compiling provider reads float32 initializers where they
/// are mapped, but folds the casts of others into float32 copies in memory: Stable Diffusion 1.5's UNet on OpenVINO
/// then takes 5.4 GB instead of 2.0, and 12 s longer (docs/decisions/providers.md). The file is needed only while the
/// session is created.
final class Float32Copy implements AutoCloseable {
    /// Space that other programs may need on the disk.
    private static final long RESERVED_BYTES = 1L << 30;
    private static final int CHUNK_ELEMENTS = 1 << 18;
    private static final ValueLayout.OfShort HALF = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final TemporaryPath file;
    private final Checkpoint checkpoint;

    private Float32Copy(TemporaryPath file, Checkpoint checkpoint) {
        this.file = file;
        this.checkpoint = checkpoint;
    }

    /// Empty if no weight is in half precision, or if the disk is too full.
    /// @param folder created if missing
    static Optional<Float32Copy> of(Checkpoint weights, Path folder) throws Failure {
        Map<String, Shape> shapes = new TreeMap<>();
        boolean hasHalf = false;
        for (String key : weights.keys()) {
            shapes.put(key, weights.info(key).shape());
            hasHalf |= weights.info(key).dtype().bytes() == Short.BYTES;
        }
        if (!hasHalf) return Optional.empty();
        TemporaryPath file = null;
        try {
            StudioFolder.createDirectories(folder);
            long bytes = SafetensorsWriter.fileLength(shapes, Map.of());
            if (folder.toFile().getUsableSpace() < bytes + RESERVED_BYTES) return Optional.empty();
            file = TemporaryPath.register(folder.resolve(TemporaryPath.randomSuffix() + ".safetensors"));
            write(file.path(), shapes, weights);
            return Optional.of(new Float32Copy(file, Checkpoint
                    .open(new WeightLocation.InFile(file.path(), KeyMapping.renaming(UnaryOperator.identity())))));
        } catch (IOException noSpaceAfterAll) {
            if (file != null) file.close();
            return Optional.empty();
        } catch (Failure e) {
            if (file != null) file.close();
            throw e;
        }
    }

    private static void write(Path file, Map<String, Shape> shapes, Checkpoint weights) throws IOException {
        // Not synced to the disk, unlike files that are kept.
        try (OutputStream out = Files.newOutputStream(file, StandardOpenOption.CREATE_NEW)) {
            SafetensorsWriter.writeHeader(out, shapes, Map.of(), DType.F32);
            ByteBuffer chunk = ByteBuffer.allocate(CHUNK_ELEMENTS * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            for (Map.Entry<String, Shape> entry : shapes.entrySet()) {
                String key = entry.getKey();
                ElementReader elements = elements(weights, key);
                long count = entry.getValue().elements();
                for (long start = 0; start < count; start += CHUNK_ELEMENTS) {
                    long end = Math.min(count, start + CHUNK_ELEMENTS);
                    chunk.clear();
                    for (long i = start; i < end; i++) chunk.putFloat(elements.get(i));
                    out.write(chunk.array(), 0, chunk.position());
                }
            }
        }
    }

    @FunctionalInterface
    private interface ElementReader {
        float get(long index);
    }

    /// Reads the large tensors from the mapped file: as arrays they would fill the Java heap.
    private static ElementReader elements(Checkpoint weights, String key) {
        DType dtype = weights.info(key).dtype();
        if (weights.isContiguous(key) && (dtype == DType.F16 || dtype == DType.BF16)) {
            MemorySegment bytes = weights.bytes(key);
            return dtype == DType.F16 ? i -> Float.float16ToFloat(bytes.get(HALF, i * Short.BYTES))
                    : i -> Float.intBitsToFloat(bytes.get(HALF, i * Short.BYTES) << Short.SIZE);
        }
        float[] values = weights.read(key).data();
        return i -> values[(int) i];
    }

    /// The weights under the same names.
    Checkpoint checkpoint() {
        return checkpoint;
    }

    /// Deletes the file; a session that has mapped it keeps its pages.
    @Override
    public void close() {
        checkpoint.close();
        file.close();
    }
}
