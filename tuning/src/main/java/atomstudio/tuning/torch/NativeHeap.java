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

/// The C library's heap, which holds PyTorch's arrays on the CPU. Long-lived arrays between short-lived ones fragment
/// it: a training step of a large model can leave a gigabyte of holes, whose pages can be released. While Torch is
/// open, large blocks are allocated in the heap too: by default glibc maps every block above 32 MB separately, and the
/// kernel has to zero each of its pages. Does nothing if the C library is not glibc. One thread at a time.
final class NativeHeap {
    /// M_MMAP_THRESHOLD and M_TRIM_THRESHOLD: glibc's own, and while Torch is open.
    private static final int DEFAULT_MMAP_THRESHOLD = 32 << 20, DEFAULT_TRIM_THRESHOLD = 64 << 20,
            LARGE_MMAP_THRESHOLD = 1 << 30, LARGE_TRIM_THRESHOLD = Integer.MAX_VALUE;

    /// Functions of glibc 2.33 and later.
    /// @param mallinfo2 returns a struct of ten words
    /// @param mallopt   returns 1 on success
    private record Glibc(MethodHandle mallocTrim, MethodHandle mallinfo2, MethodHandle mallopt) {
        private static final MemoryLayout MALLINFO2_LAYOUT = MemoryLayout
                .structLayout(Collections.nCopies(10, ValueLayout.JAVA_LONG).toArray(MemoryLayout[]::new));
        /// hblkhd and uordblks: bytes in mapped blocks, and in blocks of the heap.
        private static final int MAPPED_FIELD = 4, HEAP_FIELD = 7;
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

        /// Both or neither: setting one disables glibc's dynamic adjustment of the other.
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
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment fields = (MemorySegment) mallinfo2.invokeExact((SegmentAllocator) arena);
                return fields.getAtIndex(ValueLayout.JAVA_LONG, MAPPED_FIELD)
                        + fields.getAtIndex(ValueLayout.JAVA_LONG, HEAP_FIELD);
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

    private final Optional<Glibc> cLibrary = Glibc.find().filter(_ -> ProcessMemory.anonymous() > 0);
    /// Peak bytes in use.
    private long peakUsed;
    private long lastCheck = System.nanoTime();
    /// Anonymous memory that is not of the heap, or cannot be released.
    private long otherBytes = cLibrary.map(glibc -> ProcessMemory.anonymous() - glibc.bytesInUse()).orElse(0L);

    /// [#trimIfNeeded] if the last time was more than [KernelThresholds#HEAP_CHECK_INTERVAL] ago: a small model has
    /// hundreds of segments in a second, and little memory in each.
    /// @param maxUnusedBytes of holes that may remain
    void trimIfDue(long maxUnusedBytes) {
        long now = System.nanoTime();
        if (now - lastCheck < KernelThresholds.HEAP_CHECK_INTERVAL.toNanos()) return;
        lastCheck = now;
        trimIfNeeded(maxUnusedBytes);
    }

    /// Releases holes if the process holds `maxUnusedBytes` more than the peak in use. Takes a fraction of a
    /// millisecond if there is nothing to do.
    void trimIfNeeded(long maxUnusedBytes) {
        cLibrary.ifPresent(glibc -> {
            long used = glibc.bytesInUse();
            peakUsed = Math.max(peakUsed, used);
            if (ProcessMemory.anonymous() - otherBytes - peakUsed <= maxUnusedBytes) return;
            glibc.releaseFreePages();
            otherBytes = ProcessMemory.anonymous() - used;
        });
    }

    /// Allocates large blocks in the heap until closed. Costs almost no time.
    void raiseThresholds() {
        cLibrary.ifPresent(glibc -> glibc.setThresholds(LARGE_MMAP_THRESHOLD, LARGE_TRIM_THRESHOLD));
    }

    /// Releases all holes.
    void trim() {
        cLibrary.ifPresent(Glibc::releaseFreePages);
    }

    /// Releases all holes and restores glibc's thresholds.
    void close() {
        cLibrary.ifPresent(glibc -> glibc.setThresholds(DEFAULT_MMAP_THRESHOLD, DEFAULT_TRIM_THRESHOLD));
        trim();
    }
}
