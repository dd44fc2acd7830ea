package atomstudio.app.cli;

import atomstudio.app.jobs.Home;
import atomstudio.app.jobs.Natives;
import atomstudio.app.window.WindowLauncher;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shortage;
import atomstudio.diffusion.file.StudioFolder;
import atomstudio.diffusion.file.TemporaryPath;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

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
    private final Preparation preparation;

    @Option(names = "--verbose", scope = CommandLine.ScopeType.INHERIT, description = "Show stack traces of errors.")
    private boolean verbose;

    private Main(Studio studio, Preparation preparation) {
        this.studio = studio;
        this.preparation = preparation;
    }

    public static void main(String[] arguments) {
        // Decoding pictures must not look for a display; JavaFX does not care.
        System.setProperty("java.awt.headless", "true");
        Locale.setDefault(Locale.ENGLISH);          // as the program's texts: 86,016 and 0.5 wherever it runs
        Home home = Home.current();
        System.setProperty("atomstudio.log", home.log().toString());
        System.setProperty(StudioFolder.PROPERTY, home.folder().toString());
        home.protect();
        Terminal terminal = Terminal.ofProcess();
        StopSignal stop = new StopSignal(terminal, Main::end);
        stop.listen();
        TemporaryPath.sweep();
        System.exit(run(new Studio(home, terminal, stop), Natives::prepare, arguments));
    }

    /// Ends the process at a signal: threads that still work would find their libraries closed otherwise.
    private static void end(int code) {
        TemporaryPath.removeOwn();
        Runtime.getRuntime().halt(code);
    }

    /// Runs one command line and says how it ended.
    ///
    /// @param preparation what is done before a command that needs native libraries
    static int run(Studio studio, Preparation preparation, String... arguments) {
        Main main = new Main(studio, preparation);
        CommandLine line = new CommandLine(main);
        Commands.all(studio).forEach(line::addSubcommand);
        for (CommandLine command : line.getSubcommands().values()) {
            command.getCommandSpec().mixinStandardHelpOptions(true);
            // An option that takes several values can only end where the next option begins.
            boolean several = command.getCommandSpec().options().stream().anyMatch(option -> option.arity().max() > 1);
            command.setAllowOptionsAsOptionParameters(!several);
        }
        Optional<ForgottenValue> forgotten = ForgottenValue.in(line, arguments);
        if (forgotten.isPresent()) return main.refuse(new ParameterException(forgotten.get().command(), forgotten.get().message()));
        // A prompt or class word is a text, whatever it looks like: never a file of further arguments, another option or a command.
        int code = line.setExpandAtFiles(false)
                .setAllowSubcommandsAsOptionParameters(true)
                .setOut(studio.terminal().out())
                .setErr(studio.terminal().err())
                .setUsageHelpWidth(100)
                .setExecutionStrategy(main::execute)
                .setParameterExceptionHandler((wrong, given) -> main.refuse(wrong))
                .setExecutionExceptionHandler((exception, command, parsed) -> main.fail(exception))
                .execute(arguments);
        return code == ExitCode.DONE ? main.delivered() : code;
    }

    /// What was asked for is done only if its result arrived.
    private int delivered() {
        Optional<String> lost = studio.terminal().lost();
        lost.ifPresent(why -> studio.terminal().note("studio: standard output: the result cannot be written: " + why));
        return lost.isPresent() ? ExitCode.FAILED : ExitCode.DONE;
    }

    /// No command: the window.
    @Override
    public Integer call() throws Failure {
        return WindowLauncher.open(new String[0]);
    }

    private int execute(ParseResult parsed) {
        Integer helped = CommandLine.executeHelpRequest(parsed);
        if (helped != null) {
            return helped;
        }
        Object command = parsed.asCommandLineList().getLast().getCommand();
        if (!(command instanceof WithoutNatives)) {
            try {
                studio.home().prepareLog();
                preparation.prepare(studio.home());
            } catch (Failure failure) {
                return fail(failure);
            }
        }
        try {
            return new CommandLine.RunLast().execute(parsed);
        } catch (OutOfMemoryError full) {
            return fail(new Failure.OutOfMemory(Shortage.of(full).words(), full));
        } catch (InternalError shrank) {
            return fail(new Failure.Unreadable("a file shrank, or its disk failed, while it was read; try again when nothing writes to it any more", shrank));
        } catch (StackOverflowError | AssertionError | LinkageError unexpected) {
            return fail(unexpected);
        }
    }

    private int refuse(ParameterException wrong) {
        CommandLine command = wrong.getCommandLine();
        studio.terminal().note("studio: " + wrong.getMessage());
        UnmatchedArgumentException.printSuggestions(wrong, studio.terminal().err());
        studio.terminal().note("See: " + command.getCommandSpec().qualifiedName() + " --help");
        return ExitCode.USAGE;
    }

    private int fail(Throwable exception) {
        if (exception instanceof Failure failure) {
            studio.terminal().note("studio: " + failure.getMessage());
        } else {
            studio.home().prepareLog();
            LoggerFactory.getLogger(Main.class).error("unexpected", exception);
            studio.terminal().note("studio: unexpected error: " + exception + "; its stack trace is in " + studio.home().log());
        }
        if (verbose) {
            exception.printStackTrace(studio.terminal().err());
        }
        return ExitCode.FAILED;
    }

    /// What must have happened before a native library is loaded.
    interface Preparation {
        void prepare(Home home) throws Failure;
    }
}
