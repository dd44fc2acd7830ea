package atomstudio.app.cli;

import atomstudio.app.jobs.Home;
import atomstudio.diffusion.Failure;
import java.util.concurrent.Callable;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// The program: a command, or the window where none is given.
@Command(
        name = "studio",
        description = "Personalizes Stable Diffusion by tuning the filter atoms of its convolutions.",
        synopsisSubcommandLabel = "[COMMAND]",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footer = {
            "",
            "Without a command the window opens.",
            "",
            "Examples:",
            "  studio",
            "  studio demo --out demo",
            "  studio generate --prompt \"a red apple on a table\" --out apple.png",
            "  studio tune --help"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:done", "1:failed or refused", "2:wrong usage", "130:cancelled"})
public final class Main implements Callable<Integer> {
    private final Studio studio;

    @Option(names = "--verbose", scope = CommandLine.ScopeType.INHERIT, description = "Show the stack trace of an unexpected error.")
    private boolean verbose;

    @Spec
    private CommandSpec spec;

    private Main(Studio studio) {
        this.studio = studio;
    }

    public static void main(String[] arguments) {
        Home home = Home.current();
        System.setProperty("atomstudio.log", home.log().toString());
        Terminal terminal = Terminal.ofProcess();
        StopSignal stop = new StopSignal(terminal, Runtime.getRuntime()::halt);
        stop.listen();
        System.exit(run(new Studio(home, terminal, stop), arguments));
    }

    /// Runs one command line and says how it ended.
    static int run(Studio studio, String... arguments) {
        Main main = new Main(studio);
        CommandLine line = new CommandLine(main)
                .setOut(studio.terminal().out())
                .setErr(studio.terminal().err())
                .setParameterExceptionHandler((wrong, given) -> main.refuse(wrong))
                .setExecutionExceptionHandler((exception, command, parsed) -> main.fail(exception));
        Commands.all(studio).forEach(line::addSubcommand);
        for (CommandLine command : line.getSubcommands().values()) {
            command.getCommandSpec().mixinStandardHelpOptions(true);
        }
        return line.setUsageHelpAutoWidth(false).setUsageHelpWidth(100).execute(arguments);
    }

    /// No command: the window.
    @Override
    public Integer call() {
        throw new ParameterException(spec.commandLine(), "the window is not built yet; name a command");
    }

    private int refuse(ParameterException wrong) {
        CommandLine command = wrong.getCommandLine();
        studio.terminal().note(wrong.getMessage());
        studio.terminal().note("See: " + command.getCommandSpec().qualifiedName() + " --help");
        return ExitCode.USAGE;
    }

    private int fail(Exception exception) {
        if (exception instanceof Failure failure) {
            studio.terminal().note(String.valueOf(failure.getMessage()));
        } else {
            LoggerFactory.getLogger(Main.class).error("unexpected", exception);
            studio.terminal().note("Unexpected error: " + exception + "; the stack trace is in " + studio.home().log());
        }
        if (verbose) {
            exception.printStackTrace(studio.terminal().err());
        }
        return ExitCode.FAILED;
    }
}
