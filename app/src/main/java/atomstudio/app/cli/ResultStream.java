package atomstudio.app.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Standard output that remembers why it could not be written: Java's own print streams only say that something was lost.
final class ResultStream extends OutputStream {
    private final OutputStream out;
    private volatile @Nullable IOException failure;

    ResultStream(OutputStream out) {
        this.out = out;
    }

    @Override public void write(int value) throws IOException {
        write(new byte[] {(byte) value}, 0, 1);
    }

    @Override public void write(byte[] bytes, int from, int length) throws IOException {
        try {
            out.write(bytes, from, length);
        } catch (IOException e) {
            failure = e;
            throw e;
        }
    }

    @Override public void flush() throws IOException {
        out.flush();
    }

    /// Why something of a result was lost. A reader that closed its end has seen enough, as `| head` has.
    Optional<String> writeFailure() {
        IOException error = failure;
        if (error == null || String.valueOf(error.getMessage()).toLowerCase(Locale.ROOT).contains("broken pipe")) return Optional.empty();
        return Optional.of(String.valueOf(error.getMessage()));
    }
}
