package atomstudio.tuning.config;

import atomstudio.diffusion.model.ModelReference;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.method.MethodSettings;
import java.nio.file.Path;

/// What is to be tuned on what: `pictures` is a folder of pictures; the subject is called "TOKEN CLASS".
public record TrainingRequest(ModelReference model, Path photos, Trigger trigger, MethodSettings method,
        TrainingConfig config) {
    /// One token in CLIP's vocabulary that says nothing by itself.
    public static final String DEFAULT_TOKEN = "sks";

    public TrainingRequest {
        trigger = new Trigger(requireWord("token", trigger.token()), requireWord("class", trigger.className()));
    }

    /// With the method's own steps and rate, the usual token, seed 0 and no previews.
    public static TrainingRequest of(Path model, Path photos, String className, MethodSettings method) {
        return of(ModelReference.of(model), photos, className, method);
    }

    /// The same for a model that more is said of.
    public static TrainingRequest of(ModelReference model, Path photos, String className, MethodSettings method) {
        return new TrainingRequest(model, photos, new Trigger(DEFAULT_TOKEN, className), method,
                TrainingConfig.of(method));
    }

    public TrainingRequest with(TrainingConfig config) {
        return new TrainingRequest(model, photos, trigger, method, config);
    }

    public TrainingRequest withToken(String token) {
        return new TrainingRequest(model, photos, new Trigger(token, trigger.className()), method, config);
    }

    public TrainingRequest withSteps(int steps) {
        return with(config.with(config.schedule().withSteps(steps)));
    }

    public TrainingRequest withLearningRate(double learningRate) {
        return with(config.with(config.schedule().withLearningRate(learningRate)));
    }

    public TrainingRequest withSeed(long seed) {
        return with(config.with(config.schedule().withSeed(seed)));
    }

    public TrainingRequest withPreviewEvery(int previewEvery) {
        return with(config.with(new TrainingConfig.RuntimeConfig(previewEvery, config.runtime().precision(),
                config.runtime().features())));
    }

    private static String requireWord(String name, String text) {
        String trimmed = text.strip();
        if (trimmed.isEmpty()) throw new IllegalArgumentException(name + ": expected a word, found nothing");
        return trimmed;
    }
}
