package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.model.ModelLoadOptions;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.diffusion.sample.Seed;
import atomstudio.diffusion.tensor.AtomicFile;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.method.MethodSettings;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/// What a run tunes: `run.json`, written once before the first step.
/// @param numbers numbers tuned
/// @param created ISO time
public record RunInfo(Base base, Subject subject, MethodSettings method, Training training, long numbers, String created) {
    private static final Gson GSON = new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create();

    /// The model that is tuned; `hash` names the weights that are trained on, as in `BaseModelHashes`.
    /// @param choices what the person said of the model, without places to look for a tokenizer: these are the machine's
    public record Base(Path path, String name, String hash, ModelLoadOptions choices) {
        public Base {
            choices = choices.withTokenizerFolders(List.of());
        }

        /// A model that nothing more was said of.
        public Base(Path path, String name, String hash) {
            this(path, name, hash, ModelLoadOptions.defaults());
        }

        /// To be opened on a machine that looks for tokenizers in these places.
        public ModelReference model(List<Path> vocabularies) {
            return new ModelReference(path, choices.withTokenizerFolders(vocabularies));
        }
    }

    /// The pictures and the words for what they show.
    public record Subject(String className, String token, List<Picture> pictures, List<String> captions) {
        /// As they stand in a prompt.
        String words() {
            return token + " " + className;
        }
    }

    /// A prepared picture in the run's folder `pictures`, and SHA-256 of its pixels; `mask` is that of its mask in the folder `masks`,
    /// empty without one; `captions` are its own, none where the subject's hold; `repeats` says how often it is drawn beside the others.
    public record Picture(String name, String sha256, String mask, List<String> captions, int repeats) {
        public Picture {
            captions = List.copyOf(captions);
        }

        /// Drawn as often as any other.
        public Picture(String name, String sha256, String mask, List<String> captions) {
            this(name, sha256, mask, captions, 1);
        }
    }

    /// @param batch pictures a pass, and
    /// @param size  side of a square picture in pixels: what the recipe leaves open is decided here
    /// @param prior prepared pictures of the class in the run's folder `prior`; none where the base model makes them
    public record Training(Recipe recipe, int batch, int size, List<Picture> prior) {
        /// Of a run without given pictures of the class.
        public Training(Recipe recipe, int batch, int size) {
            this(recipe, batch, size, List.of());
        }

        public int steps() {
            return recipe.course().steps();
        }

        public double rate() {
            return recipe.course().rate();
        }

        public long seed() {
            return recipe.course().seed();
        }

        public int previewEvery() {
            return recipe.running().previewEvery();
        }

        Training withSteps(int steps) {
            return new Training(recipe.with(recipe.course().withSteps(steps)), batch, size, prior);
        }
    }

    static RunInfo read(Path file) throws Failure {
        return RunInfoJson.read(file);
    }

    void write(Path file) throws Failure {
        JsonObject model = new JsonObject();
        model.addProperty("path", base.path.toString());
        model.addProperty("name", base.name);
        model.addProperty("hash", base.hash);
        BaseJson.write(base.choices, model);
        JsonObject json = new JsonObject();
        json.addProperty("format", RunInfoJson.FORMAT);
        json.add("model", model);
        json.addProperty("class", subject.className);
        json.addProperty("token", subject.token);
        json.addProperty("method", method.name());
        JsonObject settings = new JsonObject();
        method.entries().forEach(settings::addProperty);
        json.add("settings", settings);
        json.add("recipe", RecipeJson.write(training.recipe));
        json.addProperty("batch", training.batch);
        json.addProperty("size", training.size);
        json.add("pictures", array(subject.pictures, RunInfo::json));
        if (!training.prior.isEmpty()) json.add("prior", array(training.prior, RunInfo::json));
        json.add("captions", array(subject.captions, JsonPrimitive::new));
        json.addProperty("numbers", numbers);
        json.addProperty("created", created);
        AtomicFile.write(file, out -> out.write((GSON.toJson(json) + "\n").getBytes(StandardCharsets.UTF_8)));
    }

    private static JsonElement json(Picture picture) {
        JsonObject json = new JsonObject();
        json.addProperty("name", picture.name);
        json.addProperty("sha256", picture.sha256);
        if (!picture.mask.isEmpty()) json.addProperty("mask", picture.mask);
        if (!picture.captions.isEmpty()) json.add("captions", array(picture.captions, JsonPrimitive::new));
        if (picture.repeats != 1) json.addProperty("repeats", picture.repeats);
        return json;
    }

    private static <T> JsonArray array(List<T> values, Function<T, JsonElement> as) {
        JsonArray array = new JsonArray();
        values.forEach(value -> array.add(as.apply(value)));
        return array;
    }

    /// Checks that an adapter or checkpoint in the run's folder is what this run made.
    /// @throws Failure.Unreadable that names what differs
    void requireMade(AdapterFile adapter, Path file) throws Failure.Unreadable {
        List<String> other = new ArrayList<>();
        requireSame(other, "model: hash", base.hash, adapter.base().hash());
        requireSame(other, "class", subject.className, adapter.trigger().className());
        requireSame(other, "token", subject.token, adapter.trigger().token());
        requireSame(other, "method", method.name() + " " + method.entries(), adapter.method().name() + " " + adapter.method().entries());
        requireSame(other, "recipe: rate", training.rate(), adapter.training().learningRate());
        requireSame(other, "recipe: seed", Seed.format(training.seed()), Seed.format(adapter.training().seed()));
        if (adapter.training().steps() > training.steps()) other.add("recipe: steps: " + training.steps() + " here, " + adapter.training().steps() + " there");
        if (!other.isEmpty()) {
            throw new Failure.Unreadable(file.resolveSibling("run.json") + ": expected the description of the run that " + file.getFileName() + " belongs to, found another:\n  "
                    + String.join("\n  ", other) + "\nPut the run's own file back, or start a new run.");
        }
    }

    private static void requireSame(List<String> other, String key, Object here, Object there) {
        if (!here.equals(there)) other.add(key + ": " + SafeText.of(here) + " here, " + SafeText.of(there) + " there");
    }

    /// This run with what is asked of it now: nothing but more steps may differ (and where the model lies).
    /// @throws Failure.Incompatible that names every setting that differs
    RunInfo reconciled(RunInfo asked, Path folder) throws Failure {
        List<String> changed = new ArrayList<>();
        differ(changed, "model", base.name + " " + base.hash, asked.base.name + " " + asked.base.hash);
        differ(changed, "prediction", base.choices.predictionType(), asked.base.choices.predictionType());
        differ(changed, "vae", base.choices.vae(), asked.base.choices.vae());
        differ(changed, "class", subject.className, asked.subject.className);
        differ(changed, "token", subject.token, asked.subject.token);
        differ(changed, "pictures", contents(subject.pictures), contents(asked.subject.pictures));
        differ(changed, "pictures of the class", contents(training.prior), contents(asked.training.prior));
        differ(changed, "captions beside pictures", ownCaptions(subject.pictures), ownCaptions(asked.subject.pictures));
        differ(changed, "captions beside pictures of the class", ownCaptions(training.prior), ownCaptions(asked.training.prior));
        differ(changed, "method", method.name(), asked.method.name());
        if (method.choice() == asked.method.choice()) settingsDiffer(changed, method.entries(), asked.method.entries());
        differ(changed, asked);
        if (!changed.isEmpty()) {
            throw new Failure.Incompatible(folder + ": holds a run with other settings, so it cannot go on with these:\n  " + String.join("\n  ", changed) + "\nAsk for the same ones, or choose another --out.");
        }
        Training sized = new Training(training.recipe, training.batch, training.size == Recipe.OPEN ? asked.training.size : training.size, training.prior);
        return new RunInfo(new Base(asked.base.path, base.name, base.hash, asked.base.choices), subject, method, sized.withSteps(asked.training.steps()), numbers, created);
    }

    /// The recipe's settings by their options' names. What both leave open is as the run has it; more steps may be asked for where
    /// the rate does not depend on their number.
    private void differ(List<String> changed, RunInfo asked) {
        Map<String, Object> here = RecipeJson.settings(training.recipe);
        Map<String, Object> there = RecipeJson.settings(asked.training.recipe);
        for (String name : List.of("batch", "size")) {
            if (here.get(name).equals(there.get(name))) continue;
            here.put(name, name.equals("batch") ? training.batch : training.size);
            there.put(name, name.equals("batch") ? asked.training.batch : asked.training.size);
        }
        int steps = training.steps();
        int wished = asked.training.steps();
        here.remove("steps");
        if (!training.prior.isEmpty() && !asked.training.prior.isEmpty()) here.remove("prior");
        if (training.recipe.course().decay() == Recipe.Decay.COSINE) differ(changed, "steps (the rate falls towards the last one, so that the run was made for this many; --decay constant lets them grow)", steps, wished);
        else if (wished < steps) differ(changed, "steps (more can be asked for, fewer cannot)", steps, wished);
        here.forEach((name, value) -> differ(changed, name, value, there.get(name)));
    }

    private static void settingsDiffer(List<String> changed, Map<String, String> here, Map<String, String> asked) {
        Set<String> settings = new LinkedHashSet<>(here.keySet());
        settings.addAll(asked.keySet());
        for (String setting : settings) differ(changed, setting, here.getOrDefault(setting, "none"), asked.getOrDefault(setting, "none"));
    }

    private static void differ(List<String> changed, String what, Object here, Object asked) {
        if (!here.equals(asked)) changed.add(what + ": the run has " + here + ", asked for is " + asked);
    }

    private static List<String> ownCaptions(List<Picture> pictures) {
        return pictures.stream().flatMap(picture -> picture.captions.stream()).sorted().toList();
    }

    /// What the pictures show, whatever their names and order.
    private static String contents(List<Picture> pictures) {
        List<String> hashes = pictures.stream().map(picture -> picture.sha256.substring(0, 10) + (picture.mask.isEmpty() ? "" : " masked " + picture.mask.substring(0, 10))
                + (picture.repeats == 1 ? "" : " repeated " + picture.repeats)).sorted().toList();
        return hashes.size() + " (" + String.join(" ", hashes) + ")";
    }
}
