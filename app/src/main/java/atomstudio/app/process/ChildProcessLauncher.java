package atomstudio.app.process;

import atomstudio.app.jobs.Cancellation;
import atomstudio.app.runtime.Assets;
import atomstudio.app.runtime.Home;
import atomstudio.app.runtime.NativeLibraries;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.StudioFolder;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.train.TrainingEstimate;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
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

/// Tunes with this program's own `tune` command in a child process: a fault in native code or a lack of memory ends the
/// child, not the window, and all its memory returns when the run ends.
public final class ChildProcessLauncher implements TrainingProcess.ProcessLauncher, Estimator {
    private static final long POLL_MILLIS = 100;
    /// Preview pictures of a run where nobody says otherwise, beside the one before the first step.
    private static final int DEFAULT_PREVIEWS = 5;

    private static final List<String> INHERITED_OPTIONS = List.of("-Xmx", "-Xms", "-Xss", "-XX:",
            "--enable-native-access=", "-Dstdout.encoding=", "-Dstderr.encoding=",
            "-D" + Assets.PROPERTY + "=", "-D" + NativeLibraries.PROPERTY + "=");

    private final List<String> program;
    private final Home home;

    /// @param program the command line that starts this program, without arguments
    /// @param home where the children find what this process finds, and write what they say
    public ChildProcessLauncher(List<String> program, Home home) {
        this.program = List.copyOf(program);
        this.home = home;
    }

    /// How this very program was started: the packaged launcher, or the running Java with the same class path.
    public static List<String> currentProgram(String mainClass) {
        String launcher = System.getProperty("jpackage.app-path");
        if (launcher != null) return List.of(launcher);
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

    /// Memory and collector, native access, encodings, and where things are; not a debugger's or a profiler's agent.
    private static boolean isInherited(String argument) {
        return INHERITED_OPTIONS.stream().anyMatch(argument::startsWith);
    }

    @Override
    public TrainingProcess start(RunSpec spec) throws Failure {
        return start(arguments(spec), spec.folder().getFileName().toString());
    }

    /// Starts `tune` with these arguments, its name among them; what it says goes to a log of this name.
    public TrainingProcess start(List<String> arguments, String logName) throws Failure {
        try {
            Path log = logFile(logName + ".log");
            return new ChildProcess(
                    processBuilder(arguments).redirectErrorStream(true).redirectOutput(log.toFile()).start(), log);
        } catch (IOException e) {
            throw cannotStart(e);
        }
    }

    /// What a run would take, by the command's dry run. It ends when nobody wants to know any more, or this process
    /// is gone.
    @Override
    public TrainingEstimate estimate(RunSpec spec, Cancellation cancellation) throws Failure, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of("train", "--dry-run", "--json", "--control-stdin"));
        arguments.addAll(trainingArguments(spec));
        try {
            Path errorLog = logFile("estimate.log");
            Path result = logFile("estimate.json");
            Process process = processBuilder(arguments).redirectError(errorLog.toFile())
                    .redirectOutput(result.toFile())
                    .start();
            // Open as long as somebody wants to know: it ends with this process.
            try (Writer lifeline = process.outputWriter()) {
                while (!process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) cancellation.throwIfRequested();
            } finally {
                process.destroy();
            }
            return EstimateParser.parse(process.exitValue(), Files.readString(result),
                    ChildProcess.lastWords(errorLog));
        } catch (IOException e) {
            throw cannotStart(e);
        }
    }

    private Path logFile(String name) throws IOException {
        return StudioFolder.createFile(home.folder().resolve("logs").resolve(name));
    }

    private ProcessBuilder processBuilder(List<String> arguments) {
        List<String> command = new ArrayList<>(program);
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command);
        // As ./studio has it: PyTorch's threads that spin without a bound starve each other, and this window.
        builder.environment().putIfAbsent("GOMP_SPINCOUNT", "10000");
        // ONNX Runtime's telemetry client is off from the child's first moment.
        builder.environment().put("ORT_DISABLE_TELEMETRY", "1");
        builder.environment().put(Home.ENVIRONMENT_VARIABLE, home.folder().toString());
        return builder;
    }

    private Failure cannotStart(IOException e) {
        return new Failure.Unwritable(
                "The training process could not be started (" + program.getFirst() + "): " + e.getMessage(), e);
    }

    /// The arguments for an order; a run that is there goes on as it was begun: captions and masks lie beside the
    /// person's pictures, not the run's.
    static List<String> arguments(RunSpec spec) {
        if (new RunFolder(spec.folder()).exists())
            return List.of("resume", spec.folder().toString(), "--control-stdin");
        List<String> arguments = new ArrayList<>(List.of("train", "--control-stdin"));
        arguments.addAll(trainingArguments(spec));
        arguments.add(option("out", spec.folder()));
        return arguments;
    }

    /// An option and its value as one argument, so that a value that begins with a hyphen is never read as an option.
    public static String option(String name, Object value) {
        return "--" + name + "=" + value;
    }

    /// What is as usual is left to the command's defaults, previews apart.
    private static List<String> trainingArguments(RunSpec spec) {
        RunSpec.TrainingChoices choices = spec.choices();
        List<String> arguments = new ArrayList<>(
                List.of(option("model", spec.model()), option("photos", spec.photos()),
                        option("class", spec.phrase().className()), option("trigger-word", spec.phrase().triggerWord()),
                        option("method", spec.choice().option())));
        choices.method()
                .overrides()
                .forEach((setting, value) -> addOption(arguments, setting.option(), value,
                        setting == MethodSetting.TRAIN_TEXT_ENCODER));
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

    /// A child with its input open: the end of that stream tells it to write a checkpoint and end.
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
        public void send(ProcessCommand order) {
            write(switch (order) {
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
                log.debug("the tuning process no longer reads", gone);
            }
        }

        @Override
        public OptionalInt await(Duration atMost) throws InterruptedException {
            return process.waitFor(atMost.toMillis(), TimeUnit.MILLISECONDS) ? OptionalInt.of(process.exitValue())
                    : OptionalInt.empty();
        }

        @Override
        public String lastOutput() {
            return lastWords(output);
        }

        /// The last lines of a log.
        static String lastWords(Path output) {
            try {
                List<String> lines = Files.readAllLines(output)
                        .stream()
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
                log.debug("the tuning process had closed its input", gone);
            }
        }
    }

    /// Parses the output of `train --dry-run --json`.
    static final class EstimateParser {
        private EstimateParser() {}

        /// @param errorOutput its last words, for when it failed
        static TrainingEstimate parse(int exit, String output, String errorOutput) throws Failure {
            if (exit == 137)
                throw new Failure.Incompatible(
                        "The estimate itself did not fit into the memory. Close other programs, or choose a smaller size.");
            if (exit != 0)
                throw new Failure.Unreadable(
                        errorOutput.isEmpty() ? "The estimate ended by itself (code " + exit + "). Ask again."
                                : errorOutput);
            try {
                JsonObject json = JsonParser.parseString(output).getAsJsonObject();
                TrainingEstimate.MemoryFit memory = new TrainingEstimate.MemoryFit(json.get("memory").getAsLong(),
                        json.get("memorySource").getAsString(), json.get("available").getAsLong());
                TrainingEstimate.TimeEstimate time = new TrainingEstimate.TimeEstimate(
                        json.get("secondsPerStep").getAsDouble(), json.get("secondsBefore").getAsDouble(),
                        json.get("seconds").getAsDouble());
                return new TrainingEstimate(json.get("numbers").getAsLong(), json.get("share").getAsDouble(), memory,
                        time, json.getAsJsonArray("advice").asList().stream().map(JsonElement::getAsString).toList());
            } catch (JsonParseException | IllegalStateException | NullPointerException e) {
                throw new Failure.Unreadable(
                        "The estimate cannot be read: expected one JSON object, found \"" + output.strip() + "\"", e);
            }
        }
    }
}
