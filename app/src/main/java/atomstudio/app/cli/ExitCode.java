package atomstudio.app.cli;

/// Exit codes of the commands.
public final class ExitCode {
    public static final int SUCCESS = 0;
    public static final int FAILED = 1;
    /// The command line was wrong.
    public static final int USAGE = 2;
    /// `verify` only: every supported tensor agrees, and the file contains something that is not supported.
    public static final int UNSUPPORTED = 3;
    /// `benchmark` and `experiment`: runs are missing, and the same command continues (EX_TEMPFAIL of sysexits.h).
    public static final int RESUMABLE = 75;
    /// Ctrl-C, SIGTERM, or `stop` on standard input.
    public static final int CANCELLED = 130;

    private ExitCode() {}
}
