package atomstudio.app.benchmark;

import atomstudio.app.benchmark.BenchmarkDataset.Subject;
import atomstudio.app.experiment.ExperimentRow;
import atomstudio.app.experiment.ExperimentSubject;
import atomstudio.app.experiment.MethodVariant;
import atomstudio.app.experiment.Trial;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import atomstudio.tuning.method.MethodName;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// One run: a subject, a method with its settings, and a training seed. Its images, embeddings and result are in the
/// folder [#name] of `runs/`.
/// @param method its name in tables; [#UNTUNED]: the base model, prompted with the class
/// @param options of `studio train`, including the method; empty for the base model
public record BenchmarkRun(Subject subject, String method, List<String> options, double learningRate, int steps,
        long seed) {
    /// The base model without training.
    public static final String UNTUNED = ExperimentRow.Key.BASE_MODEL;

    public BenchmarkRun {
        options = List.copyOf(options);
    }

    static BenchmarkRun untuned(Subject subject) {
        return new BenchmarkRun(subject, UNTUNED, List.of(), 0, 0, 0);
    }

    boolean isUntuned() { return method.equals(UNTUNED); }

    /// The method of a name: one of the experiment's, or a tuning method; empty if unknown.
    public static Optional<MethodVariant> variant(String name) {
        Optional<MethodVariant> known = MethodVariant.ofName(name);
        if (known.isPresent()) return known;
        try {
            return Optional.of(MethodVariant.of(MethodName.ofOption(name).option(), "--method " + name));
        } catch (IllegalArgumentException unknown) {
            return Optional.empty();
        }
    }

    /// `owl/atoms+word-0.01-100-0`: subject, method, learning rate, steps and seed.
    public String name() {
        return subject.name() + "/" + (isUntuned() ? method : trial().folderName().replaceFirst("^[^/]*/", ""));
    }

    /// The run as a trial of the experiment, which trains it.
    Trial trial() {
        return new Trial(Trial.Phase.TEST,
                new ExperimentSubject(subject.name(), subject.className(), ExperimentSubject.SubjectKind.KNOWN_CLASS),
                new MethodVariant(method, options, steps, List.of(learningRate), 1),
                new Trial.TrialSettings(learningRate, steps, seed, 1));
    }

    JsonObject toJson() {
        JsonObject json = new JsonObject();
        json.addProperty("subject", subject.name());
        json.addProperty("class", subject.className());
        json.addProperty("live", subject.live());
        json.addProperty("photos", subject.photos().toString());
        json.addProperty("method", method);
        JsonArray optionArray = new JsonArray();
        options.forEach(optionArray::add);
        json.add("options", optionArray);
        json.addProperty("learningRate", learningRate);
        json.addProperty("steps", steps);
        json.addProperty("seed", seed);
        return json;
    }

    static BenchmarkRun parse(Json json) throws Failure {
        Subject subject = new Subject(json.string("subject"), json.string("class"),
                json.get("live", "true or false", element -> element.getAsBoolean()), Path.of(json.string("photos")));
        return new BenchmarkRun(subject, json.string("method"), json.strings("options"), json.number("learningRate"),
                json.integer("steps", 0, Integer.MAX_VALUE), json.integer("seed"));
    }
}
