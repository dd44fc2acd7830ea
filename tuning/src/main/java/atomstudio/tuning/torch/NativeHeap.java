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
import java.util.stream.Stream;

/// The C library's heap, in which PyTorch's arrays lie on the CPU. What lives long lies there among what lives shortly, and the holes remain the process's
/// own: a gigabyte and more in a training step of a large model, of which whole pages can be given back. Between Torch's opening and its closing
/// large blocks lie there too: by itself the library maps every block above 32 MB anew, and each of its pages is made and emptied by the kernel.
/// Where the C library is not glibc nothing happens. One thread at a time.
final class NativeHeap {
    /// Pages that were given back are made anew when they are needed again, which costs time (docs/performance.md).
    private static final long KEPT = 384 << 20;

    /// From which size blocks are mapped by themselves, and from which the heap's end is given back without being asked: what the library comes to by
    /// itself, and while Torch is open.
    private static final int MAPPED_FROM = 32 << 20, END_KEPT = 64 << 20, LARGE_MAPPED_FROM = 1 << 30, LARGE_END_KEPT = Integer.MAX_VALUE;

    /// Functions of glibc 2.33 and later.
    /// @param info   `mallinfo2`, whose numbers are ten words
    /// @param option `mallopt`, one if it took the value
    private record Glibc(MethodHandle trim, MethodHandle info, MethodHandle option) {
        private static final MemoryLayout NUMBERS = MemoryLayout.structLayout(Collections.nCopies(10, ValueLayout.JAVA_LONG).toArray(MemoryLayout[]::new));
        /// hblkhd and uordblks: in blocks mapped by themselves, and in blocks of the heap.
        private static final int MAPPED = 4, HEAP = 7;
        /// M_MMAP_THRESHOLD and M_TRIM_THRESHOLD.
        private static final int THRESHOLD = -3, TRIM = -1;

        static Optional<Glibc> find() {
            Linker linker = Linker.nativeLinker();
            SymbolLookup library = linker.defaultLookup();
            if (Stream.of("malloc_trim", "mallinfo2", "mallopt").anyMatch(name -> library.find(name).isEmpty())) return Optional.empty();
            return Optional.of(new Glibc(linker.downcallHandle(library.findOrThrow("malloc_trim"), FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG)),
                    linker.downcallHandle(library.findOrThrow("mallinfo2"), FunctionDescriptor.of(NUMBERS)),
                    linker.downcallHandle(library.findOrThrow("mallopt"), FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT))));
        }

        /// Both or none: one alone would leave the other at its smallest.
        void thresholds(int mapped, int end) {
            try {
                if ((int) option.invokeExact(THRESHOLD, mapped) == 1) {
                    int _ = (int) option.invokeExact(TRIM, end);
                }
            } catch (Throwable e) {
                throw new IllegalStateException("mallopt", e);
            }
        }

        long used() {
            return info(MAPPED) + info(HEAP);
        }

        private long info(int field) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment numbers = (MemorySegment) info.invokeExact((SegmentAllocator) arena);
                return numbers.getAtIndex(ValueLayout.JAVA_LONG, field);
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

    /// Lets large blocks lie in the heap until it is closed. As good as free of cost.
    void open() {
        library.ifPresent(glibc -> glibc.thresholds(LARGE_MAPPED_FROM, LARGE_END_KEPT));
    }

    /// Gives back all holes.
    void giveBack() {
        library.ifPresent(Glibc::giveBack);
    }

    /// Gives back all holes, and leaves large blocks to the library again.
    void close() {
        library.ifPresent(glibc -> glibc.thresholds(MAPPED_FROM, END_KEPT));
        giveBack();
    }
}
