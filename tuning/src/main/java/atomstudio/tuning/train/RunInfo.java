package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.AtomicFile;
import atomstudio.tuning.method.MethodSettings;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// What a run tunes: `run.json`, written once before the first step.
/// @param numbers numbers tuned
/// @param created ISO time
public record RunInfo(Base base, Subject subject, MethodSettings method, Training training, long numbers, String created) {
    private static final int FORMAT = 1;
    private static final Gson GSON = new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create();

    /// The model that is tuned; `hash` is SHA-256 of its UNet's weights.
    public record Base(Path path, String name, String hash) {}

    /// The pictures and the words for what they show.
    public record Subject(String className, String token, List<Picture> pictures, List<String> captions) {}

    /// A prepared crop in the run's folder `pictures`, and SHA-256 of its pixels.
    public record Picture(String name, String sha256) {}

    /// @param batch pictures a step
    public record Training(int steps, double rate, long seed, int batch, int previewEvery) {}

    static RunInfo read(Path file) throws Failure {
        Json json = Json.read(file);
        if (json.whole("format") != FORMAT) throw new Failure.Incompatible(file + ": expected a run of format " + FORMAT + ", found " + json.whole("format") + "; open it with a newer version");
        Json model = json.object("model");
        Base base = new Base(Path.of(model.text("path")), model.text("name"), model.text("hash"));
        List<Picture> pictures = new ArrayList<>();
        for (JsonElement picture : json.get("pictures", "a list", JsonElement::getAsJsonArray)) {
            Json each = new Json(file + ": pictures", picture.getAsJsonObject());
            pictures.add(new Picture(each.text("name"), each.text("sha256")));
        }
        List<String> captions = json.get("captions", "a list of texts", e -> e.getAsJsonArray().asList().stream().map(JsonElement::getAsString).toList());
        Subject subject = new Subject(json.text("class"), json.text("token"), List.copyOf(pictures), captions);
        MethodSettings method = MethodSettings.parse(json.text("method"), (int) json.whole("atoms"), (int) json.whole("rank"));
        Training training = new Training((int) json.whole("steps"), json.number("rate"), json.whole("seed"), (int) json.whole("batch"), (int) json.whole("previewEvery"));
        return new RunInfo(base, subject, method, training, json.whole("numbers"), json.text("created"));
    }

    void write(Path file) throws Failure {
        JsonObject model = new JsonObject();
        model.addProperty("path", base.path.toString());
        model.addProperty("name", base.name);
        model.addProperty("hash", base.hash);
        JsonObject json = new JsonObject();
        json.addProperty("format", FORMAT);
        json.add("model", model);
        json.addProperty("class", subject.className);
        json.addProperty("token", subject.token);
        json.addProperty("method", method.name());
        json.addProperty("atoms", method.atoms());
        json.addProperty("rank", method.rank());
        json.addProperty("steps", training.steps);
        json.addProperty("rate", training.rate);
        json.addProperty("seed", training.seed);
        json.addProperty("batch", training.batch);
        json.addProperty("previewEvery", training.previewEvery);
        json.add("pictures", pictures());
        JsonArray captions = new JsonArray();
        subject.captions.forEach(captions::add);
        json.add("captions", captions);
        json.addProperty("numbers", numbers);
        json.addProperty("created", created);
        AtomicFile.write(file, out -> out.write((GSON.toJson(json) + "\n").getBytes(StandardCharsets.UTF_8)));
    }

    private JsonArray pictures() {
        JsonArray pictures = new JsonArray();
        for (Picture picture : subject.pictures) {
            JsonObject each = new JsonObject();
            each.addProperty("name", picture.name);
            each.addProperty("sha256", picture.sha256);
            pictures.add(each);
        }
        return pictures;
    }

    /// This run with what is asked of it now: nothing but more steps may differ (and where the model lies).
    /// @throws Failure.Incompatible that names every setting that differs
    RunInfo reconciled(RunInfo asked, Path folder) throws Failure {
        List<String> changed = new ArrayList<>();
        differ(changed, "model", base.name + " " + base.hash, asked.base.name + " " + asked.base.hash);
        differ(changed, "class", subject.className, asked.subject.className);
        differ(changed, "token", subject.token, asked.subject.token);
        differ(changed, "pictures", contents(subject), contents(asked.subject));
        differ(changed, "method", method.name(), asked.method.name());
        differ(changed, "atoms", method.atoms(), asked.method.atoms());
        differ(changed, "rank", method.rank(), asked.method.rank());
        differ(changed, "rate", training.rate, asked.training.rate);
        differ(changed, "seed", training.seed, asked.training.seed);
        differ(changed, "preview-every", training.previewEvery, asked.training.previewEvery);
        if (asked.training.steps < training.steps) differ(changed, "steps (more can be asked for, fewer cannot)", training.steps, asked.training.steps);
        if (!changed.isEmpty()) {
            throw new Failure.Incompatible(folder + ": holds a run with other settings, so it cannot go on with these:\n  " + String.join("\n  ", changed) + "\nAsk for the same ones, or choose another --out.");
        }
        Training longer = new Training(asked.training.steps, training.rate, training.seed, training.batch, training.previewEvery);
        return new RunInfo(new Base(asked.base.path, base.name, base.hash), subject, method, longer, numbers, created);
    }

    private static void differ(List<String> changed, String what, Object here, Object asked) {
        if (!here.equals(asked)) changed.add(what + ": the run has " + here + ", asked for is " + asked);
    }

    /// What the pictures show, whatever their names and order.
    private static String contents(Subject subject) {
        List<String> hashes = subject.pictures.stream().map(picture -> picture.sha256.substring(0, 10)).sorted().toList();
        return hashes.size() + " (" + String.join(" ", hashes) + ")";
    }

    /// The request that makes this run, given the pictures prepared in its folder.
    TuneRequest request(Path pictures) {
        return new TuneRequest(base.path, pictures, subject.className, subject.token, method, training.steps, training.rate, training.seed, training.previewEvery);
    }
}
