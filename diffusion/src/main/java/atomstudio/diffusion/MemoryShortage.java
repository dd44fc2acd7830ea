package atomstudio.diffusion;

import java.util.Locale;
import java.util.stream.Stream;

/// The kind of memory that ran out. Java throws one error for several, which have different remedies.
public enum MemoryShortage {
    /// The heap reached its limit (`-Xmx`).
    HEAP("the Java heap of %d MB is full; use smaller or fewer images, or a larger heap with "
            + "JAVA_TOOL_OPTIONS=-Xmx4g"),
    /// Direct buffers outside the heap reached their limit.
    DIRECT("Java's direct memory is full; use smaller images, or a higher limit with "
            + "JAVA_TOOL_OPTIONS=-XX:MaxDirectMemorySize=4g"),
    /// The system cannot create another thread.
    THREAD("the system cannot create another thread: the limit of processes (ulimit -u), of address space (ulimit -v) "
            + "or of the container is reached; raise it, or close other programs"),
    /// The system cannot provide memory or address space for a mapping or a native allocation.
    SYSTEM("the system is out of memory, although the Java heap of %d MB is not full; close other programs, or raise "
            + "the limit of address space (ulimit -v) or of the container");

    private static final int MEGABYTE_BITS = 20;

    private final String message;

    MemoryShortage(String message) {
        this.message = message;
    }

    /// By the messages of OpenJDK 25.
    public static MemoryShortage of(OutOfMemoryError error) {
        String message = String.valueOf(error.getMessage()).toLowerCase(Locale.ROOT);
        if (message.contains("thread")) return THREAD;
        if (message.contains("direct buffer")) return DIRECT;
        boolean isSystem = Stream.of("map failed", "unable to allocate", "swap space", "metaspace", "class space")
                .anyMatch(message::contains);
        return isSystem ? SYSTEM : HEAP;
    }

    /// The cause and the remedy.
    public String message() {
        return message.formatted(Runtime.getRuntime().maxMemory() >> MEGABYTE_BITS);
    }
}
