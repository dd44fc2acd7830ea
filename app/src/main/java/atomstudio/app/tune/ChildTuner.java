package atomstudio.app.tune;

import atomstudio.app.jobs.Assets;
import atomstudio.app.jobs.Cancellation;
import atomstudio.app.jobs.Home;
import atomstudio.app.jobs.NativeLibraries;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.StudioFolder;
import atomstudio.tuning.method.Setting;
import atomstudio.tuning.train.Estimate;
import atomstudio.tuning.train.RunFolder;
import atomstudio.tuning.train.TrainingSetting;
import java.io.IOException;
import java.io.Writer;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Tunes with this program's own `tune` command in a child process: a fault in native code or a lack of memory ends the
/// child, not the window, and all its memory returns when the run ends.
public final class ChildTuner implements Tuner, Estimator {
    private static final long POLL_MILLIS = 100;
    /// Preview pictures of a run where nobody says otherwise, beside the one before the first step.
    private static final int PREVIEWS = 5;

    private static final List<String> INHERITED = List.of("-Xmx", "-Xms", "-Xss", "-XX:", "--enable-native-access=", "-Dstdout.encoding=", "-Dstderr.encoding=",
        "-D" + Assets.PROPERTY + "=", "-D" + NativeLibraries.PROPERTY + "=");

    private final List<String> program;
    private final Home home;

    /// @param program the command line that starts this program, without arguments
    /// @param home where the children find what this process finds, and write what they say
    public ChildTuner(List<String> program, Home home) {
        this.program = List.copyOf(program);
        this.home = home;
    }

    /// How this very program was started: the packaged launcher, or the running Java with the same class path.
    public static List<String> thisProgram(String mainClass) {
        String launcher = System.getProperty("jpackage.app-path");
        if (launcher != null) return List.of(launcher);
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream().filter(ChildTuner::inherited).forEach(command::add);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), mainClass));
        return command;
    }

    /// Memory and collector, native access, encodings, and where things are; not a debugger's or a profiler's agent.
    private static boolean inherited(String argument) {
        return INHERITED.stream().anyMatch(argument::startsWith);
    }

    @Override public TuneProcess start(TuneOrder order) throws Failure {
        return start(arguments(order), order.run().getFileName().toString());
    }

    /// Starts `tune` with these arguments, its name among them; what it says goes to a log of this name.
    public TuneProcess start(List<String> arguments, String name) throws Failure {
        try {
            Path log = log(name + ".log");
            return new ChildTuneProcess(builder(arguments).redirectErrorStream(true).redirectOutput(log.toFile()).start(), log);
        } catch (IOException e) {
            throw unstartable(e);
        }
    }

    /// What a run would take, by the command's dry run. It ends when nobody wants to know any more, or this process is gone.
    @Override public Estimate estimate(TuneOrder order, Cancellation cancellation) throws Failure, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of("tune", "--dry-run", "--json", "--control-stdin"));
        arguments.addAll(asked(order));
        try {
            Path said = log("estimate.log");
            Path result = log("estimate.json");
            Process process = builder(arguments).redirectError(said.toFile()).redirectOutput(result.toFile()).start();
            // Open as long as somebody wants to know: it ends with this process.
            try (Writer lifeline = process.outputWriter()) {
                while (!process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) cancellation.throwIfRequested();
            } finally {
                process.destroy();
            }
            return EstimateJson.read(process.exitValue(), Files.readString(result), ChildTuneProcess.lastWords(said));
        } catch (IOException e) {
            throw unstartable(e);
        }
    }

    private Path log(String name) throws IOException {
        return StudioFolder.prepare(home.folder().resolve("logs").resolve(name));
    }

    private ProcessBuilder builder(List<String> arguments) {
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

    private Failure unstartable(IOException e) {
        return new Failure.Unwritable("The tuning process could not be started (" + program.getFirst() + "): " + e.getMessage(), e);
    }

    /// The arguments for an order; a run that is there goes on as it was begun: captions and masks lie beside the person's pictures, not the run's.
    static List<String> arguments(TuneOrder order) {
        if (new RunFolder(order.run()).exists()) return List.of("resume", order.run().toString(), "--control-stdin");
        List<String> arguments = new ArrayList<>(List.of("tune", "--control-stdin"));
        arguments.addAll(asked(order));
        arguments.add(option("out", order.run()));
        return arguments;
    }

    /// An option and its value as one argument, so that a value that begins with a hyphen is never read as an option.
    public static String option(String name, Object value) {
        return "--" + name + "=" + value;
    }

    /// What is as usual is left to the command's defaults, previews apart.
    private static List<String> asked(TuneOrder order) {
        TuneOrder.Chosen chosen = order.chosen();
        List<String> arguments = new ArrayList<>(List.of(option("model", order.model()), option("pictures", order.pictures()),
            option("class", order.words().className()), option("token", order.words().token()), option("method", order.choice().command())));
        chosen.method().chosen().forEach((setting, value) -> add(arguments, setting.command(), value, setting == Setting.TEXT_ENCODER));
        chosen.training().chosen().forEach((setting, value) -> add(arguments, setting.command(), value, setting.flag()));
        if (!chosen.training().chosen().containsKey(TrainingSetting.PREVIEW_EVERY)) add(arguments, TrainingSetting.PREVIEW_EVERY.command(), String.valueOf(Math.max(1, chosen.steps() / PREVIEWS)), false);
        return arguments;
    }

    private static void add(List<String> arguments, String name, String value, boolean flag) {
        arguments.add(flag ? "--" + name : option(name, value));
    }
}
