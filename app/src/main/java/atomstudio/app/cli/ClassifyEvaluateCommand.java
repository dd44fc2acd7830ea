package atomstudio.app.cli;

import atomstudio.diffusion.Failure;
import atomstudio.tuning.classify.ClassFolders;
import atomstudio.tuning.classify.ClassFolders.LabeledImage;
import atomstudio.tuning.classify.ClassifierAccuracy;
import atomstudio.tuning.classify.ClassifierRun;
import atomstudio.tuning.classify.ClassifierRunInfo;
import atomstudio.tuning.measure.BootstrapInterval;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `studio classify evaluate`: the accuracy of a trained classifier.
@Command(
        name = "evaluate",
        description = "Measures a trained classifier's accuracy, with its 95% bootstrap interval over the images.",
        footer = {"", "Examples:", "  studio classify evaluate --run runs/flowers",
                "  studio classify evaluate --run runs/flowers --data other-flowers --json"})
final class ClassifyEvaluateCommand implements Callable<Integer> {
    private final CommandContext context;

    @Option(names = "--run", paramLabel = "RUN", required = true, description = "Folder of the run.")
    private Path run;

    @Option(names = "--data", paramLabel = "DIR",
            description = "Folder with a folder per class, or with val/. Default: the run's validation images.")
    private @Nullable Path data;

    @Mixin
    private final DeviceOption.ForTraining device = new DeviceOption.ForTraining();

    @Mixin
    private final OutputOption output = new OutputOption();

    ClassifyEvaluateCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws Failure {
        try (ClassifierRun classifier = ClassifierRun.open(run, context.machine(device.device(context)))) {
            ClassifierAccuracy accuracy = classifier.evaluate(images(classifier.info()));
            output.print(context.terminal(), () -> json(accuracy), () -> lines(accuracy));
        }
        return ExitCode.SUCCESS;
    }

    private List<LabeledImage> images(ClassifierRunInfo info) throws Failure {
        return data == null ? ClassFolders.read(info.data().path(), info.data().split()).validation()
                : ClassFolders.labeled(data, info.data().classes());
    }

    static String accuracyLine(BootstrapInterval accuracy, int images) {
        return String.format(Locale.ROOT, "accuracy %.1f%% (95%% interval %.1f to %.1f) on %,d images",
                100 * accuracy.mean(), 100 * accuracy.low(), 100 * accuracy.high(), images);
    }

    private static List<String> lines(ClassifierAccuracy accuracy) {
        List<String> lines = new ArrayList<>(List.of(accuracyLine(accuracy.overall(), accuracy.images())));
        for (ClassifierAccuracy.ClassAccuracy each : accuracy.classes())
            lines.add(String.format(Locale.ROOT, "  %-24s %5.1f%% of %,d", each.name(),
                    100.0 * each.correct() / each.images(), each.images()));
        return lines;
    }

    private static JsonObject json(ClassifierAccuracy accuracy) {
        JsonObject json = new JsonObject();
        json.addProperty("accuracy", accuracy.overall().mean());
        json.addProperty("low", accuracy.overall().low());
        json.addProperty("high", accuracy.overall().high());
        json.addProperty("images", accuracy.images());
        JsonArray classes = new JsonArray();
        for (ClassifierAccuracy.ClassAccuracy each : accuracy.classes()) {
            JsonObject row = new JsonObject();
            row.addProperty("name", each.name());
            row.addProperty("images", each.images());
            row.addProperty("correct", each.correct());
            classes.add(row);
        }
        json.add("classes", classes);
        return json;
    }
}
