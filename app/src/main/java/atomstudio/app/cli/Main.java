package atomstudio.app.cli;

import atomstudio.app.runtime.Home;
import atomstudio.app.runtime.NativeLibraries;
import atomstudio.app.runtime.ProcessExit;
import atomstudio.app.window.WindowLauncher;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.MemoryShortage;
import atomstudio.diffusion.file.StudioFolder;
import atomstudio.diffusion.file.TemporaryPath;
import java.util.LinkedHashSet;
import java.util.List;
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

/// The program: runs a command, or opens the window.
@Command(
        name = "studio",
        description = "Fine-tunes Stable Diffusion on a few photos of a subject and generates images. "
                + "Without a command the window opens.",
        synopsisSubcommandLabel = "[COMMAND]",
        mixinStandardHelpOptions = true,
        versionProvider = VersionProvider.class,
        footer = {
                "",
                "Examples:",
                "  studio",
                "  studio demo --out demo",
                "  studio generate --prompt \"a red apple on a table\" --out apple.png",
                "  studio train --help"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:success", "1:failure", "2:wrong usage", "130:cancelled"})
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
        // ImageIO must not connect to a display; JavaFX ignores the property.
        System.setProperty("java.awt.headless", "true");
        Locale.setDefault(Locale.ENGLISH); // numbers as in the program's texts: 86,016 and 0.5
        Home home = Home.current();
        System.setProperty("atomstudio.log", home.log().toString());
        System.setProperty(StudioFolder.PROPERTY, home.folder().toString());
        home.protect();
        Terminal terminal = Terminal.ofProcess();
        StopSignal stopSignal = new StopSignal(terminal, ProcessExit::now);
        stopSignal.install();
        TemporaryPath.removeStale();
        ProcessExit.now(run(new CommandContext(home, terminal, stopSignal), NativeLibraries::prepare, arguments));
    }

    /// Runs one command line.
    /// @param nativeSetup called before a command that needs native libraries
    /// @return the exit code
    static int run(CommandContext context, NativeSetup nativeSetup, String... arguments) {
        Main main = new Main(context, nativeSetup);
        CommandLine commandLine = new CommandLine(main);
        commands(context).forEach(commandLine::addSubcommand);
        for (CommandLine command : new LinkedHashSet<>(commandLine.getSubcommands().values())) {
            if (command.getCommand() instanceof CommandGroup group) {
                group.subcommands().forEach(command::addSubcommand);
                command.getSubcommands().values().forEach(Main::prepare);
            }
            prepare(command);
        }
        String[] prepared;
        try {
            prepared = CommandArguments.prepare(commandLine, arguments);
        } catch (ParameterException error) {
            return main.reportUsageError(error);
        }
        // A prompt or class word may be any text: it is never read as an argument file (@FILE), option or command.
        int code = commandLine.setExpandAtFiles(false)
                .setAllowSubcommandsAsOptionParameters(true)
                .setOut(context.terminal().out())
                .setErr(context.terminal().err())
                .setUsageHelpWidth(100)
                .setExecutionStrategy(main::execute)
                .setParameterExceptionHandler((error, given) -> main.reportUsageError(error))
                .setExecutionExceptionHandler((exception, command, parsed) -> main.reportFailure(exception))
                .execute(prepared);
        return code == ExitCode.SUCCESS ? main.checkResultWritten() : code;
    }

    private static void prepare(CommandLine command) {
        command.getCommandSpec().mixinStandardHelpOptions(true);
        // The values of an option that takes several end at the next option.
        boolean takesSeveralValues = command.getCommandSpec()
                .options()
                .stream()
                .anyMatch(option -> option.arity().max() > 1);
        command.setAllowOptionsAsOptionParameters(!takesSeveralValues);
    }

    /// A command succeeds only if its result was written.
    private int checkResultWritten() {
        Optional<String> writeFailure = context.terminal().writeFailure();
        writeFailure.ifPresent(reason -> context.terminal()
                .printNote("studio: standard output: the result cannot be written: " + reason));
        return writeFailure.isPresent() ? ExitCode.FAILED : ExitCode.SUCCESS;
    }

    /// Without a command: opens the window.
    @Override
    public Integer call() throws Failure {
        return WindowLauncher.open(new String[0]);
    }

    /// The commands in the order of the help.
    static List<Object> commands(CommandContext context) {
        return List.of(
                new TrainCommand(context),
                new ResumeCommand(context),
                new SearchCommand(context),
                new GenerateCommand(context),
                new CompareCommand(context),
                new DemoCommand(context),
                new ExperimentCommand(context),
                new BenchmarkCommand(context),
                new ClassifyCommand(context),
                new ExportCommand(context),
                new ConvertCommand(context),
                new MergeCommand(context),
                new ExtractCommand(context),
                new MethodsCommand(context),
                new SamplersCommand(context),
                new ModelsCommand(context),
                new ProvidersCommand(context),
                new InspectCommand(context),
                new VerifyCommand(context));
    }

    private int execute(ParseResult parseResult) {
        Integer helpExitCode = CommandLine.executeHelpRequest(parseResult);
        if (helpExitCode != null) {
            return helpExitCode;
        }
        Object command = parseResult.asCommandLineList().getLast().getCommand();
        if (!(command instanceof RunsWithoutNatives given) || given.needsNatives()) {
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
                    "a file was truncated or its disk failed while it was read; try again when no program writes to it",
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
            context.terminal().printNote("studio: " + RemedyOption.message(failure));
        } else {
            context.home().prepareLog();
            LoggerFactory.getLogger(Main.class).error("unexpected", exception);
            context.terminal()
                    .printNote("studio: unexpected error: " + exception + "; the stack trace is in "
                            + context.home().log());
        }
        if (verbose) {
            exception.printStackTrace(context.terminal().err());
        }
        return ExitCode.FAILED;
    }

    /// Prepares native libraries before a command loads them.
    interface NativeSetup {
        void prepare(Home home) throws Failure;
    }

    /// A command with subcommands.
    interface CommandGroup {
        List<Object> subcommands();
    }

    /// A command that needs no native library and starts without unpacking them.
    interface RunsWithoutNatives {
        /// Whether the given options need one after all.
        default boolean needsNatives() {
            return false;
        }
    }
}
