package atomstudio.app.cli;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Layer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.TuningMethod;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `studio methods`: every method with its settings and what it would tune, from the family itself and a dry run of
/// the model.
@Command(
        name = "methods",
        description = "Lists the tuning methods: their settings with defaults, and what each tunes of a model.",
        footer = {"", "Examples:", "  studio methods",
                "  studio methods --model ~/models/stable-diffusion-v1-5 --json"})
final class MethodsCommand implements Callable<Integer>, Main.RunsWithoutNatives {
    private final CommandContext context;

    @Mixin
    private BaseModelOptions modelOptions = new BaseModelOptions();

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    MethodsCommand(CommandContext context) {
        this.context = context;
    }

    /// A method on a model, with its usual settings.
    private record MethodRow(MethodSettings settings, List<Layer> trainedLayers, List<Layer> skippedLayers,
            long trainableParameters, long fileBytes) {
        static MethodRow of(MethodName choice, String model, List<Layer> layers) {
            MethodSettings settings = MethodSettings.of(choice);
            TuningMethod method = settings.method();
            return new MethodRow(settings, layers.stream().filter(method::tunes).toList(),
                    layers.stream().filter(method::skipsIndivisible).toList(), method.parameterCount(layers),
                    AdapterFile.predictedFileSize(settings, model, layers));
        }

        String line() {
            return String.format(Locale.ROOT, "%-22s %,13d numbers %10s  %11s  %3d steps at %s", settings.name(),
                    trainableParameters, DisplayFormat.bytes(fileBytes),
                    DisplayFormat.plural(trainedLayers.size(), "layer"),
                    settings.choice().steps(), BigDecimal.valueOf(settings.choice().learningRate()).toPlainString());
        }

        String options() {
            List<MethodSetting> methodSettings = settings.choice().settings();
            String options = methodSettings.stream()
                    .map(setting -> "--" + setting.option() + " " + settings.value(setting))
                    .collect(Collectors.joining(" "));
            String skippedText = skippedLayers.isEmpty() ? ""
                    : " (left alone, since their sides do not divide: "
                            + skippedLayers.stream().map(Layer::name).collect(Collectors.joining(", ")) + ")";
            return "    " + settings.displayName() + (options.isEmpty() ? "" : ": " + options) + skippedText;
        }

        JsonObject json() {
            JsonObject object = new JsonObject();
            object.addProperty("method", settings.name());
            object.addProperty("display", settings.displayName());
            JsonObject defaults = new JsonObject();
            for (MethodSetting setting : settings.settings())
                defaults.addProperty(setting.option(), settings.value(setting));
            object.add("settings", defaults);
            object.addProperty("steps", settings.choice().steps());
            object.addProperty("rate", settings.choice().learningRate());
            object.addProperty("numbers", trainableParameters);
            object.addProperty("bytes", fileBytes);
            object.add("layers", names(trainedLayers));
            object.add("leftAlone", names(skippedLayers));
            return object;
        }

        private static JsonArray names(List<Layer> layers) {
            JsonArray names = new JsonArray();
            layers.forEach(layer -> names.add(layer.name()));
            return names;
        }
    }

    @Override
    public Integer call() throws Failure {
        DiffusionModel model = modelOptions.reference(context, Optional.empty()).open();
        List<Layer> layers = model.trainableLayers();
        List<MethodRow> rows = List.of(MethodName.values())
                .stream()
                .map(choice -> MethodRow.of(choice, model.name(), layers))
                .toList();
        if (json) {
            JsonObject object = new JsonObject();
            object.addProperty("model", model.name());
            JsonArray methods = new JsonArray();
            rows.forEach(row -> methods.add(row.json()));
            object.add("methods", methods);
            context.terminal()
                    .printResult(new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create().toJson(object));
        } else {
            context.terminal().printResult("On " + model.name() + ", with the usual settings:");
            for (MethodRow row : rows) {
                context.terminal().printResult(row.line());
                context.terminal().printResult(row.options());
            }
            context.terminal().printResult("With every method: --combine-with METHOD, --train-text-encoder.");
        }
        return ExitCode.SUCCESS;
    }
}
