package atomstudio.app.experiment;

import atomstudio.app.experiment.Trial.Phase;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.GenerationSettings;
import atomstudio.diffusion.json.Json;
import atomstudio.tuning.config.TrainingConfig.PrecisionMode;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// What the processes of an experiment share: `plan.json`.
/// @param model     its folder
/// @param photos    folder with one folder of photos per subject
/// @param sampling  of every evaluated image
/// @param precision of training
public record ExperimentSettings(Path model, Path photos, GenerationSettings sampling, PrecisionMode precision,
        ExperimentPlan plan) {
    JsonObject toJson() {
        JsonObject json = new JsonObject();
        json.addProperty("format", 1);
        json.addProperty("model", model.toString());
        json.addProperty("photos", photos.toString());
        GenerationSettingsJson.add(json, sampling);
        json.addProperty("precision", precision.option());
        json.add("phases", array(plan.phases().stream().map(Phase::label).toList()));
        json.add("subjects", array(plan.subjects()));
        JsonArray variants = new JsonArray();
        plan.variants().forEach(variant -> variants.add(json(variant)));
        json.add("methods", variants);
        json.addProperty("seeds", plan.seeds());
        JsonObject rates = new JsonObject();
        plan.learningRates().forEach(rates::addProperty);
        json.add("learningRates", rates);
        json.addProperty("stepsScale", plan.runLength().stepsScale());
        json.addProperty("checkpoints", plan.runLength().checkpoints());
        return json;
    }

    private static JsonObject json(MethodVariant variant) {
        JsonObject json = new JsonObject();
        json.addProperty("name", variant.name());
        json.add("options", array(variant.options()));
        json.addProperty("steps", variant.steps());
        JsonArray rates = new JsonArray();
        variant.learningRates().forEach(rates::add);
        json.add("learningRates", rates);
        json.addProperty("seeds", variant.seeds());
        return json;
    }

    private static JsonArray array(List<String> texts) {
        JsonArray array = new JsonArray();
        texts.forEach(array::add);
        return array;
    }

    static ExperimentSettings read(Path file) throws Failure {
        Json json = Json.read(file);
        List<Phase> phases = new ArrayList<>();
        for (String label : json.strings("phases"))
            phases.add(json.get("phases", "phases tune and test",
                    _ -> List.of(Phase.values())
                            .stream()
                            .filter(p -> p.label().equals(label))
                            .findFirst()
                            .orElseThrow()));
        List<MethodVariant> variants = new ArrayList<>();
        for (Json variant : json.objects("methods"))
            variants.add(new MethodVariant(variant.string("name"), variant.strings("options"),
                    variant.integer("steps", 1, Integer.MAX_VALUE), variant.get("learningRates", "numbers",
                            rates -> rates.getAsJsonArray().asList().stream().map(JsonElement::getAsDouble).toList()),
                    variant.integer("seeds", 1, Integer.MAX_VALUE)));
        Map<String, Double> rates = new HashMap<>();
        Json ratesJson = json.object("learningRates");
        for (String method : ratesJson.object().keySet()) rates.put(method, ratesJson.number(method));
        ExperimentPlan plan = new ExperimentPlan(phases, json.strings("subjects"), variants,
                json.integer("seeds", 1, Integer.MAX_VALUE), rates, new ExperimentPlan.RunLength(
                        json.number("stepsScale"), json.integer("checkpoints", 1, Integer.MAX_VALUE)));
        return new ExperimentSettings(Path.of(json.string("model")), Path.of(json.string("photos")),
                GenerationSettingsJson.read(json),
                GenerationSettingsJson.oneOf(json, "precision", PrecisionMode.values(), PrecisionMode::option), plan);
    }
}
