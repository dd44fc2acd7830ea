package atomstudio.app.tune;

import atomstudio.app.jobs.Assets;
import atomstudio.app.jobs.Home;
import atomstudio.app.jobs.Natives;
import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Tunes with this program's own `tune` command in a child process: a fault in native code or a lack of memory ends the
/// child, not the window, and all its memory returns when the run ends.
public final class ChildTuner implements Tuner {
    /// Preview pictures of a run where nobody says otherwise, beside the one before the first step.
    private static final int PREVIEWS = 5;

    private static final List<String> INHERITED = List.of("-Xmx", "-Xms", "-Xss", "-XX:", "--enable-native-access=", "-Dstdout.encoding=", "-Dstderr.encoding=",
        "-D" + Assets.PROPERTY + "=", "-D" + Natives.PROPERTY + "=");

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
        List<String> command = new ArrayList<>(program);
        command.addAll(arguments);
        try {
            Path logs = Files.createDirectories(home.folder().resolve("logs"));
            Path log = logs.resolve(name + ".log");
            ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
            // As ./studio has it: PyTorch's threads that spin without a bound starve each other, and this window.
            builder.environment().putIfAbsent("GOMP_SPINCOUNT", "10000");
            builder.environment().put(Home.VARIABLE, home.folder().toString());
            return new ChildTuneProcess(builder.start(), log);
        } catch (IOException e) {
            throw new Failure.Unwritable("The tuning process could not be started (" + command.getFirst() + "): " + e.getMessage(), e);
        }
    }

    /// The arguments of `tune` for an order; what is empty in its settings is left to the command's defaults.
    static List<String> arguments(TuneOrder order) {
        TuneSettings settings = order.settings();
        List<String> arguments = new ArrayList<>(List.of("tune", "--control-stdin",
            "--model", order.model().toString(), "--pictures", order.pictures().toString(),
            "--class", order.words().className(), "--token", order.words().token(),
            "--method", order.method().command(), "--seed", String.valueOf(settings.seed())));
        settings.of(order.method()).chosen().forEach((setting, value) -> arguments.addAll(List.of("--" + setting.command(), value)));
        settings.steps().ifPresent(steps -> arguments.addAll(List.of("--steps", String.valueOf(steps))));
        settings.rate().ifPresent(rate -> arguments.addAll(List.of("--rate", String.valueOf(rate))));
        int steps = settings.steps().orElse(order.method().steps());
        arguments.addAll(List.of("--preview-every", String.valueOf(settings.previewEvery().orElse(Math.max(1, steps / PREVIEWS)))));
        arguments.addAll(List.of("--out", order.run().toString()));
        return arguments;
    }
}
