package atomstudio.tuning.export;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.tensor.DType;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.diffusion.tensor.TensorFile;
import atomstudio.diffusion.tensor.TensorInfo;
import atomstudio.tuning.adapter.AdapterSource;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// Writes the tensors of a file in another precision, with the same names and metadata.
public final class TensorPrecision {
    private static final double LARGEST_HALF = 65504;
    /// Metadata that the new tensors no longer match.
    private static final Set<String> HASHES = Set.of("sshs_model_hash", "sshs_legacy_hash", "modelspec.hash_sha256");

    private TensorPrecision() {}

    /// @throws Failure.Unreadable if the file contains a damaged adapter, or NaN or infinity
    /// @throws Failure.Incompatible if a value exceeds the precision's range, or a tensor has no floating point type
    /// @throws Failure.Conflict if the disk is too small; nothing is written then
    public static long convert(Path source, Path target, MergedExport.Precision precision) throws Failure {
        try (TensorFile file = TensorFile.open(source)) {
            AdapterSource.requireValid(file);
            Map<String, Shape> shapes = new TreeMap<>();
            for (TensorInfo info : file.tensors().values()) {
                if (!info.dtype().isFloatingPoint() || !info.dtype().isReadable())
                    throw new Failure.Incompatible(source + ": " + SafeText.of(info.name())
                            + ": expected a floating point type, found " + info.dtype());
                shapes.put(info.name(), info.shape());
                requireRepresentable(source, info.name(), file.read(info), precision.dtype());
            }
            Map<String, String> metadata = new TreeMap<>(file.metadata());
            metadata.keySet().removeAll(HASHES);
            ModelFolder.requireSpace(target, SafetensorsWriter.fileLength(shapes, metadata, precision.dtype()));
            SafetensorsWriter.write(target, shapes, metadata, precision.dtype(), file::read);
            return shapes.values().stream().mapToLong(Shape::elements).sum();
        }
    }

    private static void requireRepresentable(Path source, String name, Tensor tensor, DType dtype) throws Failure {
        for (float value : tensor.data()) {
            if (!Float.isFinite(value))
                throw new Failure.Unreadable(source + ": " + SafeText.of(name) + " contains " + value
                        + "; the file is damaged, download it again");
            if (dtype == DType.F16 && Math.abs(value) > LARGEST_HALF)
                throw new Failure.Incompatible(source + ": " + SafeText.of(name) + ": " + value
                        + " is too large for half precision (at most " + LARGEST_HALF
                        + "); choose bfloat16 or float32");
        }
    }
}
