package atomstudio.diffusion;

import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// An error the user can act on: the message states what failed and on which file or setting. What to do next, where it
/// differs between command line and window, is a value. Control codes from names and values in untrusted files are
/// escaped.
public abstract sealed class Failure extends Exception {
    private static final String PERMISSION_DENIED = "permission denied";

    /// What would help. The command line and the window each have their own words for it.
    public enum Remedy {
        CHOOSE_MODEL, USE_AS_ADAPTER, USE_AS_AUTOENCODER, USE_AS_PREVIEW_DECODER, GIVE_AUTOENCODER, GIVE_TOKENIZER,
        CHOOSE_OTHER_FILE, USE_CPU
    }

    private final transient List<Remedy> remedies;

    private Failure(String message, @Nullable Throwable cause, Remedy... remedies) {
        super(SafeText.escape(withReason(message, cause)), cause);
        this.remedies = List.of(remedies);
    }

    /// Empty if the message has everything.
    public List<Remedy> remedies() {
        return remedies;
    }

    /// The message of [AccessDeniedException] is only the path, so the reason is appended here.
    private static String withReason(String message, @Nullable Throwable cause) {
        Throwable reason = cause instanceof UncheckedIOException unchecked ? unchecked.getCause() : cause;
        if (!(reason instanceof AccessDeniedException) || message.toLowerCase(Locale.ROOT).contains(PERMISSION_DENIED))
            return message;
        return (message.endsWith(".") ? message.substring(0, message.length() - 1) : message) + ": " + PERMISSION_DENIED
                + " on this file or folder.";
    }

    /// A file or folder that is missing, damaged or of the wrong format.
    public static final class Unreadable extends Failure {
        public Unreadable(String message, Remedy... remedies) {
            super(message, null, remedies);
        }

        public Unreadable(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /// Valid inputs that do not fit together: model, adapter, size, setting.
    public static final class Incompatible extends Failure {
        public Incompatible(String message, Remedy... remedies) {
            super(message, null, remedies);
        }
    }

    /// A target that already exists, or is in use by another process.
    public static final class Conflict extends Failure {
        public Conflict(String message, Remedy... remedies) {
            super(message, null, remedies);
        }
    }

    /// A write that failed: disk full, no permission.
    public static final class Unwritable extends Failure {
        public Unwritable(String message) {
            super(message, null);
        }

        public Unwritable(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /// A requested device that is not available.
    public static final class DeviceUnavailable extends Failure {
        public DeviceUnavailable(String message, Remedy... remedies) {
            super(message, null, remedies);
        }

        public DeviceUnavailable(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /// Host or device memory ran out.
    public static final class OutOfMemory extends Failure {
        public OutOfMemory(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /// A known feature that is not implemented; it is rejected rather than approximated.
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

    /// A server that cannot be reached, refuses a request, or sends something else than expected. What to do next
    /// depends on the reason, and the command line and the window each add it in their own terms.
    public static final class Remote extends Failure {
        public enum Reason {
            /// No connection, or it broke repeatedly.
            NO_CONNECTION,
            /// The server is overloaded or limits requests.
            BUSY,
            NOT_FOUND,
            /// Visible only with an access token.
            TOKEN_REQUIRED,
            TOKEN_INVALID,
            /// The token's account has no access.
            ACCESS_DENIED,
            /// Not the protocol: a web page, another length, another checksum.
            UNEXPECTED_ANSWER
        }

        private final Reason reason;

        public Remote(Reason reason, String message) {
            super(message, null);
            this.reason = reason;
        }

        public Remote(Reason reason, String message, Throwable cause) {
            super(message, cause);
            this.reason = reason;
        }

        public Reason reason() {
            return reason;
        }
    }
}
