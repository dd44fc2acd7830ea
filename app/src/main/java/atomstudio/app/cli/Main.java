package atomstudio.app.cli;

import atomstudio.app.runtime.Home;
import atomstudio.app.runtime.NativeLibraries;
import atomstudio.app.window.WindowLauncher;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.MemoryShortage;
import atomstudio.diffusion.file.StudioFolder;
import atomstudio.diffusion.file.TemporaryPath;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.OptionSpec;
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
        versionProvider = VersionProvider.class,
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
    private final CommandContext context;
    private final NativeSetup nativeSetup;

    @Option(names = "--verbose", scope = CommandLine.ScopeType.INHERIT, description = "Show stack traces of errors.")
    private boolean verbose;

    private Main(CommandContext context, NativeSetup nativeSetup) {
        this.context = context;
        this.nativeSetup = nativeSetup;
    }

    public static void main(String[] arguments) {
        // Decoding pictures must not look for a display; JavaFX does not care.
        System.setProperty("java.awt.headless", "true");
        Locale.setDefault(Locale.ENGLISH); // as the program's texts: 86,016 and 0.5 wherever it runs
        Home home = Home.current();
        System.setProperty("atomstudio.log", home.log().toString());
        System.setProperty(StudioFolder.PROPERTY, home.folder().toString());
        home.protect();
        Terminal terminal = Terminal.ofProcess();
        StopSignal stopSignal = new StopSignal(terminal, Main::exitNow);
        stopSignal.install();
        TemporaryPath.removeStale();
        System.exit(run(new CommandContext(home, terminal, stopSignal), NativeLibraries::prepare, arguments));
    }

    /// Ends the process at a signal: threads that still work would find their libraries closed otherwise.
    private static void exitNow(int code) {
        TemporaryPath.removeOwn();
        Runtime.getRuntime().halt(code);
    }

    /// Runs one command line and says how it ended.
    ///
    /// @param nativeSetup what is done before a command that needs native libraries
    static int run(CommandContext context, NativeSetup nativeSetup, String... arguments) {
        Main main = new Main(context, nativeSetup);
        CommandLine commandLine = new CommandLine(main);
        Commands.all(context).forEach(commandLine::addSubcommand);
        for (CommandLine command : commandLine.getSubcommands().values()) {
            command.getCommandSpec().mixinStandardHelpOptions(true);
            // An option that takes several values can only end where the next option begins.
            boolean takesSeveralValues = command.getCommandSpec()
                    .options()
                    .stream()
                    .anyMatch(option -> option.arity().max() > 1);
            command.setAllowOptionsAsOptionParameters(!takesSeveralValues);
        }
        Optional<MissingOptionValue> missingValue = MissingOptionValue.in(commandLine, arguments);
        if (missingValue.isPresent())
            return main.reportUsageError(
                    new ParameterException(missingValue.get().command(), missingValue.get().message()));
        // A prompt or class word is a text, whatever it looks like: never a file of further arguments, another option
        // or a command.
        int code = commandLine.setExpandAtFiles(false)
                .setAllowSubcommandsAsOptionParameters(true)
                .setOut(context.terminal().out())
                .setErr(context.terminal().err())
                .setUsageHelpWidth(100)
                .setExecutionStrategy(main::execute)
                .setParameterExceptionHandler((error, given) -> main.reportUsageError(error))
                .setExecutionExceptionHandler((exception, command, parsed) -> main.reportFailure(exception))
                .execute(arguments);
        return code == ExitCode.SUCCESS ? main.checkResultWritten() : code;
    }

    /// What was asked for is done only if its result arrived.
    private int checkResultWritten() {
        Optional<String> writeFailure = context.terminal().writeFailure();
        writeFailure.ifPresent(reason -> context.terminal()
                .printNote("studio: standard output: the result cannot be written: " + reason));
        return writeFailure.isPresent() ? ExitCode.FAILED : ExitCode.SUCCESS;
    }

    /// No command: the window.
    @Override
    public Integer call() throws Failure {
        return WindowLauncher.open(new String[0]);
    }

    private int execute(ParseResult parseResult) {
        Integer helpExitCode = CommandLine.executeHelpRequest(parseResult);
        if (helpExitCode != null) {
            return helpExitCode;
        }
        Object command = parseResult.asCommandLineList().getLast().getCommand();
        if (!(command instanceof RunsWithoutNatives)) {
            try {
                context.home().prepareLog();
                nativeSetup.prepare(context.home());
            } catch (Failure failure) {
                return reportFailure(failure);
            }
        }
        try {
            return new CommandLine.RunLast().execute(parseResult);
        } catch (OutOfMemoryError error) {
            return reportFailure(new Failure.OutOfMemory(MemoryShortage.of(error).message(), error));
        } catch (InternalError error) {
            return reportFailure(new Failure.Unreadable(
                    "a file shrank, or its disk failed, while it was read; try again when nothing writes to it any more",
                    error));
        } catch (StackOverflowError | AssertionError | LinkageError error) {
            return reportFailure(error);
        }
    }

    private int reportUsageError(ParameterException error) {
        CommandLine command = error.getCommandLine();
        context.terminal().printNote("studio: " + error.getMessage());
        UnmatchedArgumentException.printSuggestions(error, context.terminal().err());
        context.terminal().printNote("See: " + command.getCommandSpec().qualifiedName() + " --help");
        return ExitCode.USAGE;
    }

    private int reportFailure(Throwable exception) {
        if (exception instanceof Failure failure) {
            context.terminal().printNote("studio: " + failure.getMessage());
        } else {
            context.home().prepareLog();
            LoggerFactory.getLogger(Main.class).error("unexpected", exception);
            context.terminal()
                    .printNote("studio: unexpected error: " + exception + "; its stack trace is in "
                            + context.home().log());
        }
        if (verbose) {
            exception.printStackTrace(context.terminal().err());
        }
        return ExitCode.FAILED;
    }

    /// What must have happened before a native library is loaded.
    interface NativeSetup {
        void prepare(Home home) throws Failure;
    }

    /// An option whose value was forgotten: `--run --json`. The parser takes what stands after an option as its value
    /// whatever it looks like, so that a prompt may be anything; an option's name there is a mistake unless it is
    /// attached: `--prompt=--json`.
    record MissingOptionValue(CommandLine command, String option, String found) {
        /// The first one of a command line, if there is one.
        static Optional<MissingOptionValue> in(CommandLine program, String... arguments) {
            CommandLine command = program;
            for (int i = 0; i < arguments.length && !arguments[i].equals("--"); i++) {
                CommandLine subcommand = command.getSubcommands().get(arguments[i]);
                if (subcommand != null) {
                    command = subcommand;
                    continue;
                }
                OptionSpec option = command.getCommandSpec().optionsMap().get(arguments[i]);
                if (option == null || option.arity().max() == 0 || i + 1 == arguments.length) continue;
                String next = arguments[++i];
                if (command.getCommandSpec().optionsMap().containsKey(next))
                    return Optional.of(new MissingOptionValue(command, option.longestName(), next));
            }
            return Optional.empty();
        }

        String message() {
            return "Expected parameter for option '%s' but found '%s'; if that is its value, write %s=%s"
                    .formatted(option, found, option, found);
        }
    }

    /// A command that needs no native library: it starts without unpacking them.
    interface RunsWithoutNatives {}
}
