package atomstudio.diffusion;

import java.util.Locale;

/// What of its memory Java ran out of. It throws one error for several things that have different remedies.
public enum MemoryShortage {
    /// The heap reached its bound (`-Xmx`).
    HEAP("Java's heap of %d MB is full; ask for smaller or fewer images, or give it more with JAVA_TOOL_OPTIONS=-Xmx4g"),
    /// A buffer outside the heap would pass its own bound.
    DIRECT("Java's buffers outside its heap reached their bound; ask for smaller images, or give them more with JAVA_TOOL_OPTIONS=-XX:MaxDirectMemorySize=4g"),
    /// The system refused another thread, or its stack.
    THREAD("the system refused another thread: its limit of processes (ulimit -u), of address space (ulimit -v) or of the container is reached; raise it, or end other programs"),
    /// The system refused memory or address space to a map or a native allocation.
    SYSTEM("the system refused more memory, though Java's heap of %d MB is not full; end other programs, or raise the limit of address space (ulimit -v) or of the container");

    private static final int MEGABYTE_BITS = 20;

    private final String message;

    MemoryShortage(String message) {
        this.message = message;
    }

    /// By the texts of OpenJDK 25.
    public static MemoryShortage of(OutOfMemoryError error) {
        String message = String.valueOf(error.getMessage()).toLowerCase(Locale.ROOT);
        if (message.contains("thread")) return THREAD;
        if (message.contains("direct buffer")) return DIRECT;
        if (message.contains("map failed") || message.contains("unable to allocate") || message.contains("swap space") || message.contains("metaspace") || message.contains("class space")) return SYSTEM;
        return HEAP;
    }

    /// What happened, and what to do.
    public String message() {
        return message.formatted(Runtime.getRuntime().maxMemory() >> MEGABYTE_BITS);
    }
}
