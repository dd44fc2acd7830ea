package atomstudio.app.cli;

/// How a command ended, as scripts see it.
public final class ExitCode {
    public static final int SUCCESS = 0;
    /// Failed, or refused to begin.
    public static final int FAILED = 1;
    /// The command line itself was wrong.
    public static final int USAGE = 2;
    /// `verify` only: everything that is built agrees, and the file has something in it that is not built yet.
    public static final int UNSUPPORTED = 3;
    /// Ctrl-C, SIGTERM, or `stop` on standard input.
    public static final int CANCELLED = 130;

    private ExitCode() {}
}
