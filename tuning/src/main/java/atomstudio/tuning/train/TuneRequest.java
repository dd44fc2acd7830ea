package atomstudio.tuning.train;

import atomstudio.diffusion.model.ModelReference;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.method.MethodSettings;
import java.nio.file.Path;

/// What is to be tuned on what: `pictures` is a folder of pictures; the subject is called "TOKEN CLASS".
public record TuneRequest(ModelReference model, Path pictures, Trigger words, MethodSettings method, Recipe recipe) {
    /// One token in CLIP's vocabulary that says nothing by itself.
    public static final String TOKEN = "sks";

    public TuneRequest {
        words = new Trigger(word("token", words.token()), word("class", words.className()));
    }

    /// With the method's own steps and rate, the usual token, seed 0 and no previews.
    public static TuneRequest of(Path model, Path pictures, String className, MethodSettings method) {
        return of(ModelReference.of(model), pictures, className, method);
    }

    /// The same for a model that more is said of.
    public static TuneRequest of(ModelReference model, Path pictures, String className, MethodSettings method) {
        return new TuneRequest(model, pictures, new Trigger(TOKEN, className), method, Recipe.of(method));
    }

    public TuneRequest with(Recipe recipe) {
        return new TuneRequest(model, pictures, words, method, recipe);
    }

    public TuneRequest withToken(String token) {
        return new TuneRequest(model, pictures, new Trigger(token, words.className()), method, recipe);
    }

    public TuneRequest withSteps(int steps) {
        return with(recipe.with(recipe.course().withSteps(steps)));
    }

    public TuneRequest withRate(double rate) {
        return with(recipe.with(recipe.course().withRate(rate)));
    }

    public TuneRequest withSeed(long seed) {
        return with(recipe.with(recipe.course().withSeed(seed)));
    }

    public TuneRequest withPreviewEvery(int previewEvery) {
        return with(recipe.with(new Recipe.Running(previewEvery, recipe.running().precision(), recipe.running().features())));
    }

    private static String word(String what, String text) {
        String trimmed = text.strip();
        if (trimmed.isEmpty()) throw new IllegalArgumentException(what + ": expected a word, found nothing");
        return trimmed;
    }
}
