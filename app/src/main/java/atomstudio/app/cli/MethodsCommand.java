package atomstudio.app.cli;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Layer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ModelSize;
import atomstudio.tuning.method.Paper;
import atomstudio.tuning.method.TuningMethod;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// `studio methods`: every tuning method with its settings, and the layers and parameters it trains of a model.
@Command(
        name = "methods",
        description = "Lists the tuning methods: settings with defaults, trained layers and parameters of a model, and "
                + "papers.",
        footer = {"", "Examples:", "  studio methods",
                "  studio methods --model ~/models/stable-diffusion-v1-5 --json"})
final class MethodsCommand implements Callable<Integer>, Main.RunsWithoutNatives {
    private final CommandContext context;

    @Mixin
    private BaseModelOptions modelOptions = new BaseModelOptions();

    @Mixin
    private OutputOption output = new OutputOption();

    MethodsCommand(CommandContext context) {
        this.context = context;
    }

    /// A method on a model, with its default settings.
    private record MethodRow(MethodSettings settings, ModelSize size, List<Layer> trainedLayers,
            List<Layer> skippedLayers, long trainableParameters, long fileBytes) {
        static MethodRow of(MethodName choice, DiffusionModel model, List<Layer> layers) {
            MethodSettings settings = MethodSettings.of(choice);
            TuningMethod method = settings.method();
            return new MethodRow(settings, ModelSize.of(model.unetParameterCount()),
                    layers.stream().filter(method::tunes).toList(),
                    layers.stream().filter(method::skipsIndivisible).toList(), method.parameterCount(layers),
                    AdapterFile.predictedFileSize(settings, model.name(), layers));
        }

        String line() {
            return String.format(Locale.ROOT, "%-22s %,13d parameters %10s  %11s  %4d steps, learning rate %s",
                    settings.name(), trainableParameters, DisplayFormat.bytes(fileBytes),
                    DisplayFormat.plural(trainedLayers.size(), "layer"), settings.choice().steps(size),
                    BigDecimal.valueOf(settings.choice().learningRate(size)).toPlainString());
        }

        String options() {
            List<MethodSetting> methodSettings = settings.choice().settings();
            String options = methodSettings.stream()
                    .map(setting -> "--" + setting.option() + " " + settings.value(setting))
                    .collect(Collectors.joining(" "));
            String skipped = skippedLayers.stream().map(Layer::name).collect(Collectors.joining(", "));
            return "    " + settings.displayName() + (options.isEmpty() ? "" : ": " + options)
                    + (skipped.isEmpty() ? "" : " (skips layers whose sides are not divisible: " + skipped + ")");
        }

        JsonObject json() {
            JsonObject object = new JsonObject();
            object.addProperty("method", settings.name());
            object.addProperty("display", settings.displayName());
            JsonObject defaults = new JsonObject();
            for (MethodSetting setting : settings.settings())
                defaults.addProperty(setting.option(), settings.value(setting));
            object.add("settings", defaults);
            object.addProperty("steps", settings.choice().steps(size));
            object.addProperty("rate", settings.choice().learningRate(size));
            object.addProperty("parameters", trainableParameters);
            object.addProperty("numbers", trainableParameters);
            object.addProperty("bytes", fileBytes);
            object.add("papers", MethodsCommand.json(Paper.of(settings.choice())));
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
        List<MethodRow> rows = Stream.of(MethodName.values())
                .map(choice -> MethodRow.of(choice, model, layers))
                .toList();
        output.printIndented(context.terminal(), () -> json(model, rows), () -> lines(model, rows));
        return ExitCode.SUCCESS;
    }

    private static List<String> lines(DiffusionModel model, List<MethodRow> rows) {
        List<String> lines = new ArrayList<>();
        lines.add(model.name() + ", default settings:");
        rows.forEach(row -> {
            lines.addAll(List.of(row.line(), row.options()));
            lines.addAll(lines(Paper.of(row.settings.choice())));
        });
        lines.add("Settings that are methods of their own papers:");
        for (Paper.Variant variant : Paper.Variant.ALL) {
            lines.add(String.format(Locale.ROOT, "%-22s %s, of %s", variant.option(), variant.displayName(),
                    String.join(", ", variant.setting().methods())));
            lines.addAll(lines(variant.papers()));
        }
        lines.add("For every method: --" + MethodSetting.COMBINE_WITH.option() + " METHOD, --"
                + MethodSetting.TRAIN_TEXT_ENCODER.option() + ", --" + MethodSetting.LAYERS.option() + " LIST.");
        return lines;
    }

    private static List<String> lines(List<Paper> papers) {
        return papers.stream().map(paper -> "    " + paper.citation() + ", " + paper.title()).toList();
    }

    private static JsonArray json(List<Paper> papers) {
        JsonArray array = new JsonArray();
        for (Paper paper : papers) {
            JsonObject object = new JsonObject();
            object.addProperty("authors", paper.authors());
            object.addProperty("year", paper.year());
            object.addProperty("title", paper.title());
            array.add(object);
        }
        return array;
    }

    private static JsonObject json(Paper.Variant variant) {
        JsonObject object = new JsonObject();
        object.addProperty("display", variant.displayName());
        object.addProperty("option", variant.option());
        JsonArray methods = new JsonArray();
        variant.setting().methods().forEach(methods::add);
        object.add("methods", methods);
        object.add("papers", json(variant.papers()));
        return object;
    }

    private static JsonElement json(DiffusionModel model, List<MethodRow> rows) {
        JsonArray methods = new JsonArray();
        rows.forEach(row -> methods.add(row.json()));
        JsonObject object = new JsonObject();
        object.addProperty("model", model.name());
        object.add("methods", methods);
        JsonArray variants = new JsonArray();
        Paper.Variant.ALL.forEach(variant -> variants.add(json(variant)));
        object.add("variants", variants);
        return object;
    }
}
