package atomstudio.app.train;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.dataset.Subject;
import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.estimate.MemoryCheckViewModel;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.models.ModelsViewModel;
import atomstudio.app.process.RunSpec;
import atomstudio.app.runs.RunQueue;
import atomstudio.app.runs.RunSummary;
import atomstudio.app.runs.RunsViewModel;
import atomstudio.tuning.config.ChosenSettings;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ModelSize;
import atomstudio.tuning.run.TrainingReport;
import atomstudio.tuning.setting.Setting;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import javafx.beans.property.ReadOnlyIntegerProperty;
import javafx.beans.property.ReadOnlyIntegerWrapper;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.collections.ListChangeListener;
import org.jspecify.annotations.Nullable;

/// Method, training settings, cost and memory check of the next run, and the command to start it.
public final class TrainViewModel {
    /// The parameters of a model up to which estimates are measured without a request. The default model has 16
    /// million.
    private static final long MAX_PARAMETERS_MEASURED = 100_000_000;

    private final TrainServices services;
    private final RunsViewModel runs;
    private final ReadOnlyObjectProperty<Subject> subject;
    private final ModelsViewModel models;
    private final ReadOnlyObjectProperty<@Nullable ModelSummary> model;
    private final MethodViewModel method;
    private final TrainingSettingsViewModel training;
    private final StartFilesViewModel start;
    private final MemoryCheckViewModel memoryCheck;
    private final SettingsFileViewModel settingsFile;
    private final ReadOnlyStringWrapper missing = new ReadOnlyStringWrapper("");
    private @Nullable RunSpec checked;
    private final ReadOnlyStringWrapper costLine = new ReadOnlyStringWrapper("");
    /// Counts up.
    private final ReadOnlyIntegerWrapper estimatesChanged = new ReadOnlyIntegerWrapper();
    private final ReadOnlyIntegerWrapper estimatesNeeded = new ReadOnlyIntegerWrapper();

    public record TrainServices(Jobs jobs, MethodCost.CostCounter costCounter, MemoryCheckViewModel.Estimator estimator,
            MethodEstimates estimates, FileChoosers choosers, StartFilesViewModel.MethodReader methodReader) {}

    public TrainViewModel(TrainServices services, RunsViewModel runs, ReadOnlyObjectProperty<Subject> subject,
            ModelsViewModel models) {
        this.services = services;
        this.runs = runs;
        this.subject = subject;
        this.models = models;
        this.model = models.current();
        method = new MethodViewModel(services.jobs, services.costCounter, model);
        training = new TrainingSettingsViewModel(services.choosers, method.settings(),
                model.map(summary -> ModelSize.of(summary.parameters())).orElse(ModelSize.SMALL));
        start = new StartFilesViewModel(services, method, model);
        settingsFile = new SettingsFileViewModel(services, method, training, this::config);
        memoryCheck = new MemoryCheckViewModel(services.jobs, services.estimator);
        memoryCheck.estimate().subscribe(estimate -> {
            if (estimate != null && checked != null) services.estimates.put(checked, estimate);
        });
        models.busy().subscribe(now -> updateMissing());
        model.subscribe(now -> onChanged());
        subject.subscribe(now -> onChanged());
        method.settings().subscribe(now -> onChanged());
        method.invalidMessage().subscribe(now -> onChanged());
        training.settings().subscribe(now -> onChanged());
        start.files().subscribe(now -> onChanged());
        training.invalidMessage().subscribe(now -> onChanged());
        method.costs().addListener((ListChangeListener<MethodCost>) change -> {
            updateMissing();
            needEstimates();
        });
        runs.runs().addListener((ListChangeListener<RunSummary>) change -> announceEstimates());
        services.estimates.changes().subscribe(now -> announceEstimates());
        runs.queue().current().subscribe(now -> {
            if (now != null) services.estimates.stop();
            needEstimates();
        });
    }

    public MethodViewModel method() {
        return method;
    }

    public TrainingSettingsViewModel training() {
        return training;
    }

    /// The adapter files that the next run starts from.
    public StartFilesViewModel startFiles() {
        return start;
    }

    public MemoryCheckViewModel memoryCheck() {
        return memoryCheck;
    }

    /// What is missing before a run can start; empty if nothing is.
    public ReadOnlyStringProperty missing() {
        return missing.getReadOnlyProperty();
    }

    /// `29,148 parameters · trains 0.18% of the model`; empty until counted.
    public ReadOnlyStringProperty costLine() {
        return costLine.getReadOnlyProperty();
    }

    /// Changes when an estimate of a method does.
    public ReadOnlyIntegerProperty estimatesChanged() {
        return estimatesChanged.getReadOnlyProperty();
    }

    /// Changes when [#requestEstimates] should be called, if the estimates are in sight.
    public ReadOnlyIntegerProperty estimatesNeeded() {
        return estimatesNeeded.getReadOnlyProperty();
    }

    /// Time and memory of a method with its settings: `about 50 s · 1.2 GB`, from an earlier run with the model, or
    /// measured; empty if neither is known.
    public String estimateText(MethodName choice) {
        RunSpec.TrainingChoices choices = choices(choice);
        ModelSummary summary = model.get();
        if (summary == null) return "";
        MethodEstimates.EstimateKey key = new MethodEstimates.EstimateKey(summary.path(), choices);
        return ofEarlierRun(key).or(() -> services.estimates.of(key).map(MethodEstimates.MethodEstimate::summary))
                .orElse(services.estimates.isPending(key) ? text("train.estimate.pending") : "");
    }

    private Optional<String> ofEarlierRun(MethodEstimates.EstimateKey key) {
        return runs.runs()
                .stream()
                .filter(run -> run.isDone() && run.spec().choice() == key.choices().method().choice()
                        && run.spec().model().equals(key.model()))
                .findFirst()
                .map(run -> {
                    TrainingReport report = run.report().orElseThrow();
                    double seconds = report.seconds() / Math.max(1, report.steps()) * key.choices().steps();
                    return new MethodEstimates.MethodEstimate(seconds, report.peakMemory()).summary();
                });
    }

    /// Measures the methods of the cards in the background: the chosen one first. On a large model only on request,
    /// by [#checkMemory], because it takes minutes of all cores.
    public void requestEstimates() {
        ModelSummary summary = model.get();
        if (summary == null || summary.parameters() > MAX_PARAMETERS_MEASURED || !missing.get().isEmpty()) return;
        List<RunSpec> specs = Stream.concat(Stream.of(method.settings().get().choice()), MethodCardsView.CARDS.stream())
                .distinct()
                .flatMap(choice -> specFor(choice).stream())
                .filter(spec -> ofEarlierRun(MethodEstimates.EstimateKey.of(spec)).isEmpty())
                .toList();
        services.estimates.request(specs);
    }

    private void announceEstimates() {
        estimatesChanged.set(estimatesChanged.get() + 1);
    }

    private void needEstimates() {
        estimatesNeeded.set(estimatesNeeded.get() + 1);
    }

    public RunQueue queue() {
        return runs.queue();
    }

    /// Fills the form with the settings of a run.
    public void copySettings(RunSpec spec) {
        Map<Setting, String> values = new HashMap<>(spec.choices().method().overrides());
        values.putAll(spec.choices().training().chosen());
        ChosenSettings chosen = new ChosenSettings(Optional.of(spec.choice()), Optional.empty(), values);
        method.replace(spec.choice(), chosen);
        training.replace(chosen);
    }

    /// Sets all settings of the chosen method and of training to their defaults.
    public void resetSettings() {
        settingsFile.clearNote();
        method.replace(method.settings().get().choice(), ChosenSettings.NONE);
        training.replace(ChosenSettings.NONE);
    }

    /// Starts the selected method, or queues it behind the current run.
    public void start() {
        start(method.settings().get().choice());
    }

    /// Starts or queues a method with its last valid settings.
    public void start(MethodName chosen) {
        specFor(chosen).ifPresent(spec -> {
            memoryCheck.reset();
            runs.queue().add(spec);
        });
    }

    /// Starts the memory check for the selected method.
    public void checkMemory() {
        services.estimates.stop();
        specFor(method.settings().get().choice()).ifPresent(spec -> {
            checked = spec;
            memoryCheck.check(spec);
        });
    }

    /// Applies the settings of an advice and repeats the memory check.
    public void applyAdvice(MemoryCheckViewModel.MemoryAdvice advice) {
        advice.methodSettings().forEach(method::setText);
        advice.trainingSettings().forEach(training::setText);
        checkMemory();
    }

    /// Opens and saves the settings of the form.
    public SettingsFileViewModel settingsFile() {
        return settingsFile;
    }

    private Optional<RunSpec> specFor(MethodName choice) {
        ModelSummary summary = model.get();
        if (!missing.get().isEmpty() || summary == null) return Optional.empty();
        Subject currentSubject = subject.get();
        return Optional.of(new RunSpec(currentSubject.name(), summary.path(), currentSubject.photoFolder(),
                new RunSpec.SubjectPhrase(currentSubject.className(), currentSubject.triggerWord()), choices(choice),
                runs.newRunFolder(choice)));
    }

    /// The chosen settings, with the defaults of the chosen method and model.
    public TrainingConfig config() {
        return training.settings().get().toConfig(method.settings().get(), modelSize());
    }

    private ModelSize modelSize() {
        ModelSummary summary = model.get();
        return summary == null ? ModelSize.SMALL : ModelSize.of(summary.parameters());
    }

    private RunSpec.TrainingChoices choices(MethodName choice) {
        RunSpec.StartFiles files = start.files().get();
        boolean isOfFile = choice == method.settings().get().choice();
        MethodSettings settings = method.settingsFor(choice);
        return new RunSpec.TrainingChoices(settings, training.settings().get().completedFor(settings, modelSize()),
                isOfFile ? files : new RunSpec.StartFiles(Optional.empty(), files.on()));
    }

    private void onChanged() {
        memoryCheck.reset();
        updateMissing();
        announceEstimates();
        needEstimates();
    }

    private void updateMissing() {
        MethodSettings chosen = method.settings().get();
        Optional<MethodCost> cost = method.cost(chosen.choice()).filter(counted -> counted.method().equals(chosen));
        missing.set(missing(cost));
        costLine.set(cost.filter(counted -> counted.problem().isEmpty()).map(this::costLine).orElse(""));
    }

    private String costLine(MethodCost cost) {
        ModelSummary summary = model.get();
        String share = summary == null || summary.parameters() == 0 ? ""
                : text("train.trains-of-the-model",
                        DisplayFormat.percent((double) cost.parameterCount() / summary.parameters()));
        return text("train.parameters", DisplayFormat.count(cost.parameterCount()), share);
    }

    private String missing(Optional<MethodCost> cost) {
        Subject currentSubject = subject.get();
        return model.get() == null && !models.busy().get().isEmpty() ? text("train.loading-the-model")
                : model.get() == null ? text("train.no-model-open-one-on-the")
                : currentSubject.photos().isEmpty() ? text("train.add-at-least-one-photo")
                : currentSubject.triggerWord().isEmpty() ? text("train.enter-a-trigger-word-a-rare")
                : currentSubject.className().isEmpty() ? text("train.enter-what-it-is-to-start")
                : !method.invalidMessage().get().isEmpty() ? method.invalidMessage().get()
                : !training.invalidMessage().get().isEmpty() ? training.invalidMessage().get()
                : cost.map(MethodCost::problem).orElse("");
    }
}
