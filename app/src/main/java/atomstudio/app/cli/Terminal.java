package atomstudio.app.cli;

import atomstudio.diffusion.Quoted;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.util.Optional;
import java.util.function.Supplier;

/// Where commands speak: results go to standard output, everything that is only for a person's eyes to standard error.
///
/// Control codes that names and values of foreign files may have brought along are written as escapes.
///
/// One status line (a progress bar) can stand below the notes while a command works. Any thread.
public final class Terminal {
    private static final int WITHOUT_TERMINAL = 0;
    private static final int USUAL_COLUMNS = 80;

    private final PrintWriter out;
    private final PrintWriter err;
    private final int columns;
    private final Supplier<Optional<String>> lost;
    private int drawn;

    private Terminal(PrintWriter out, PrintWriter err, int columns, Supplier<Optional<String>> lost) {
        this.out = out;
        this.err = err;
        this.columns = columns;
        this.lost = lost;
    }

    /// The process's own streams. The launcher says in `atomstudio.columns` how wide standard error is, 0 if it is no terminal.
    public static Terminal ofProcess() {
        ResultStream results = new ResultStream(new FileOutputStream(FileDescriptor.out));
        PrintWriter out = new PrintWriter(new OutputStreamWriter(new BufferedOutputStream(results), System.out.charset()), true);
        return new Terminal(out, new PrintWriter(System.err, true), columnsOfProcess(), results::lost);
    }

    /// Streams that are no terminal: files, pipes, tests.
    public static Terminal plain(PrintWriter out, PrintWriter err) {
        return new Terminal(out, err, WITHOUT_TERMINAL, () -> out.checkError() ? Optional.of("an error") : Optional.empty());
    }

    /// Streams whose error side is a terminal of this width.
    public static Terminal interactive(PrintWriter out, PrintWriter err, int columns) {
        if (columns < 1) {
            throw new IllegalArgumentException("columns: expected at least 1, found " + columns);
        }
        return new Terminal(out, err, columns, Optional::empty);
    }

    /// Whether a status line can be drawn over.
    public boolean interactive() {
        return columns > WITHOUT_TERMINAL;
    }

    /// A line of the result, for a person or another program.
    public synchronized void result(String line) {
        erase();
        out.println(Quoted.printable(line));
        out.flush();
    }

    /// A line beside the result: what is being done, warnings, refusals.
    public synchronized void note(String line) {
        erase();
        err.println(Quoted.printable(line));
        err.flush();
    }

    /// Why something of the results could not be written, if it was so.
    synchronized Optional<String> lost() {
        out.flush();
        return lost.get();
    }

    /// Draws the status line over the last one; cut to the terminal's width. Nothing without a terminal.
    synchronized void status(String line) {
        if (!interactive()) {
            return;
        }
        String shown = Quoted.printable(line);
        String fitting = shown.length() < columns ? shown : shown.substring(0, columns - 1);
        err.print("\r" + fitting + " ".repeat(Math.max(0, drawn - fitting.length())));
        err.flush();
        drawn = fitting.length();
    }

    /// Takes the status line away.
    synchronized void clear() {
        erase();
    }

    PrintWriter out() {
        return out;
    }

    PrintWriter err() {
        return err;
    }

    private void erase() {
        if (drawn > 0) {
            err.print("\r" + " ".repeat(drawn) + "\r");
            err.flush();
            drawn = 0;
        }
    }

    private static int columnsOfProcess() {
        Integer told = Integer.getInteger("atomstudio.columns");
        if (told != null) {
            return Math.max(WITHOUT_TERMINAL, told);
        }
        return System.console() != null && System.console().isTerminal() ? USUAL_COLUMNS : WITHOUT_TERMINAL;
    }
}
