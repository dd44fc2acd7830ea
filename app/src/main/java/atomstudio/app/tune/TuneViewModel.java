package atomstudio.app.tune;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.models.ModelsViewModel;
import atomstudio.app.subjects.Subject;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.MethodSettings.Choice;
import atomstudio.tuning.train.Report;
import java.util.Optional;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.collections.ListChangeListener;
import org.jspecify.annotations.Nullable;

/// The card in which a method is chosen: what each costs, how it is trained, whether it fits, and Start.
public final class TuneViewModel {
    private final RunsViewModel runs;
    private final ReadOnlyObjectProperty<Subject> subject;
    private final ModelsViewModel models;
    private final ReadOnlyObjectProperty<@Nullable ModelSummary> model;
    private final MethodViewModel method;
    private final TrainingViewModel training;
    private final FitViewModel fit;
    private final ReadOnlyStringWrapper missing = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper price = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper estimate = new ReadOnlyStringWrapper("");

    /// What computes, and what asks the person.
    public record Means(Jobs jobs, MethodCosts counter, Estimator estimator, FileChoosers choosers) {}

    public TuneViewModel(Means means, RunsViewModel runs, ReadOnlyObjectProperty<Subject> subject, ModelsViewModel models) {
        this.runs = runs;
        this.subject = subject;
        this.models = models;
        this.model = models.current();
        method = new MethodViewModel(means.jobs, means.counter, model);
        training = new TrainingViewModel(means.choosers, method.settings());
        fit = new FitViewModel(means.jobs, means.estimator);
        models.busy().subscribe(now -> check());
        model.subscribe(now -> changed());
        subject.subscribe(now -> changed());
        method.settings().subscribe(now -> changed());
        method.wrong().subscribe(now -> changed());
        training.settings().subscribe(now -> changed());
        training.wrong().subscribe(now -> changed());
        method.costs().addListener((ListChangeListener<MethodCost>) change -> check());
        runs.runs().addListener((ListChangeListener<RunSummary>) change -> appraise());
    }

    public MethodViewModel method() {
        return method;
    }

    public TrainingViewModel training() {
        return training;
    }

    public FitViewModel fit() {
        return fit;
    }

    /// What has to be done before Start; empty when it may be pressed.
    public ReadOnlyStringProperty missing() {
        return missing.getReadOnlyProperty();
    }

    /// `29,148 parameters trained · 0.18 % of the network`; empty until it is counted.
    public ReadOnlyStringProperty price() {
        return price.getReadOnlyProperty();
    }

    /// `about 0:50 · 1.2 GB`, from earlier runs on this machine; empty before the first.
    public ReadOnlyStringProperty estimate() {
        return estimate.getReadOnlyProperty();
    }

    /// Starts the chosen method, or queues it behind the run on its way.
    public void start() {
        start(method.settings().get().choice());
    }

    /// Starts a method with what was chosen for it.
    public void start(Choice chosen) {
        order(chosen).ifPresent(order -> {
            fit.forget();
            runs.queue().add(order);
        });
    }

    /// Asks what the chosen run would take.
    public void askWhetherItFits() {
        order(method.settings().get().choice()).ifPresent(fit::ask);
    }

    /// Sets what an advice says, and asks again.
    public void apply(Advice advice) {
        advice.method().forEach(method::type);
        advice.training().forEach(training::type);
        askWhetherItFits();
    }

    private Optional<TuneOrder> order(Choice choice) {
        ModelSummary on = model.get();
        if (!missing.get().isEmpty() || on == null) return Optional.empty();
        Subject of = subject.get();
        TuneOrder.Chosen chosen = new TuneOrder.Chosen(method.of(choice), training.settings().get());
        return Optional.of(new TuneOrder(of.name(), on.path(), of.photoFolder(), new TuneOrder.Words(of.className(), of.triggerWord()), chosen, runs.free(choice)));
    }

    private void changed() {
        fit.forget();
        check();
        appraise();
    }

    private void check() {
        MethodSettings chosen = method.settings().get();
        Optional<MethodCost> cost = method.cost(chosen.choice()).filter(counted -> counted.method().equals(chosen));
        missing.set(missing(cost));
        price.set(cost.filter(counted -> counted.problem().isEmpty()).map(this::price).orElse(""));
    }

    private String price(MethodCost cost) {
        ModelSummary on = model.get();
        String share = on == null || on.parameters() == 0 ? "" : " · " + DisplayFormat.percent((double) cost.numbers() / on.parameters()) + " of the network";
        return DisplayFormat.count(cost.numbers()) + " parameters trained" + share;
    }

    private String missing(Optional<MethodCost> cost) {
        Subject of = subject.get();
        return model.get() == null && !models.busy().get().isEmpty() ? "The model is being read."
            : model.get() == null ? "There is no model: open one on the page Models."
            : of.photos().isEmpty() ? "Add at least one picture."
            : of.triggerWord().isEmpty() ? "Give it a token: a rare word, such as sks."
            : of.className().isEmpty() ? "Say what it is: a class word."
            : !method.wrong().get().isEmpty() ? method.wrong().get()
            : !training.wrong().get().isEmpty() ? training.wrong().get()
            : cost.map(MethodCost::problem).orElse("");
    }

    private void appraise() {
        TuneOrder.Chosen chosen = new TuneOrder.Chosen(method.settings().get(), training.settings().get());
        ModelSummary on = model.get();
        estimate.set(runs.runs().stream().filter(run -> on != null && run.done() && run.order().choice() == chosen.method().choice() && run.order().model().equals(on.path()))
            .findFirst().map(run -> {
                Report report = run.report().orElseThrow();
                return "about " + DisplayFormat.duration(report.seconds() / report.steps() * chosen.steps()) + " · " + DisplayFormat.bytes(report.peakMemory());
            }).orElse(""));
    }
}
