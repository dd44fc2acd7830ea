package atomstudio.app.train;

import atomstudio.app.dataset.Subject;
import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.estimate.MemoryCheckViewModel;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.models.ModelsViewModel;
import atomstudio.app.process.RunSpec;
import atomstudio.app.runs.RunSummary;
import atomstudio.app.runs.RunsViewModel;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.tuning.config.ChosenSettings;
import atomstudio.tuning.config.ConfigFile;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.run.TrainingReport;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.collections.ListChangeListener;
import org.jspecify.annotations.Nullable;

/// Method, training settings, cost and memory check of the next run, and the command to start it.
public final class TrainViewModel {
    private final TrainServices services;
    private final RunsViewModel runs;
    private final ReadOnlyObjectProperty<Subject> subject;
    private final ModelsViewModel models;
    private final ReadOnlyObjectProperty<@Nullable ModelSummary> model;
    private final MethodViewModel method;
    private final TrainingSettingsViewModel training;
    private final MemoryCheckViewModel memoryCheck;
    private final ReadOnlyStringWrapper settingsNote = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper missing = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper costLine = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper durationEstimate = new ReadOnlyStringWrapper("");

    public record TrainServices(Jobs jobs, MethodCost.CostCounter costCounter, MemoryCheckViewModel.Estimator estimator,
            FileChoosers choosers) {}

    public TrainViewModel(TrainServices services, RunsViewModel runs, ReadOnlyObjectProperty<Subject> subject,
            ModelsViewModel models) {
        this.services = services;
        this.runs = runs;
        this.subject = subject;
        this.models = models;
        this.model = models.current();
        method = new MethodViewModel(services.jobs, services.costCounter, model);
        training = new TrainingSettingsViewModel(services.choosers, method.settings());
        memoryCheck = new MemoryCheckViewModel(services.jobs, services.estimator);
        models.busy().subscribe(now -> updateMissing());
        model.subscribe(now -> onChanged());
        subject.subscribe(now -> onChanged());
        method.settings().subscribe(now -> onChanged());
        method.invalidMessage().subscribe(now -> onChanged());
        training.settings().subscribe(now -> onChanged());
        training.invalidMessage().subscribe(now -> onChanged());
        method.costs().addListener((ListChangeListener<MethodCost>) change -> updateMissing());
        runs.runs().addListener((ListChangeListener<RunSummary>) change -> updateEstimate());
    }

    public MethodViewModel method() {
        return method;
    }

    public TrainingSettingsViewModel training() {
        return training;
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

    /// `about 50 s · 1.2 GB`, from an earlier run; empty if there is none.
    public ReadOnlyStringProperty durationEstimate() {
        return durationEstimate.getReadOnlyProperty();
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
        specFor(method.settings().get().choice()).ifPresent(memoryCheck::check);
    }

    /// Applies the settings of an advice and repeats the memory check.
    public void applyAdvice(MemoryCheckViewModel.MemoryAdvice advice) {
        advice.methodSettings().forEach(method::setText);
        advice.trainingSettings().forEach(training::setText);
        checkMemory();
    }

    /// The result of opening or saving settings; empty: nothing to report.
    public ReadOnlyStringProperty settingsNote() {
        return settingsNote.getReadOnlyProperty();
    }

    /// Lets the user open a TOML file of training settings; method, preset and settings of the form become the file's.
    public void openSettings() {
        services.choosers.settings("Open training settings")
                .ifPresent(file -> services.jobs.start(
                        "Reading " + file, cancellation -> ConfigFile.read(file),
                        outcome -> settingsNote.set(switch (outcome) {
                            case JobOutcome.Succeeded<ConfigFile>(ConfigFile read) -> show(read);
                            case JobOutcome.Failed<ConfigFile>(String message) -> message;
                            case JobOutcome.Cancelled<ConfigFile>() -> "";
                        })));
    }

    private String show(ConfigFile file) {
        ChosenSettings chosen = file.settings();
        method.replace(chosen.method().orElse(method.settings().get().choice()), chosen);
        training.replace(chosen);
        return String.join(" ", file.notes());
    }

    /// Lets the user save the form's settings as a TOML file.
    public void saveSettings() {
        MethodSettings settings = method.settings().get();
        services.choosers.saveFile("Save training settings", settings.name() + ".toml").ifPresent(file -> {
            String text = ConfigFile.text(settings, training.settings().get().toConfig(settings), Optional.empty());
            services.jobs.start("Saving " + file, cancellation -> {
                AtomicFile.write(file, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
                return file;
            }, outcome -> settingsNote.set(switch (outcome) {
                case JobOutcome.Succeeded<Path>(Path saved) -> "Saved to " + saved;
                case JobOutcome.Failed<Path>(String message) -> message;
                case JobOutcome.Cancelled<Path>() -> "";
            }));
        });
    }

    private Optional<RunSpec> specFor(MethodName choice) {
        ModelSummary summary = model.get();
        if (!missing.get().isEmpty() || summary == null) return Optional.empty();
        Subject currentSubject = subject.get();
        RunSpec.TrainingChoices choices = new RunSpec.TrainingChoices(method.settingsFor(choice),
                training.settings().get());
        return Optional.of(new RunSpec(currentSubject.name(), summary.path(), currentSubject.photoFolder(),
                new RunSpec.SubjectPhrase(currentSubject.className(), currentSubject.triggerWord()), choices,
                runs.newRunFolder(choice)));
    }

    private void onChanged() {
        memoryCheck.reset();
        updateMissing();
        updateEstimate();
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
                : " · trains " + DisplayFormat.percent((double) cost.parameterCount() / summary.parameters())
                        + " of the model";
        return DisplayFormat.count(cost.parameterCount()) + " parameters" + share;
    }

    private String missing(Optional<MethodCost> cost) {
        Subject currentSubject = subject.get();
        return model.get() == null && !models.busy().get().isEmpty() ? "Loading the model…"
                : model.get() == null ? "No model: open one on the Models page."
                : currentSubject.photos().isEmpty() ? "Add at least one photo."
                : currentSubject.triggerWord().isEmpty() ? "Enter a trigger word: a rare word such as sks."
                : currentSubject.className().isEmpty() ? "Enter what it is to start."
                : !method.invalidMessage().get().isEmpty() ? method.invalidMessage().get()
                : !training.invalidMessage().get().isEmpty() ? training.invalidMessage().get()
                : cost.map(MethodCost::problem).orElse("");
    }

    private void updateEstimate() {
        RunSpec.TrainingChoices choices = new RunSpec.TrainingChoices(method.settings().get(),
                training.settings().get());
        ModelSummary summary = model.get();
        durationEstimate.set(runs.runs()
                .stream()
                .filter(run -> summary != null && run.isDone() && run.spec().choice() == choices.method().choice()
                        && run.spec().model().equals(summary.path()))
                .findFirst()
                .map(run -> {
                    TrainingReport report = run.report().orElseThrow();
                    return "about " + DisplayFormat.roughDuration(report.seconds() / report.steps() * choices.steps())
                            + " · " + DisplayFormat.bytes(report.peakMemory());
                })
                .orElse(""));
    }
}
