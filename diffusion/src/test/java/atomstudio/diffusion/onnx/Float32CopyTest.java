package atomstudio.diffusion.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.WeightLocation;
import atomstudio.diffusion.model.WeightLocation.KeyMapping;
import atomstudio.diffusion.tensor.DType;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class Float32CopyTest {
    @TempDir
    Path folder;

    private Checkpoint checkpoint(DType dtype) throws Exception {
        // More than one chunk, and values that float16 and bfloat16 hold exactly, one subnormal and one infinite.
        float[] many = new float[300_000];
        for (int i = 0; i < many.length; i++) many[i] = i % 256 - 128;
        many[299_999] = Float.POSITIVE_INFINITY;
        Map<String, Tensor> tensors = Map.of("b.weight", new Tensor(Shape.of(300, 1000), many), "a.bias",
                new Tensor(Shape.of(3), new float[] {0x1p-24f, -0.0f, 1.5f}));
        Path file = folder.resolve(dtype + ".safetensors");
        Files.write(file, SafetensorsWriter.toBytes(tensors, Map.of(), dtype));
        return Checkpoint.open(new WeightLocation.InFile(file, KeyMapping.renaming(UnaryOperator.identity())));
    }

    @ParameterizedTest @EnumSource(names = {"F16", "BF16"})
    void copyHasTheSameValuesInFloat32(DType dtype) throws Exception {
        Path copies = folder.resolve("copies");
        try (Checkpoint half = checkpoint(dtype)) {
            try (Float32Copy copy = Float32Copy.of(half, copies).orElseThrow()) {
                for (String key : half.keys()) {
                    assertEquals(DType.F32, copy.checkpoint().info(key).dtype());
                    assertEquals(half.info(key).shape(), copy.checkpoint().info(key).shape());
                    assertArrayEquals(half.read(key).data(), copy.checkpoint().read(key).data(), key);
                }
            }
            try (Stream<Path> left = Files.list(copies)) {
                assertEquals(0, left.count());
            }
        }
    }

    @Test
    void float32FilesAreNotCopied() throws Exception {
        try (Checkpoint full = checkpoint(DType.F32)) {
            assertTrue(Float32Copy.of(full, folder.resolve("copies")).isEmpty());
        }
    }
}
