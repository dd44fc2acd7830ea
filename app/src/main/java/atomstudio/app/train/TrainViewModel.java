package atomstudio.app.train;

import atomstudio.app.dataset.Subject;
import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.estimate.MemoryCheckViewModel;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.models.ModelsViewModel;
import atomstudio.app.process.Estimator;
import atomstudio.app.process.RunSpec;
import atomstudio.app.runs.RunSummary;
import atomstudio.app.runs.RunsViewModel;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.run.TrainingReport;
import java.util.Optional;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.collections.ListChangeListener;
import org.jspecify.annotations.Nullable;

/// The card in which a method is chosen: what each costs, how it is trained, whether it fits, and Start.
public final class TrainViewModel {
    private final RunsViewModel runs;
    private final ReadOnlyObjectProperty<Subject> subject;
    private final ModelsViewModel models;
    private final ReadOnlyObjectProperty<@Nullable ModelSummary> model;
    private final MethodViewModel method;
    private final TrainingSettingsViewModel training;
    private final MemoryCheckViewModel memoryCheck;
    private final ReadOnlyStringWrapper missing = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper costLine = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper durationEstimate = new ReadOnlyStringWrapper("");

    /// What computes, and what asks the person.
    public record TrainServices(Jobs jobs, MethodCost.CostCounter costCounter, Estimator estimator,
            FileChoosers choosers) {}

    public TrainViewModel(TrainServices services, RunsViewModel runs, ReadOnlyObjectProperty<Subject> subject,
            ModelsViewModel models) {
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

    /// What has to be done before Start; empty when it may be pressed.
    public ReadOnlyStringProperty missing() {
        return missing.getReadOnlyProperty();
    }

    /// `29,148 parameters trained · 0.18 % of the network`; empty until it is counted.
    public ReadOnlyStringProperty costLine() {
        return costLine.getReadOnlyProperty();
    }

    /// `about 0:50 · 1.2 GB`, from earlier runs on this machine; empty before the first.
    public ReadOnlyStringProperty durationEstimate() {
        return durationEstimate.getReadOnlyProperty();
    }

    /// Starts the chosen method, or queues it behind the run on its way.
    public void start() {
        start(method.settings().get().choice());
    }

    /// Starts a method with what was chosen for it.
    public void start(MethodName chosen) {
        specFor(chosen).ifPresent(spec -> {
            memoryCheck.reset();
            runs.queue().add(spec);
        });
    }

    /// Asks what the chosen run would take.
    public void checkMemory() {
        specFor(method.settings().get().choice()).ifPresent(memoryCheck::check);
    }

    /// Sets what an advice says, and asks again.
    public void applyAdvice(MemoryCheckViewModel.MemoryAdvice advice) {
        advice.methodSettings().forEach(method::setText);
        advice.trainingSettings().forEach(training::setText);
        checkMemory();
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
                : " · " + DisplayFormat.percent((double) cost.parameterCount() / summary.parameters())
                        + " of the network";
        return DisplayFormat.count(cost.parameterCount()) + " parameters trained" + share;
    }

    private String missing(Optional<MethodCost> cost) {
        Subject currentSubject = subject.get();
        return model.get() == null && !models.busy().get().isEmpty() ? "The model is being read."
                : model.get() == null ? "There is no model: open one on the page Models."
                : currentSubject.photos().isEmpty() ? "Add at least one picture."
                : currentSubject.triggerWord().isEmpty() ? "Give it a token: a rare word, such as sks."
                : currentSubject.className().isEmpty() ? "Say what it is: a class word."
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
                    return "about " + DisplayFormat.duration(report.seconds() / report.steps() * choices.steps())
                            + " · " + DisplayFormat.bytes(report.peakMemory());
                })
                .orElse(""));
    }
}
