package atomstudio.app.process;

import atomstudio.app.jobs.Cancellation;
import atomstudio.app.runtime.Assets;
import atomstudio.app.runtime.Home;
import atomstudio.app.runtime.NativeLibraries;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.StudioFolder;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.run.RunFolder;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.Writer;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Runs this program's training command in child processes: a crash in native code or a lack of memory ends the child,
/// not the window, and its memory is released when the run ends.
public final class ChildProcessLauncher implements TrainingProcess.ProcessLauncher {
    private static final long POLL_MILLIS = 100;
    /// Default number of previews, besides the one before the first step.
    private static final int DEFAULT_PREVIEWS = 5;

    /// jpackage's launcher for Linux sets it for Java. One that finds it reads no configuration and takes its first
    /// argument for a class: a packaged program that starts one, also itself, must unset it.
    public static final String LAUNCHER_VARIABLE = "_JPACKAGE_LAUNCHER";

    private static final List<String> INHERITED_OPTIONS = List.of("-Xmx", "-Xms", "-Xss", "-XX:",
            "--enable-native-access=", "-Dstdout.encoding=", "-Dstderr.encoding=",
            "-D" + Assets.PROPERTY + "=", "-D" + NativeLibraries.PROPERTY + "=");

    private final List<String> program;
    private final Home home;

    /// @param program the command line that starts this program, without arguments
    /// @param home passed to the child processes; logs are written there
    public ChildProcessLauncher(List<String> program, Home home) {
        this.program = List.copyOf(program);
        this.home = home;
    }

    /// Starts this program.
    public static ChildProcessLauncher ofThisProgram(Home home) {
        return new ChildProcessLauncher(currentProgram("atomstudio.app.cli.Main"), home);
    }

    /// The command line of this process: the packaged launcher, or this JVM with the same class path.
    public static List<String> currentProgram(String mainClass) {
        String launcher = System.getProperty("jpackage.app-path");
        if (launcher != null)
            return System.getProperty("os.name").startsWith("Linux")
                    ? List.of("/usr/bin/env", "-u", LAUNCHER_VARIABLE, launcher)
                    : List.of(launcher);
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        ManagementFactory.getRuntimeMXBean()
                .getInputArguments()
                .stream()
                .filter(ChildProcessLauncher::isInherited)
                .forEach(command::add);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), mainClass));
        return command;
    }

    /// Memory, garbage collector, native access, encodings and folders; no debugger or profiler agents.
    private static boolean isInherited(String argument) {
        return INHERITED_OPTIONS.stream().anyMatch(argument::startsWith);
    }

    @Override
    public TrainingProcess start(RunSpec spec) throws Failure {
        return start(arguments(spec), spec.folder().getFileName().toString());
    }

    /// Starts a command with these arguments.
    /// @param arguments begin with the command's name
    /// @param logName name of the log file for its output, without extension
    public TrainingProcess start(List<String> arguments, String logName) throws Failure {
        try {
            Path log = logFile(logName + ".log");
            return new ChildProcess(
                    processBuilder(arguments).redirectErrorStream(true).redirectOutput(log.toFile()).start(), log);
        } catch (IOException e) {
            throw cannotStart(e);
        }
    }

    /// @param output everything on its standard output
    /// @param lastErrorLines the last lines on its error output
    public record CommandResult(int exitCode, String output, String lastErrorLines) {}

    /// Runs a command to its end. It is stopped on cancellation, and ends with this process.
    /// @param arguments begin with the command's name
    /// @param logName name of its log files, without extension
    public CommandResult run(List<String> arguments, String logName, Cancellation cancellation)
            throws Failure, InterruptedException {
        try {
            Path errorLog = logFile(logName + ".log");
            Path output = logFile(logName + ".json");
            Process process = processBuilder(arguments).redirectError(errorLog.toFile())
                    .redirectOutput(output.toFile())
                    .start();
            // The child ends when its input is closed, also by the end of this process.
            try (Writer input = process.outputWriter()) {
                while (!process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) cancellation.throwIfRequested();
            } finally {
                process.destroy();
            }
            return new CommandResult(process.exitValue(), Files.readString(output), ChildProcess.lastLines(errorLog));
        } catch (IOException e) {
            throw cannotStart(e);
        }
    }

    private Path logFile(String name) throws IOException {
        return StudioFolder.createFile(home.folder().resolve("logs").resolve(name));
    }

    /// The whole command line of a child process.
    public List<String> command(List<String> arguments) {
        List<String> command = new ArrayList<>(program);
        // By default Java's crash log is in the working directory. A packaged launcher takes no options of Java.
        if (program.contains("-cp"))
            command.add(1, "-XX:ErrorFile=" + home.crashLog());
        command.addAll(arguments);
        return command;
    }

    private ProcessBuilder processBuilder(List<String> arguments) {
        ProcessBuilder builder = new ProcessBuilder(command(arguments));
        // As in ./studio: PyTorch threads that spin without a limit slow down each other and the window.
        builder.environment().putIfAbsent("GOMP_SPINCOUNT", "10000");
        // Keeps ONNX Runtime's telemetry client from starting.
        builder.environment().put("ORT_DISABLE_TELEMETRY", "1");
        builder.environment().put(Home.ENVIRONMENT_VARIABLE, home.folder().toString());
        return builder;
    }

    private Failure cannotStart(IOException e) {
        return new Failure.Unwritable(
                "A child process could not be started (" + program.getFirst() + "): " + e.getMessage(), e);
    }

    /// The arguments for a run. A run that exists is resumed with its recorded settings.
    static List<String> arguments(RunSpec spec) {
        if (new RunFolder(spec.folder()).exists())
            return List.of("resume", spec.folder().toString(), "--control-stdin");
        List<String> arguments = new ArrayList<>(List.of("train", "--control-stdin"));
        arguments.addAll(trainingArguments(spec));
        arguments.add(option("out", spec.folder()));
        return arguments;
    }

    /// An option and its value as one argument, because a value may begin with a hyphen.
    public static String option(String name, Object value) {
        return "--" + name + "=" + value;
    }

    /// Settings at their defaults are left to the command, except the preview interval.
    public static List<String> trainingArguments(RunSpec spec) {
        RunSpec.TrainingChoices choices = spec.choices();
        List<String> arguments = new ArrayList<>(
                List.of(option("model", spec.model()), option("photos", spec.photos()),
                        option("class", spec.phrase().className()),
                        option("trigger-word", spec.phrase().triggerWord())));
        choices.start().from().ifPresent(file -> arguments.add(option("from", file)));
        choices.start().on().ifPresent(merged -> arguments.add(option("on", merged.file() + ":" + merged.weight())));
        if (choices.start().from().isEmpty()) {
            arguments.add(option("method", spec.choice().option()));
            choices.method()
                    .overrides()
                    .forEach((setting, value) -> addOption(arguments, setting.option(), value, setting.isFlag()));
        }
        choices.training()
                .chosen()
                .forEach((setting, value) -> addOption(arguments, setting.option(), value, setting.isFlag()));
        if (!choices.training().chosen().containsKey(TrainingSetting.PREVIEW_EVERY))
            addOption(arguments, TrainingSetting.PREVIEW_EVERY.option(),
                    String.valueOf(Math.max(1, choices.steps() / DEFAULT_PREVIEWS)), false);
        return arguments;
    }

    private static void addOption(List<String> arguments, String name, String value, boolean flag) {
        arguments.add(flag ? "--" + name : option(name, value));
    }

    /// A child process controlled by lines on its standard input.
    static final class ChildProcess implements TrainingProcess {
        private static final Logger log = LoggerFactory.getLogger(ChildProcess.class);
        private static final int LAST_LINES = 3;

        private final Process process;
        private final BufferedWriter input;
        private final Path output;

        ChildProcess(Process process, Path output) {
            this.process = process;
            this.input = process.outputWriter();
            this.output = output;
        }

        @Override
        public void send(ProcessCommand command) {
            write(switch (command) {
                case PAUSE -> "pause";
                case RESUME -> "resume";
                case STOP -> "stop";
            });
        }

        @Override
        public void requestPreview(String prompt) {
            write("generate " + prompt.replaceAll("\\s+", " ").strip());
        }

        private void write(String line) {
            try {
                input.write(line + "\n");
                input.flush();
            } catch (IOException gone) {
                log.debug("the training process no longer reads its input", gone);
            }
        }

        @Override
        public OptionalInt await(Duration timeout) throws InterruptedException {
            return process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS) ? OptionalInt.of(process.exitValue())
                    : OptionalInt.empty();
        }

        @Override
        public String lastOutput() {
            return lastLines(output);
        }

        /// The last lines of a log.
        static String lastLines(Path output) {
            try {
                List<String> lines = Files.readAllLines(output)
                        .stream()
                        .takeWhile(line -> !line.equals("#")) // a crash log on standard error
                        .map(line -> line.replaceFirst("^studio: ", "").strip())
                        .filter(line -> !line.isEmpty())
                        .toList();
                return String.join(" ", lines.subList(Math.max(0, lines.size() - LAST_LINES), lines.size()));
            } catch (IOException e) {
                return "";
            }
        }

        @Override
        public void close() {
            try {
                input.close();
            } catch (IOException gone) {
                log.debug("the training process had closed its input", gone);
            }
        }
    }
}
