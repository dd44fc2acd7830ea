package atomstudio.tuning.torch;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Collections;
import java.util.Optional;

/// The C library's heap, in which PyTorch's arrays lie on the CPU. What lives long lies there among what lives shortly, and the holes remain the process's
/// own: a gigabyte and more in a training step of a large model, of which whole pages can be given back.
/// Where the C library is not glibc nothing happens. One thread at a time.
final class NativeHeap {
    /// Pages that were given back are made anew when they are needed again, which costs time (docs/performance.md).
    private static final long KEPT = 384 << 20;

    /// Functions of glibc 2.33 and later.
    /// @param info `mallinfo2`, whose numbers are ten words
    private record Glibc(MethodHandle trim, MethodHandle info) {
        private static final MemoryLayout NUMBERS = MemoryLayout.structLayout(Collections.nCopies(10, ValueLayout.JAVA_LONG).toArray(MemoryLayout[]::new));
        /// hblkhd and uordblks: in blocks mapped by themselves, and in blocks of the heap.
        private static final int MAPPED = 4, HEAP = 7;

        static Optional<Glibc> find() {
            Linker linker = Linker.nativeLinker();
            SymbolLookup library = linker.defaultLookup();
            return library.find("malloc_trim").flatMap(trim -> library.find("mallinfo2").map(info -> new Glibc(
                    linker.downcallHandle(trim, FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG)), linker.downcallHandle(info, FunctionDescriptor.of(NUMBERS)))));
        }

        long used() {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment numbers = (MemorySegment) info.invokeExact((SegmentAllocator) arena);
                return numbers.getAtIndex(ValueLayout.JAVA_LONG, MAPPED) + numbers.getAtIndex(ValueLayout.JAVA_LONG, HEAP);
            } catch (Throwable e) {
                throw new IllegalStateException("mallinfo2", e);
            }
        }

        void giveBack() {
            try {
                int _ = (int) trim.invokeExact(0L);
            } catch (Throwable e) {
                throw new IllegalStateException("malloc_trim", e);
            }
        }
    }

    private final long kept;
    private final Optional<Glibc> library = Glibc.find().filter(_ -> ProcessMemory.anonymous() > 0);
    /// Bytes in use when most were.
    private long most;
    /// Anonymous memory of others, or that cannot be given back.
    private long others = library.map(glibc -> ProcessMemory.anonymous() - glibc.used()).orElse(0L);

    NativeHeap() {
        this(KEPT);
    }

    /// @param kept bytes of holes that may remain
    NativeHeap(long kept) {
        this.kept = kept;
    }

    /// Gives holes back once the process has that much more than ever was in use. A fraction of a millisecond where there is nothing to do.
    void tidy() {
        library.ifPresent(glibc -> {
            long used = glibc.used();
            most = Math.max(most, used);
            if (ProcessMemory.anonymous() - others - most <= kept) return;
            glibc.giveBack();
            others = ProcessMemory.anonymous() - used;
        });
    }

    /// Gives back all holes.
    void giveBack() {
        library.ifPresent(Glibc::giveBack);
    }
}
