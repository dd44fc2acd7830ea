package atomstudio.app.tune;

import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.models.ModelSummary;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.MethodSettings.Choice;
import atomstudio.tuning.method.Setting;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.collections.FXCollections;
import javafx.collections.ObservableList;
import org.jspecify.annotations.Nullable;

/// Which method is tuned, with the settings that belong to it, and what every method costs on the current model.
public final class MethodViewModel {
    private final Jobs jobs;
    private final MethodCosts counter;
    private final ReadOnlyObjectProperty<@Nullable ModelSummary> model;
    private final Map<Choice, Map<Setting, String>> typed = new EnumMap<>(Choice.class);
    private final Map<Choice, MethodSettings> understood = new EnumMap<>(Choice.class);
    private final ReadOnlyObjectWrapper<MethodSettings> settings = new ReadOnlyObjectWrapper<>(MethodSettings.of(Choice.ATOMS_AND_WORD));
    private final ReadOnlyStringWrapper wrong = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");
    private final ObservableList<MethodCost> costs = FXCollections.observableArrayList();
    private final ObservableList<MethodCost> costsView = FXCollections.unmodifiableObservableList(costs);

    public MethodViewModel(Jobs jobs, MethodCosts counter, ReadOnlyObjectProperty<@Nullable ModelSummary> model) {
        this.jobs = jobs;
        this.counter = counter;
        this.model = model;
        model.subscribe(now -> countAll());
    }

    /// What is chosen, as far as it was understood.
    public ReadOnlyObjectProperty<MethodSettings> settings() {
        return settings.getReadOnlyProperty();
    }

    /// What is typed and cannot be, in the words of the command line; empty when all is well.
    public ReadOnlyStringProperty wrong() {
        return wrong.getReadOnlyProperty();
    }

    /// Why nothing could be counted.
    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    /// What the methods cost on the current model; empty until it is counted.
    public ObservableList<MethodCost> costs() {
        return costsView;
    }

    public Optional<MethodCost> cost(Choice of) {
        return costs.stream().filter(cost -> cost.method().choice() == of).findFirst();
    }

    /// A method with what was chosen for it before.
    public MethodSettings of(Choice choice) {
        return understood.getOrDefault(choice, MethodSettings.of(choice));
    }

    public void choose(Choice choice) {
        if (settings.get().choice() == choice) return;
        settings.set(of(choice));
        understand();
    }

    /// What is typed for a setting of the chosen method; empty: as usual.
    public String text(Setting setting) {
        return typed.getOrDefault(settings.get().choice(), Map.of()).getOrDefault(setting, "");
    }

    public void type(Setting setting, String text) {
        if (text.strip().equals(text(setting))) return;
        typed.computeIfAbsent(settings.get().choice(), choice -> new EnumMap<>(Setting.class)).put(setting, text.strip());
        understand();
    }

    /// What was typed becomes settings if it can be; else the last ones that could stay, with a line why.
    private void understand() {
        Choice choice = settings.get().choice();
        Map<Setting, String> wished = new EnumMap<>(Setting.class);
        wished.putAll(typed.getOrDefault(choice, Map.of()));
        wished.values().removeIf(String::isEmpty);
        try {
            wished.keySet().retainAll(belonging(choice, wished));
            MethodSettings asked = new MethodSettings(choice, wished);
            asked.method();
            wrong.set("");
            if (asked.equals(understood.put(choice, asked)) && asked.equals(settings.get())) return;
            settings.set(asked);
            count(asked);
        } catch (IllegalArgumentException cannotBe) {
            wrong.set(String.valueOf(cannotBe.getMessage()));
        }
    }

    /// What is typed for a setting that no longer belongs to the method is kept, but means nothing.
    private static List<Setting> belonging(Choice choice, Map<Setting, String> wished) {
        Map<Setting, String> beside = new EnumMap<>(Setting.class);
        Stream.of(Setting.ALSO, Setting.TEXT_ENCODER).filter(wished::containsKey).forEach(setting -> beside.put(setting, wished.get(setting)));
        return new MethodSettings(choice, beside).settings();
    }

    private void countAll() {
        costs.clear();
        problem.set("");
        ModelSummary on = model.get();
        if (on == null) return;
        List<MethodSettings> all = Stream.of(Choice.values()).map(this::of).toList();
        jobs.start("Counting " + on.name(), cancellation -> counter.of(on.path(), all), outcome -> {
            if (model.get() == on) counted(outcome);
        });
    }

    private void count(MethodSettings one) {
        ModelSummary on = model.get();
        if (on == null || costs.stream().anyMatch(cost -> cost.method().equals(one))) return;
        jobs.start("Counting " + one.name(), cancellation -> counter.of(on.path(), List.of(one)), outcome -> {
            if (model.get() == on && of(one.choice()).equals(one)) counted(outcome);
        });
    }

    private void counted(JobOutcome<List<MethodCost>> outcome) {
        switch (outcome) {
            case JobOutcome.Succeeded<List<MethodCost>>(List<MethodCost> found) -> {
                List<MethodCost> now = new ArrayList<>(costs);
                for (MethodCost cost : found) {
                    now.removeIf(old -> old.method().choice() == cost.method().choice());
                    now.add(cost);
                }
                costs.setAll(now);
            }
            case JobOutcome.Failed<List<MethodCost>>(String message) -> problem.set(message);
            case JobOutcome.Cancelled<List<MethodCost>>() -> {}
        }
    }
}
