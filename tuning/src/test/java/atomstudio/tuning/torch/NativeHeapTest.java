package atomstudio.tuning.torch;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.lang.foreign.Linker;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Frees megabyte arrays between others that stay, which leaves holes.
final class NativeHeapTest {
    private static final long MEGABYTE = 1 << 20;
    private static final long LIMIT = 16 * MEGABYTE;
    private static final int ARRAYS = 96;

    @BeforeEach
    void isGlibc() {
        assumeTrue(Linker.nativeLinker().defaultLookup().find("mallinfo2").isPresent() && ProcessMemory.anonymous() > 0,
                "skipped: not glibc's heap");
    }

    @Test
    void releasesHoles() throws Exception {
        withHoles(_ -> {}, heap -> {
            long before = ProcessMemory.anonymous();
            heap.trimIfNeeded(LIMIT);
            assertReleased(before, true);
        });
    }

    @Test
    void memoryUpToThePeakIsNotAHole() throws Exception {
        withHoles(heap -> heap.trimIfNeeded(LIMIT), heap -> {
            long before = ProcessMemory.anonymous();
            heap.trimIfNeeded(LIMIT);
            assertReleased(before, false);
            heap.trim();
            assertReleased(before, true);
        });
    }

    /// Most of the arrays' bytes, or few of them.
    private static void assertReleased(long before, boolean expected) {
        long released = (before - ProcessMemory.anonymous()) / MEGABYTE;
        assertTrue(expected ? released > ARRAYS / 2 : released < ARRAYS / 4,
                released + " MB of " + ARRAYS + " released");
    }

    private static void withHoles(Consumer<NativeHeap> full, Consumer<NativeHeap> then) throws Exception {
        try (Torch torch = Torch.open(Device.CPU, TorchSettings.standard()); TorchScope _ = torch.scope(GradMode.OFF)) {
            NativeHeap heap = new NativeHeap();
            heap.trim(); // left by other tests
            heap.trimIfNeeded(LIMIT);
            List<NDArray> passing = new ArrayList<>();
            for (int i = 0; i < ARRAYS; i++) {
                passing.add(torch.array(Tensor.filled(Shape.of(MEGABYTE / 4), 1)));
                torch.array(Tensor.filled(Shape.of(MEGABYTE / 4), 1)); // too large for the holes
            }
            full.accept(heap);
            passing.forEach(NDArray::close);
            then.accept(heap);
        }
    }
}
