package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import atomstudio.diffusion.model.ModelLoadOptions;
import atomstudio.diffusion.sample.PredictionType;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// What a person said of a run's base model, in its description; keys that nothing was said of are not written.
final class ModelChoicesJson {
    private static final String PREDICTION = "prediction";
    private static final String VAE = "vae";
    private static final String TOKENIZER = "tokenizer";

    private ModelChoicesJson() {}

    static ModelLoadOptions choices(Json model) throws Failure.Unreadable {
        return new ModelLoadOptions(prediction(model), path(model, VAE), path(model, TOKENIZER), List.of());
    }

    private static Optional<PredictionType> prediction(Json model) throws Failure.Unreadable {
        if (!model.has(PREDICTION)) return Optional.empty();
        return Optional.of(model.get(PREDICTION, "epsilon, v or sample", e -> PredictionType.ofOption(Json.string(e)).orElseThrow()));
    }

    private static Optional<Path> path(Json model, String key) throws Failure.Unreadable {
        return model.find(key, "a path", Json::path);
    }

    static void write(ModelLoadOptions choices, JsonObject model) {
        choices.predictionType().ifPresent(prediction -> model.addProperty(PREDICTION, prediction.option()));
        choices.vae().ifPresent(path -> model.addProperty(VAE, path.toAbsolutePath().normalize().toString()));
        choices.tokenizer().ifPresent(path -> model.addProperty(TOKENIZER, path.toAbsolutePath().normalize().toString()));
    }
}
