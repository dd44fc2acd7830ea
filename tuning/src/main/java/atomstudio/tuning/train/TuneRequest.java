package atomstudio.tuning.train;

import atomstudio.tuning.method.MethodSettings;
import java.nio.file.Path;

/// What is to be tuned on what. `model` is a model folder, `pictures` a folder of pictures; the subject is called "TOKEN CLASS".
/// @param previewEvery steps from one preview picture to the next; 0 for none
public record TuneRequest(Path model, Path pictures, String className, String token, MethodSettings method, int steps, double rate, long seed, int previewEvery) {
    /// One token in CLIP's vocabulary that says nothing by itself.
    public static final String TOKEN = "sks";

    public TuneRequest {
        className = word("class", className);
        token = word("token", token);
        if (steps < 1) throw new IllegalArgumentException("steps: expected at least 1, found " + steps);
        if (!(rate > 0 && rate < 10)) throw new IllegalArgumentException("rate: expected a number above 0 and below 10, found " + rate);
        if (previewEvery < 0) throw new IllegalArgumentException("preview-every: expected 0 (none) or more, found " + previewEvery);
    }

    /// With the method's own steps and rate, the usual token, seed 0 and no previews.
    public static TuneRequest of(Path model, Path pictures, String className, MethodSettings method) {
        return new TuneRequest(model, pictures, className, TOKEN, method, method.choice().steps(), method.choice().rate(), 0, 0);
    }

    public TuneRequest withToken(String token) {
        return new TuneRequest(model, pictures, className, token, method, steps, rate, seed, previewEvery);
    }

    public TuneRequest withSteps(int steps) {
        return new TuneRequest(model, pictures, className, token, method, steps, rate, seed, previewEvery);
    }

    public TuneRequest withRate(double rate) {
        return new TuneRequest(model, pictures, className, token, method, steps, rate, seed, previewEvery);
    }

    public TuneRequest withSeed(long seed) {
        return new TuneRequest(model, pictures, className, token, method, steps, rate, seed, previewEvery);
    }

    public TuneRequest withPreviewEvery(int previewEvery) {
        return new TuneRequest(model, pictures, className, token, method, steps, rate, seed, previewEvery);
    }

    private static String word(String what, String text) {
        String trimmed = text.strip();
        if (trimmed.isEmpty()) throw new IllegalArgumentException(what + ": expected a word, found nothing");
        return trimmed;
    }
}
