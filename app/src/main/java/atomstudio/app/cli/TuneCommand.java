package atomstudio.app.cli;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.picture.PictureFolder;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.MethodSettings.Choice;
import atomstudio.tuning.train.Control;
import atomstudio.tuning.train.Machine;
import atomstudio.tuning.train.Recipe;
import atomstudio.tuning.train.Report;
import atomstudio.tuning.train.RunFolder;
import atomstudio.tuning.train.TuneOutcome;
import atomstudio.tuning.train.TuneRequest;
import atomstudio.tuning.train.Tuning;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/// `studio tune`: makes a run, or goes on with one. The window starts this command as a process of its own.
@Command(
        name = "tune",
        description = "Tunes a model on pictures of a subject. The same command on an existing run goes on with it.",
        footer = {
            "",
            "Pictures: JPEG, PNG, WebP, GIF, BMP, TIFF. Ctrl-C writes a checkpoint.",
            "",
            "Examples:",
            "  studio tune --pictures my-car --class car --method atoms --out runs/car",
            "  studio tune --pictures my-owl --class owl --method lora --rank 8 --preview-every 50 --out runs/owl"
        })
final class TuneCommand implements Callable<Integer> {
    private final Studio studio;

    @Option(names = "--pictures", required = true, paramLabel = "DIR", description = "Folder with pictures of the subject.")
    private Path pictures = Path.of("");

    @Option(names = "--class", required = true, paramLabel = "WORD", description = "What the subject is, in a word that the model knows.")
    private String className = "";

    @Option(names = "--model", paramLabel = "DIR", description = "Model folder in diffusers' layout. Default: the embedded model.")
    private @Nullable Path model;

    @Option(names = "--token", paramLabel = "WORD", defaultValue = TuneRequest.TOKEN,
            description = "Rare word that comes to stand for the subject. Default: ${DEFAULT-VALUE}.")
    private String token = TuneRequest.TOKEN;

    @Option(names = "--method", required = true, paramLabel = "NAME", converter = Methods.class, completionCandidates = Methods.class,
            description = "One of ${COMPLETION-CANDIDATES}.")
    private Choice method = Choice.ATOMS;

    @Option(names = "--atoms", paramLabel = "M", defaultValue = "" + MethodSettings.ATOMS, description = "Filter atoms a layer. Default: ${DEFAULT-VALUE}.")
    private int atoms;

    @Option(names = "--rank", paramLabel = "R", defaultValue = "" + MethodSettings.RANK, description = "LoRA's rank. Default: ${DEFAULT-VALUE}.")
    private int rank;

    @Mixin
    private final TrainingOptions training = new TrainingOptions();

    @Mixin
    private final DeviceOption device = new DeviceOption();

    @Option(names = "--control-stdin", description = "Read lines from standard input: pause, resume, stop; its end means stop.")
    private boolean controlStdin;

    @Option(names = "--json", description = "Print the result as one JSON object.")
    private boolean json;

    @Option(names = "--out", required = true, paramLabel = "RUN", description = "The run's folder: made, or gone on with.")
    private Path run = Path.of("");

    @Spec
    private CommandSpec spec;

    TuneCommand(Studio studio) {
        this.studio = studio;
    }

    @Override
    public Integer call() throws Failure {
        TuneRequest request = request();
        Machine machine = new Machine(device.device(), Runtime.getRuntime().availableProcessors(), studio.home().folder());
        PictureFolder.list(pictures).skippedLine().ifPresent(studio.terminal()::note);
        try (StopSignal.Watch watching = studio.stop().watch(); TuneProgress progress = new TuneProgress(studio.terminal(), method.command())) {
            TuneOutcome outcome = new Tuning(machine).run(request, run, control(), progress);
            progress.close();
            return tell(outcome);
        }
    }

    private TuneRequest request() throws Failure {
        MethodSettings settings = MethodSettings.parse(method.command(), atoms, rank);
        Recipe recipe = training.recipe(settings);
        try {
            return new TuneRequest(studio.model(model), pictures, new Trigger(token, className), settings, recipe);
        } catch (IllegalArgumentException wrong) {
            throw new ParameterException(spec.commandLine(), "--" + wrong.getMessage());
        }
    }

    /// Signals, and standard input if asked: without `--control-stdin` it is never read.
    private Control control() {
        Control lines = controlStdin ? StandardInput.follow(System.in, studio.terminal()) : Control.none();
        return () -> studio.stop().requested() ? Control.Wish.STOP : lines.wish();
    }

    private int tell(TuneOutcome outcome) {
        return switch (outcome) {
            case TuneOutcome.Finished finished -> {
                studio.terminal().result(json ? asJson(finished.report()).toString() : asText(finished.report()));
                yield ExitCode.DONE;
            }
            case TuneOutcome.Stopped stopped -> {
                studio.terminal().note("Stopped after step %d of %d; the same command goes on from there.".formatted(stopped.step(), stopped.steps()));
                yield ExitCode.CANCELLED;
            }
        };
    }

    private String asText(Report report) {
        return String.format(Locale.ROOT, "%s%n%s: %,d numbers (%.2f %% of the network), %,d bytes, %d steps in %.1f s, loss %.4f",
                new RunFolder(run).adapter(), method.command(), report.numbers(), 100 * report.share(), report.bytes(), report.steps(), report.seconds(), report.loss());
    }

    private JsonObject asJson(Report report) {
        JsonObject object = new JsonObject();
        object.addProperty("run", run.toString());
        object.addProperty("adapter", new RunFolder(run).adapter().toString());
        object.addProperty("method", method.command());
        object.addProperty("numbers", report.numbers());
        object.addProperty("share", report.share());
        object.addProperty("bytes", report.bytes());
        object.addProperty("steps", report.steps());
        object.addProperty("seconds", report.seconds());
        object.addProperty("loss", report.loss());
        object.addProperty("peakMemory", report.peakMemory());
        return object;
    }

    private static final class Methods implements ITypeConverter<Choice>, Iterable<String> {
        @Override
        public Choice convert(String value) {
            return Arrays.stream(Choice.values()).filter(choice -> choice.command().equals(value)).findFirst()
                    .orElseThrow(() -> new TypeConversionException("expected one of " + MethodSettings.names() + ", found \"" + value + "\""));
        }

        @Override
        public Iterator<String> iterator() {
            return Arrays.stream(Choice.values()).map(Choice::command).iterator();
        }
    }
}
