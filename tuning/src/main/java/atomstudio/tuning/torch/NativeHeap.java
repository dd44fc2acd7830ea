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

/// The C library's heap, in which PyTorch's arrays lie on the CPU. What lives long lies there among what lives
/// shortly, and the holes remain the process's own: a gigabyte and more in a training step of a large model, of which
/// whole pages can be given back. Between Torch's opening and its closing large blocks lie there too: by itself the
/// library maps every block above 32 MB anew, and each of its pages is made and emptied by the kernel. Where the C
/// library is not glibc nothing happens. One thread at a time.
final class NativeHeap {
    /// Pages that were given back are made anew when they are needed again, which costs time (docs/performance.md).
    private static final long MAX_UNUSED_BYTES = 384 << 20;

    /// From which size blocks are mapped by themselves, and from which the heap's end is given back without being
    /// asked: what the library comes to by itself, and while Torch is open.
    private static final int DEFAULT_MMAP_THRESHOLD = 32 << 20, DEFAULT_TRIM_THRESHOLD = 64 << 20,
            LARGE_MMAP_THRESHOLD = 1 << 30, LARGE_TRIM_THRESHOLD = Integer.MAX_VALUE;

    /// Functions of glibc 2.33 and later.
    /// @param mallinfo2   `mallinfo2`, whose numbers are ten words
    /// @param mallopt `mallopt`, one if it took the value
    private record Glibc(MethodHandle mallocTrim, MethodHandle mallinfo2, MethodHandle mallopt) {
        private static final MemoryLayout MALLINFO2_LAYOUT = MemoryLayout
                .structLayout(Collections.nCopies(10, ValueLayout.JAVA_LONG).toArray(MemoryLayout[]::new));
        /// hblkhd and uordblks: in blocks mapped by themselves, and in blocks of the heap.
        private static final int MAPPED_FIELD = 4, HEAP_FIELD = 7;
        /// M_MMAP_THRESHOLD and M_TRIM_THRESHOLD.
        private static final int M_MMAP_THRESHOLD = -3, M_TRIM_THRESHOLD = -1;

        static Optional<Glibc> find() {
            Linker linker = Linker.nativeLinker();
            SymbolLookup library = linker.defaultLookup();
            if (Stream.of("malloc_trim", "mallinfo2", "mallopt").anyMatch(name -> library.find(name).isEmpty()))
                return Optional.empty();
            return Optional.of(new Glibc(
                    linker.downcallHandle(library.findOrThrow("malloc_trim"),
                            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG)),
                    linker.downcallHandle(library.findOrThrow("mallinfo2"), FunctionDescriptor.of(MALLINFO2_LAYOUT)),
                    linker.downcallHandle(library.findOrThrow("mallopt"),
                            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT))));
        }

        /// Both or none: one alone would leave the other at its smallest.
        void setThresholds(int mmapThreshold, int trimThreshold) {
            try {
                if ((int) mallopt.invokeExact(M_MMAP_THRESHOLD, mmapThreshold) == 1) {
                    int _ = (int) mallopt.invokeExact(M_TRIM_THRESHOLD, trimThreshold);
                }
            } catch (Throwable e) {
                throw new IllegalStateException("mallopt", e);
            }
        }

        long bytesInUse() {
            return mallinfo2(MAPPED_FIELD) + mallinfo2(HEAP_FIELD);
        }

        private long mallinfo2(int field) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment fields = (MemorySegment) mallinfo2.invokeExact((SegmentAllocator) arena);
                return fields.getAtIndex(ValueLayout.JAVA_LONG, field);
            } catch (Throwable e) {
                throw new IllegalStateException("mallinfo2", e);
            }
        }

        void releaseFreePages() {
            try {
                int _ = (int) mallocTrim.invokeExact(0L);
            } catch (Throwable e) {
                throw new IllegalStateException("malloc_trim", e);
            }
        }
    }

    private final long maxUnusedBytes;
    private final Optional<Glibc> cLibrary = Glibc.find().filter(_ -> ProcessMemory.anonymous() > 0);
    /// Bytes in use when most were.
    private long peakUsed;
    /// Anonymous memory of others, or that cannot be given back.
    private long otherBytes = cLibrary.map(glibc -> ProcessMemory.anonymous() - glibc.bytesInUse()).orElse(0L);

    NativeHeap() {
        this(MAX_UNUSED_BYTES);
    }

    /// @param maxUnusedBytes bytes of holes that may remain
    NativeHeap(long maxUnusedBytes) {
        this.maxUnusedBytes = maxUnusedBytes;
    }

    /// Gives holes back once the process has that much more than ever was in use. A fraction of a millisecond where
    /// there is nothing to do.
    void trimIfNeeded() {
        cLibrary.ifPresent(glibc -> {
            long used = glibc.bytesInUse();
            peakUsed = Math.max(peakUsed, used);
            if (ProcessMemory.anonymous() - otherBytes - peakUsed <= maxUnusedBytes) return;
            glibc.releaseFreePages();
            otherBytes = ProcessMemory.anonymous() - used;
        });
    }

    /// Lets large blocks lie in the heap until it is closed. As good as free of cost.
    void raiseThresholds() {
        cLibrary.ifPresent(glibc -> glibc.setThresholds(LARGE_MMAP_THRESHOLD, LARGE_TRIM_THRESHOLD));
    }

    /// Gives back all holes.
    void trim() {
        cLibrary.ifPresent(Glibc::releaseFreePages);
    }

    /// Gives back all holes, and leaves large blocks to the library again.
    void close() {
        cLibrary.ifPresent(glibc -> glibc.setThresholds(DEFAULT_MMAP_THRESHOLD, DEFAULT_TRIM_THRESHOLD));
        trim();
    }
}
