package atomstudio.app.cli;

import atomstudio.diffusion.SafeText;
import atomstudio.tuning.config.SettingTable;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Output of the commands: results go to standard output, notes and progress to standard error.
///
/// Control characters, which names and values in files may contain, are escaped. One status line (a progress bar) is
/// shown below the notes. Thread-safe.
public final class Terminal {
    private static final int NO_TERMINAL = 0;
    private static final int DEFAULT_COLUMNS = 80;

    private final PrintWriter out;
    private final PrintWriter err;
    private final int columns;
    private final Supplier<Optional<String>> writeFailure;
    private int statusLength;

    private Terminal(PrintWriter out, PrintWriter err, int columns, Supplier<Optional<String>> writeFailure) {
        this.out = out;
        this.err = err;
        this.columns = columns;
        this.writeFailure = writeFailure;
    }

    /// The streams of the process. The launcher sets `atomstudio.columns` to the width of standard error, 0 if it is
    /// not a terminal.
    public static Terminal ofProcess() {
        ResultStream resultStream = new ResultStream(new FileOutputStream(FileDescriptor.out));
        PrintWriter out = new PrintWriter(
                new OutputStreamWriter(new BufferedOutputStream(resultStream), System.out.charset()), true);
        return new Terminal(out, new PrintWriter(System.err, true), detectColumns(), resultStream::writeFailure);
    }

    /// Streams other than a terminal: files, pipes, tests.
    public static Terminal plain(PrintWriter out, PrintWriter err) {
        return new Terminal(out, err, NO_TERMINAL, () -> out.checkError() ? Optional.of("an error") : Optional.empty());
    }

    /// Streams with a terminal of this width as standard error.
    public static Terminal interactive(PrintWriter out, PrintWriter err, int columns) {
        if (columns < 1) {
            throw new IllegalArgumentException("columns: expected at least 1, found " + columns);
        }
        return new Terminal(out, err, columns, Optional::empty);
    }

    /// Whether a status line can be redrawn.
    public boolean interactive() {
        return columns > NO_TERMINAL;
    }

    /// Prints a line of the result.
    public synchronized void printResult(String line) {
        eraseStatus();
        out.println(SafeText.escape(line));
        out.flush();
    }

    /// Prints progress, a warning or an error.
    public synchronized void printNote(String line) {
        eraseStatus();
        err.println(SafeText.escape(SettingTable.nameOptions(line)));
        err.flush();
    }

    /// Why a result could not be written; empty if everything was written.
    synchronized Optional<String> writeFailure() {
        out.flush();
        return writeFailure.get();
    }

    /// Replaces the status line, cut to the terminal's width. Does nothing without a terminal.
    synchronized void showStatus(String line) {
        if (!interactive()) {
            return;
        }
        String printable = SafeText.escape(line);
        String visible = printable.length() < columns ? printable : printable.substring(0, columns - 1);
        err.print("\r" + visible + " ".repeat(Math.max(0, statusLength - visible.length())));
        err.flush();
        statusLength = visible.length();
    }

    /// Removes the status line.
    synchronized void clearStatus() {
        eraseStatus();
    }

    PrintWriter out() {
        return out;
    }

    PrintWriter err() {
        return err;
    }

    private void eraseStatus() {
        if (statusLength > 0) {
            err.print("\r" + " ".repeat(statusLength) + "\r");
            err.flush();
            statusLength = 0;
        }
    }

    private static int detectColumns() {
        Integer declared = Integer.getInteger("atomstudio.columns");
        if (declared != null) {
            return Math.max(NO_TERMINAL, declared);
        }
        return System.console() != null && System.console().isTerminal() ? DEFAULT_COLUMNS : NO_TERMINAL;
    }

    /// Standard output that keeps the reason of a write failure, which Java's print streams do not.
    static final class ResultStream extends OutputStream {
        private final OutputStream out;
        private volatile @Nullable IOException failure;

        ResultStream(OutputStream out) {
            this.out = out;
        }

        @Override
        public void write(int value) throws IOException {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int from, int length) throws IOException {
            try {
                out.write(bytes, from, length);
            } catch (IOException e) {
                failure = e;
                throw e;
            }
        }

        @Override
        public void flush() throws IOException {
            out.flush();
        }

        /// Why a result was not written. A broken pipe is not a failure: `| head` closes its end early.
        Optional<String> writeFailure() {
            IOException error = failure;
            if (error == null || String.valueOf(error.getMessage()).toLowerCase(Locale.ROOT).contains("broken pipe"))
                return Optional.empty();
            return Optional.of(String.valueOf(error.getMessage()));
        }
    }
}
