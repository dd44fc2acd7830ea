package atomstudio.diffusion;

import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// An error outside the program: in files, settings, devices or memory. The message names the thing, what was expected
/// and what was found, and is shown unchanged; control characters in it are escaped.
public abstract sealed class Failure extends Exception {
    private static final String PERMISSION_DENIED = "permission denied";

    private Failure(String message, @Nullable Throwable cause) {
        super(SafeText.escape(withReason(message, cause)), cause);
    }

    /// AccessDeniedException has only the path as its message, so the reason is added here.
    private static String withReason(String message, @Nullable Throwable cause) {
        Throwable reason = cause instanceof UncheckedIOException unchecked ? unchecked.getCause() : cause;
        if (!(reason instanceof AccessDeniedException) || message.toLowerCase(Locale.ROOT).contains(PERMISSION_DENIED))
            return message;
        return (message.endsWith(".") ? message.substring(0, message.length() - 1) : message) + ": " + PERMISSION_DENIED
                + " on this file or folder.";
    }

    /// A file or folder that is missing, damaged, or of another kind than expected.
    public static final class Unreadable extends Failure {
        public Unreadable(String message) {
            super(message, null);
        }

        public Unreadable(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /// Valid things that do not fit together: model, adapter, size, setting.
    public static final class Incompatible extends Failure {
        public Incompatible(String message) {
            super(message, null);
        }
    }

    /// Something exists and would be overwritten, or is in use by another process.
    public static final class Conflict extends Failure {
        public Conflict(String message) {
            super(message, null);
        }
    }

    /// Writing failed: disk full, no permission.
    public static final class Unwritable extends Failure {
        public Unwritable(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /// The selected device is not available.
    public static final class DeviceUnavailable extends Failure {
        public DeviceUnavailable(String message) {
            super(message, null);
        }

        public DeviceUnavailable(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /// The machine or the device ran out of memory.
    public static final class OutOfMemory extends Failure {
        public OutOfMemory(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /// A known setting or format that is not supported; there is no silent fallback.
    public static final class Unsupported extends Failure {
        public Unsupported(String message) {
            super(message, null);
        }
    }

    /// Training or sampling produced NaN or infinity.
    public static final class Diverged extends Failure {
        public Diverged(String message) {
            super(message, null);
        }
    }
}
