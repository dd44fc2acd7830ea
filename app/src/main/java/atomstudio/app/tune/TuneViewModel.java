package atomstudio.app.tune;

import atomstudio.app.desktop.Readable;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.jobs.Outcome;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.models.ModelsViewModel;
import atomstudio.app.subjects.Subject;
import atomstudio.tuning.method.MethodSettings.Choice;
import atomstudio.tuning.train.Report;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.collections.FXCollections;
import javafx.collections.ListChangeListener;
import javafx.collections.ObservableList;
import org.jspecify.annotations.Nullable;

/// The card in which a method is chosen: what each costs, and Start.
public final class TuneViewModel {
    private final Jobs jobs;
    private final MethodCosts counter;
    private final RunsViewModel runs;
    private final ReadOnlyObjectProperty<Subject> subject;
    private final ModelsViewModel models;
    private final ReadOnlyObjectProperty<@Nullable ModelSummary> model;
    private final ReadOnlyObjectWrapper<Choice> method = new ReadOnlyObjectWrapper<>(Choice.ATOMS_AND_CHANNELS);
    private final ReadOnlyObjectWrapper<TuneSettings> settings = new ReadOnlyObjectWrapper<>(TuneSettings.initial());
    private final ObservableList<MethodCost> costs = FXCollections.observableArrayList();
    private final ObservableList<MethodCost> costsView = FXCollections.unmodifiableObservableList(costs);
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper missing = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper estimate = new ReadOnlyStringWrapper("");

    public TuneViewModel(Jobs jobs, MethodCosts counter, RunsViewModel runs, ReadOnlyObjectProperty<Subject> subject, ModelsViewModel models) {
        this.jobs = jobs;
        this.counter = counter;
        this.runs = runs;
        this.subject = subject;
        this.models = models;
        this.model = models.current();
        models.busy().subscribe(now -> check());
        model.subscribe(now -> count());
        subject.subscribe(now -> check());
        method.subscribe(now -> appraise());
        runs.runs().addListener((ListChangeListener<RunSummary>) change -> appraise());
    }

    /// What every method costs on the current model; empty until it is counted.
    public ObservableList<MethodCost> costs() {
        return costsView;
    }

    public Optional<MethodCost> cost(Choice of) {
        return costs.stream().filter(cost -> cost.method() == of).findFirst();
    }

    public ReadOnlyObjectProperty<Choice> method() {
        return method.getReadOnlyProperty();
    }

    public ReadOnlyObjectProperty<TuneSettings> settings() {
        return settings.getReadOnlyProperty();
    }

    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    /// What has to be done before Start; empty when it may be pressed.
    public ReadOnlyStringProperty missing() {
        return missing.getReadOnlyProperty();
    }

    /// `about 0:50 · 1.2 GB`, from earlier runs on this machine; empty before the first.
    public ReadOnlyStringProperty estimate() {
        return estimate.getReadOnlyProperty();
    }

    public void choose(Choice chosen) {
        method.set(chosen);
    }

    public void settings(TuneSettings changed) {
        boolean recount = changed.atoms() != settings.get().atoms() || changed.rank() != settings.get().rank();
        settings.set(changed);
        if (recount) count();
        appraise();
    }

    /// Starts the chosen method, or queues it behind the run on its way.
    public void start() {
        start(method.get());
    }

    public void start(Choice chosen) {
        ModelSummary on = model.get();
        if (!missing.get().isEmpty() || on == null) return;
        Subject of = subject.get();
        Path run = runs.free(chosen);
        runs.queue().add(new TuneOrder(of.name(), on.folder(), of.pictureFolder(), new TuneOrder.Words(of.className(), of.token()), chosen, settings.get(), run));
    }

    private void count() {
        costs.clear();
        problem.set("");
        check();
        ModelSummary on = model.get();
        if (on == null) return;
        TuneSettings with = settings.get();
        jobs.start("Counting " + on.name(), cancellation -> counter.of(on.folder(), with), outcome -> {
            if (model.get() != on || !settings.get().equals(with)) return;
            switch (outcome) {
                case Outcome.Done<List<MethodCost>>(List<MethodCost> counted) -> costs.setAll(counted);
                case Outcome.Failed<List<MethodCost>>(String message) -> problem.set(message);
                case Outcome.Cancelled<List<MethodCost>>() -> {}
            }
            check();
            appraise();
        });
    }

    private void check() {
        Subject of = subject.get();
        missing.set(model.get() == null && !models.busy().get().isEmpty() ? "The model is being read."
            : model.get() == null ? "There is no model: open one on the page Models."
            : of.pictures().isEmpty() ? "Add at least one picture."
            : of.token().isEmpty() ? "Give it a token: a rare word, such as sks."
            : of.className().isEmpty() ? "Say what it is: a class word."
            : "");
    }

    private void appraise() {
        Stream<RunSummary> alike = runs.runs().stream().filter(run -> run.order().method() == method.get() && run.done())
            .filter(run -> model.get() != null && run.order().model().equals(model.get().folder()));
        estimate.set(alike.findFirst().map(run -> {
            Report report = run.report().orElseThrow();
            int steps = settings.get().steps().orElse(method.get().steps());
            return "about " + Readable.duration(report.seconds() / report.steps() * steps) + " · " + Readable.bytes(report.peakMemory());
        }).orElse(""));
    }
}
