package atomstudio.diffusion;

import java.util.Locale;

/// Which memory limit caused an [OutOfMemoryError]; each has its own remedy.
public enum MemoryShortage {
    /// The heap reached its limit (`-Xmx`).
    HEAP("Java's heap of %d MB is full; use smaller or fewer images, or raise the limit with "
            + "JAVA_TOOL_OPTIONS=-Xmx4g"),
    /// Direct buffers reached their limit.
    DIRECT("Java's direct buffers reached their limit; use smaller images, or raise the limit with "
            + "JAVA_TOOL_OPTIONS=-XX:MaxDirectMemorySize=4g"),
    /// The operating system refused a new thread or its stack.
    THREAD("the operating system refused a new thread: the limit of processes (ulimit -u), of address space "
            + "(ulimit -v) or of the container is reached; raise it, or close other programs"),
    /// The operating system refused memory or address space for a mapping or a native allocation.
    SYSTEM("the operating system refused more memory, though Java's heap of %d MB is not full; close other programs, "
            + "or raise the limit of address space (ulimit -v) or of the container");

    private static final int MEGABYTE_BITS = 20;

    private final String message;

    MemoryShortage(String message) {
        this.message = message;
    }

    /// Classifies an error by the messages of OpenJDK 25.
    public static MemoryShortage of(OutOfMemoryError error) {
        String message = String.valueOf(error.getMessage()).toLowerCase(Locale.ROOT);
        if (message.contains("thread")) return THREAD;
        if (message.contains("direct buffer")) return DIRECT;
        if (message.contains("map failed") || message.contains("unable to allocate")) return SYSTEM;
        if (message.contains("swap space") || message.contains("metaspace") || message.contains("class space"))
            return SYSTEM;
        return HEAP;
    }

    /// The cause and the remedy, for display.
    public String message() {
        return message.formatted(Runtime.getRuntime().maxMemory() >> MEGABYTE_BITS);
    }
}
