package atomstudio.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MemoryShortageTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "HEAP|Java heap space",
            "HEAP|GC overhead limit exceeded",
            "HEAP|Requested array size exceeds VM limit",
            "THREAD|unable to create native thread: possibly out of memory or process/resource limits reached",
            "DIRECT|Cannot reserve 1048576 bytes of direct buffer memory (allocated: 0, limit: 1024)",
            "SYSTEM|Map failed",
            "SYSTEM|Unable to allocate 8589934592 bytes",
            "SYSTEM|Metaspace"})
    void detectsTheKindFromTheErrorMessage(MemoryShortage expected, String text) {
        assertEquals(expected, MemoryShortage.of(new OutOfMemoryError(text)));
    }

    @Test
    void realHeapErrorAndErrorWithoutMessageAreHeap() {
        OutOfMemoryError error = assertThrows(OutOfMemoryError.class,
                () -> System.out.println(new long[Integer.MAX_VALUE].length));
        assertEquals(MemoryShortage.HEAP, MemoryShortage.of(error));
        assertEquals(MemoryShortage.HEAP, MemoryShortage.of(new OutOfMemoryError()));
        assertTrue(MemoryShortage.HEAP.message().contains(Long.toString(Runtime.getRuntime().maxMemory() >> 20)));
    }
}
