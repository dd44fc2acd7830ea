package atomstudio.tuning.run;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.sample.Seed;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingConfigJson;
import atomstudio.tuning.config.TrainingSetting;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Compares a run with an adapter in its folder, or with a request to continue it, and lists what differs.
final class RunComparison {
    private final RunInfo run;
    private final List<String> differences = new ArrayList<>();

    private RunComparison(RunInfo run) {
        this.run = run;
    }

    /// Checks that an adapter or checkpoint in the run's folder was written by this run.
    /// @throws Failure.Unreadable that lists the differences
    static void requireBelongs(RunInfo run, AdapterFile adapter, Path file) throws Failure.Unreadable {
        List<String> mismatches = new RunComparison(run).mismatches(adapter);
        if (!mismatches.isEmpty()) {
            throw new Failure.Unreadable(file.resolveSibling("run.json") + ": expected the description of the run that "
                    + file.getFileName() + " belongs to, found another:\n  "
                    + String.join("\n  ", mismatches) + "\nPut the run's own file back, or start a new run.");
        }
    }

    private List<String> mismatches(AdapterFile adapter) {
        RunInfo.SubjectInfo subject = run.subject();
        RunInfo.ResolvedConfig config = run.config();
        AdapterFile.TrainingSummary training = adapter.training();
        addMismatch("model: hash", run.baseModel().hash(), adapter.base().hash());
        addMismatch("model: on", run.baseModel().merged(), adapter.base().merged());
        addMismatch("class", subject.className(), adapter.trigger().className());
        addMismatch("token", subject.token(), adapter.trigger().token());
        addMismatch("method", run.method().name() + " " + run.method().entries(),
                adapter.method().name() + " " + adapter.method().entries());
        addMismatch("recipe: learning-rate", config.learningRate(), training.learningRate());
        addMismatch("recipe: seed", Seed.format(config.seed()), Seed.format(training.seed()));
        if (training.steps() > config.steps())
            differences.add("recipe: steps: " + config.steps() + " here, " + training.steps() + " there");
        return differences;
    }

    private void addMismatch(String key, Object here, Object there) {
        if (!here.equals(there))
            differences.add(key + ": " + SafeText.of(here) + " here, " + SafeText.of(there) + " there");
    }

    /// Checks that a request continues this run: only more steps, and another path of the model, are allowed.
    /// @throws Failure.Incompatible that lists the differences
    static void requireContinues(RunInfo run, RunInfo request, Path folder) throws Failure.Incompatible {
        List<String> differences = new RunComparison(run).differences(request);
        if (!differences.isEmpty()) {
            throw new Failure.Incompatible(
                    folder + ": holds a run with other settings, which cannot continue with these:\n  "
                            + String.join("\n  ", differences) + "\nUse the same settings, or choose another folder.");
        }
    }

    private List<String> differences(RunInfo request) {
        RunInfo.BaseModelInfo model = run.baseModel(), otherModel = request.baseModel();
        RunInfo.SubjectInfo subject = run.subject(), otherSubject = request.subject();
        List<RunInfo.PhotoInfo> classImages = run.config().classImages();
        List<RunInfo.PhotoInfo> otherClassImages = request.config().classImages();
        add("model", model.name() + " " + model.hash(), otherModel.name() + " " + otherModel.hash());
        add("prediction", model.options().predictionType(), otherModel.options().predictionType());
        add("vae", model.options().vae(), otherModel.options().vae());
        add("from", run.continued().map(RunInfo.ContinuedAdapter::fileName).orElse("none"),
                request.continued().map(RunInfo.ContinuedAdapter::fileName).orElse("none"));
        add("content of the file of from", run.continued().map(RunInfo.ContinuedAdapter::sha256).orElse("none"),
                request.continued().map(RunInfo.ContinuedAdapter::sha256).orElse("none"));
        add("on", mergedAdapter(model), mergedAdapter(otherModel));
        add("class", subject.className(), otherSubject.className());
        add("token", subject.token(), otherSubject.token());
        add("photos", summary(subject.photos()), summary(otherSubject.photos()));
        add("class images", summary(classImages), summary(otherClassImages));
        add("captions of the photos", sortedCaptions(subject.photos()), sortedCaptions(otherSubject.photos()));
        add("captions of the class images", sortedCaptions(classImages), sortedCaptions(otherClassImages));
        add("method", run.method().name(), request.method().name());
        if (run.method().choice() == request.method().choice())
            addMethodSettings(run.method().entries(), request.method().entries());
        addTrainingSettings(request.config());
        return differences;
    }

    private static String mergedAdapter(RunInfo.BaseModelInfo model) {
        return model.merged().map(adapter -> adapter.text() + " " + adapter.sha256()).orElse("none");
    }

    /// A batch size or resolution that both configs leave open stays the run's. More steps are allowed where the
    /// learning rate does not depend on their number.
    private void addTrainingSettings(RunInfo.ResolvedConfig request) {
        RunInfo.ResolvedConfig config = run.config();
        Map<TrainingSetting, Object> here = TrainingConfigJson.values(config.requested());
        Map<TrainingSetting, Object> there = TrainingConfigJson.values(request.requested());
        if (!here.get(TrainingSetting.BATCH_SIZE).equals(there.get(TrainingSetting.BATCH_SIZE))) {
            here.put(TrainingSetting.BATCH_SIZE, config.batchSize());
            there.put(TrainingSetting.BATCH_SIZE, request.batchSize());
        }
        if (!here.get(TrainingSetting.RESOLUTION).equals(there.get(TrainingSetting.RESOLUTION))) {
            here.put(TrainingSetting.RESOLUTION, config.resolution());
            there.put(TrainingSetting.RESOLUTION, request.resolution());
        }
        here.keySet().removeIf(TrainingSetting::mayChangeOnResume);
        if (!config.classImages().isEmpty() && !request.classImages().isEmpty())
            here.remove(TrainingSetting.CLASS_IMAGES);
        if (config.requested().schedule().scheduler() == TrainingConfig.LearningRateScheduler.COSINE)
            add("steps (the learning rate decays to 0 at the last one; a constant learning rate allows more)",
                    config.steps(), request.steps());
        else
            if (request.steps() < config.steps())
                add("steps (more are allowed, fewer are not)", config.steps(), request.steps());
        here.forEach((setting, value) -> add(setting.option(), value, there.get(setting)));
    }

    private void addMethodSettings(Map<String, String> here, Map<String, String> there) {
        Set<String> settings = new LinkedHashSet<>(here.keySet());
        settings.addAll(there.keySet());
        for (String setting : settings)
            add(setting, here.getOrDefault(setting, "none"), there.getOrDefault(setting, "none"));
    }

    private void add(String setting, Object here, Object there) {
        if (!here.equals(there)) differences.add(setting + ": the run has " + here + ", requested is " + there);
    }

    private static List<String> sortedCaptions(List<RunInfo.PhotoInfo> photos) {
        return photos.stream().flatMap(photo -> photo.captions().stream()).sorted().toList();
    }

    /// The contents of the photos, independent of their names and order.
    private static String summary(List<RunInfo.PhotoInfo> photos) {
        List<String> hashes = photos.stream().map(RunComparison::summary).sorted().toList();
        return hashes.size() + " (" + String.join(" ", hashes) + ")";
    }

    private static String summary(RunInfo.PhotoInfo photo) {
        return photo.sha256().substring(0, 10)
                + (photo.maskSha256().isEmpty() ? "" : " masked " + photo.maskSha256().substring(0, 10))
                + (photo.repeats() == 1 ? "" : " repeated " + photo.repeats());
    }
}
