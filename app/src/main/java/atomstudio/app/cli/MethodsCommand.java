package atomstudio.app.cli;

import atomstudio.app.desktop.Readable;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.ops.Layer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.method.MethodSettings.Choice;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.Setting;
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

/// `studio methods`: every method with its settings and what it would tune, from the family itself and a dry run of the model.
@Command(
        name = "methods",
        description = "Lists the tuning methods: their settings with defaults, and what each tunes of a model.",
        footer = {"", "Examples:", "  studio methods", "  studio methods --model ~/models/stable-diffusion-v1-5 --json"})
final class MethodsCommand implements Callable<Integer>, WithoutNatives {
    private final Studio studio;

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    MethodsCommand(Studio studio) {
        this.studio = studio;
    }

    /// A method on a model, with its usual settings.
    private record Row(MethodSettings settings, List<Layer> tuned, List<Layer> leftAlone, long numbers, long bytes) {
        static Row of(Choice choice, String model, List<Layer> layers) {
            MethodSettings settings = MethodSettings.of(choice);
            TuningMethod method = settings.method();
            return new Row(settings, layers.stream().filter(method::tunes).toList(), layers.stream().filter(method::leavesAlone).toList(), method.numbers(layers), AdapterFile.bytes(settings, model, layers));
        }

        String line() {
            return String.format(Locale.ROOT, "%-22s %,13d numbers %10s  %11s  %3d steps at %s", settings.name(), numbers, Readable.bytes(bytes), Readable.plural(tuned.size(), "layer"),
                    settings.choice().steps(), BigDecimal.valueOf(settings.choice().rate()).toPlainString());
        }

        String options() {
            List<Setting> own = settings.choice().settings();
            String options = own.stream().map(setting -> "--" + setting.command() + " " + settings.value(setting)).collect(Collectors.joining(" "));
            String alone = leftAlone.isEmpty() ? "" : " (left alone, since their sides do not divide: " + leftAlone.stream().map(Layer::name).collect(Collectors.joining(", ")) + ")";
            return "    " + settings.displayName() + (options.isEmpty() ? "" : ": " + options) + alone;
        }

        JsonObject json() {
            JsonObject object = new JsonObject();
            object.addProperty("method", settings.name());
            object.addProperty("display", settings.displayName());
            JsonObject usual = new JsonObject();
            for (Setting setting : settings.settings()) usual.addProperty(setting.command(), settings.value(setting));
            object.add("settings", usual);
            object.addProperty("steps", settings.choice().steps());
            object.addProperty("rate", settings.choice().rate());
            object.addProperty("numbers", numbers);
            object.addProperty("bytes", bytes);
            object.add("layers", names(tuned));
            object.add("leftAlone", names(leftAlone));
            return object;
        }

        private static JsonArray names(List<Layer> layers) {
            JsonArray names = new JsonArray();
            layers.forEach(layer -> names.add(layer.name()));
            return names;
        }
    }

    @Override public Integer call() throws Failure {
        ModelFolder folder = model.named(studio, Optional.empty()).open();
        List<Layer> layers = folder.tunable();
        List<Row> rows = List.of(Choice.values()).stream().map(choice -> Row.of(choice, folder.name(), layers)).toList();
        if (json) {
            JsonObject object = new JsonObject();
            object.addProperty("model", folder.name());
            JsonArray methods = new JsonArray();
            rows.forEach(row -> methods.add(row.json()));
            object.add("methods", methods);
            studio.terminal().result(new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create().toJson(object));
        } else {
            studio.terminal().result("On " + folder.name() + ", with the usual settings:");
            for (Row row : rows) {
                studio.terminal().result(row.line());
                studio.terminal().result(row.options());
            }
            studio.terminal().result("With every method: --also METHOD, --text-encoder.");
        }
        return ExitCode.DONE;
    }
}
