package atomstudio.app.cli;

import atomstudio.diffusion.Failure;
import atomstudio.tuning.classify.ClassifierRun;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `studio classify predict`: the classes of images.
@Command(
        name = "predict",
        description = "Classifies images with a trained classifier.",
        footer = {"", "Examples:", "  studio classify predict --run runs/flowers rose.jpg tulip.jpg",
                "  studio classify predict --run runs/flowers rose.jpg --top 3 --json"})
final class ClassifyPredictCommand implements Callable<Integer> {
    private final CommandContext context;

    @Option(names = "--run", paramLabel = "RUN", required = true, description = "Folder of the run.")
    private Path run;

    @Option(names = "--top", paramLabel = "N", description = "Classes per image. Default: ${DEFAULT-VALUE}.")
    private int top = 1;

    @Parameters(paramLabel = "IMAGE", arity = "1..*", description = "Image files.")
    private List<Path> images;

    @Mixin
    private final DeviceOption.ForTraining device = new DeviceOption.ForTraining();

    @Mixin
    private final OutputOption output = new OutputOption();

    @Spec
    private CommandSpec spec;

    ClassifyPredictCommand(CommandContext context) {
        this.context = context;
    }

    private record Prediction(Path image, List<String> classes, double[] probabilities) {
        /// Indices of the most probable classes, first.
        private List<Integer> best(int count) {
            return IntStream.range(0, probabilities.length)
                    .boxed()
                    .sorted(Comparator.comparingDouble(index -> -probabilities[index]))
                    .limit(count)
                    .toList();
        }

        List<String> lines(int count) {
            List<String> lines = new ArrayList<>();
            for (int index : best(count))
                lines.add(String.format(Locale.ROOT, "%s  %s %.1f%%", image, classes.get(index),
                        100 * probabilities[index]));
            return lines;
        }

        JsonObject json(int count) {
            JsonArray best = new JsonArray();
            for (int index : best(count)) {
                JsonObject row = new JsonObject();
                row.addProperty("class", classes.get(index));
                row.addProperty("probability", probabilities[index]);
                best.add(row);
            }
            JsonObject json = new JsonObject();
            json.addProperty("image", image.toString());
            json.add("classes", best);
            return json;
        }
    }

    @Override
    public Integer call() throws Failure {
        if (top < 1) throw new UsageError(spec, "--top: expected at least 1, found " + top);
        List<Prediction> predictions = new ArrayList<>();
        try (ClassifierRun classifier = ClassifierRun.open(run, context.machine(device.device(context)))) {
            for (Path image : images)
                predictions.add(new Prediction(image, classifier.info().data().classes(), classifier.predict(image)));
        }
        output.print(context.terminal(), () -> {
            JsonArray all = new JsonArray();
            predictions.forEach(each -> all.add(each.json(top)));
            return all;
        }, () -> predictions.stream().flatMap(each -> each.lines(top).stream()).toList());
        return ExitCode.SUCCESS;
    }
}
