package atomstudio.diffusion;

import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// What can go wrong in the user's world: what happened, to which thing, what to do next. The message is shown as it
/// is, with the control codes that names and values of foreign files may have brought into it written as escapes.
public abstract sealed class Failure extends Exception {
    private static final String PERMISSION_DENIED = "permission denied";

    private Failure(String message, @Nullable Throwable cause) {
        super(SafeText.escape(withReason(message, cause)), cause);
    }

    /// Java's own exception for missing rights has nothing but the path for a message, so the reason is added here,
    /// for every file.
    private static String withReason(String message, @Nullable Throwable cause) {
        Throwable reason = cause instanceof UncheckedIOException unchecked ? unchecked.getCause() : cause;
        if (!(reason instanceof AccessDeniedException) || message.toLowerCase(Locale.ROOT).contains(PERMISSION_DENIED))
            return message;
        return (message.endsWith(".") ? message.substring(0, message.length() - 1) : message) + ": " + PERMISSION_DENIED
                + " on this file or folder.";
    }

    /// A file or folder that is missing, damaged, or not what it should be.
    public static final class Unreadable extends Failure {
        public Unreadable(String message) {
            super(message, null);
        }

        public Unreadable(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /// Things that are fine by themselves and do not fit together: model, adapter, size, setting.
    public static final class Incompatible extends Failure {
        public Incompatible(String message) {
            super(message, null);
        }
    }

    /// Something that exists and would have been overwritten, or is in use by another process.
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

    /// The device asked for is not there.
    public static final class DeviceUnavailable extends Failure {
        public DeviceUnavailable(String message) {
            super(message, null);
        }

        public DeviceUnavailable(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /// The machine's or the device's memory did not suffice.
    public static final class OutOfMemory extends Failure {
        public OutOfMemory(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /// Something that this program knows of and cannot do yet; never run some other way instead.
    public static final class Unsupported extends Failure {
        public Unsupported(String message) {
            super(message, null);
        }
    }

    /// Training or sampling left the numbers: NaN or infinity.
    public static final class Diverged extends Failure {
        public Diverged(String message) {
            super(message, null);
        }
    }
}
