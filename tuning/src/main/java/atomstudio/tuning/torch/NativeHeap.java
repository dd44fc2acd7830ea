package atomstudio.tuning.torch;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// The C library's heap, in which PyTorch's arrays lie on the CPU.
final class NativeHeap {
    /// Activations at 64×64 pixels are larger.
    private static final int LARGE = 4 << 20;
    private static final int KEPT_FREE = 512 << 20;
    /// Source: glibc's malloc.h.
    private static final int M_TRIM_THRESHOLD = -1;
    private static final int M_MMAP_THRESHOLD = -3;

    private NativeHeap() {}

    /// From now on large blocks are mapped one by one, and given back when they are freed. Otherwise glibc learns to put them into its heap, where what
    /// lives long among what lives shortly leaves holes: half a gigabyte and more in a training step of a large model. It costs time, since their pages
    /// are made anew each time (docs/performance.md).
    /// Where the C library is another one nothing happens.
    static void mapLargeBlocks() {
        Linker linker = Linker.nativeLinker();
        linker.defaultLookup().find("mallopt").ifPresent(mallopt -> {
            call(linker, mallopt, M_MMAP_THRESHOLD, LARGE);
            call(linker, mallopt, M_TRIM_THRESHOLD, KEPT_FREE);                 // else, no longer learnt either, every freed top is given back
        });
    }

    private static void call(Linker linker, MemorySegment mallopt, int parameter, int value) {
        MethodHandle handle = linker.downcallHandle(mallopt, FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        try {
            int accepted = (int) handle.invokeExact(parameter, value);
            assert accepted == 1 : "mallopt refused " + parameter;
        } catch (Throwable e) {
            throw new IllegalStateException("mallopt(" + parameter + ", " + value + ")", e);
        }
    }
}
