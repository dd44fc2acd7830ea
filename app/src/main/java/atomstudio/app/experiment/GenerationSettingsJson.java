package atomstudio.app.experiment;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.GenerationSettings;
import atomstudio.diffusion.json.Json;
import atomstudio.diffusion.sample.Guidance;
import atomstudio.diffusion.sample.PredictionType;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import com.google.gson.JsonObject;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Function;

/// Settings of generated images as fields of a JSON object, in `benchmark.json` and `plan.json`.
public final class GenerationSettingsJson {
    private GenerationSettingsJson() {}

    public static void add(JsonObject json, GenerationSettings generation) {
        SamplingSettings steps = generation.sampling();
        json.addProperty("sampler", steps.sampler().option());
        json.addProperty("schedule", steps.schedule().option());
        json.addProperty("steps", steps.steps());
        steps.eta().ifPresent(eta -> json.addProperty("eta", eta));
        steps.predictionType().ifPresent(type -> json.addProperty("prediction", type.name()));
        json.addProperty("guidance", generation.guidance().scale());
        json.addProperty("guidanceRescale", generation.guidance().rescale());
        json.addProperty("clipSkip", generation.clipSkip());
        json.addProperty("width", generation.width());
        json.addProperty("height", generation.height());
    }

    public static GenerationSettings read(Json json) throws Failure {
        Optional<Double> eta = json.find("eta", "a number", Json::number);
        Optional<PredictionType> prediction = json.find("prediction", "a prediction type",
                element -> PredictionType.valueOf(element.getAsString()));
        SamplingSettings steps = new SamplingSettings(
                oneOf(json, "sampler", SamplerName.values(), SamplerName::option),
                oneOf(json, "schedule", ScheduleName.values(), ScheduleName::option),
                json.integer("steps", 1, SamplingSettings.MAX_STEPS),
                eta.isPresent() ? OptionalDouble.of(eta.get()) : OptionalDouble.empty(), prediction);
        return new GenerationSettings(steps, new Guidance(json.number("guidance"), json.number("guidanceRescale")),
                json.integer("clipSkip", 1, 100), json.integer("width", 1, 1 << 20),
                json.integer("height", 1, 1 << 20));
    }

    /// The constant with the name that a field has.
    public static <N> N oneOf(Json json, String key, N[] values, Function<N, String> nameOf) throws Failure {
        String name = json.string(key);
        for (N value : values) if (nameOf.apply(value).equals(name)) return value;
        throw new Failure.Unreadable(json.source() + ": " + key + ": found \"" + name
                + "\", which this version does not know");
    }
}
