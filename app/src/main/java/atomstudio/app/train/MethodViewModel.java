package atomstudio.app.train;

import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.text.Texts;
import atomstudio.tuning.config.ChosenSettings;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
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

/// The selected method with its settings, and the cost of every method on the current model.
public final class MethodViewModel {
    private final Jobs jobs;
    private final MethodCost.CostCounter costCounter;
    private final ReadOnlyObjectProperty<@Nullable ModelSummary> model;
    private final Map<MethodName, Map<MethodSetting, String>> typedValues = new EnumMap<>(MethodName.class);
    private final Map<MethodName, MethodSettings> validSettings = new EnumMap<>(MethodName.class);
    private final ReadOnlyObjectWrapper<MethodSettings> settings = new ReadOnlyObjectWrapper<>(
            MethodSettings.of(MethodName.ATOMS_AND_WORD));
    private final ReadOnlyStringWrapper invalidMessage = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");
    private final ObservableList<MethodCost> costs = FXCollections.observableArrayList();
    private final ObservableList<MethodCost> costsView = FXCollections.unmodifiableObservableList(costs);

    public MethodViewModel(Jobs jobs, MethodCost.CostCounter costCounter,
            ReadOnlyObjectProperty<@Nullable ModelSummary> model) {
        this.jobs = jobs;
        this.costCounter = costCounter;
        this.model = model;
        model.subscribe(now -> countAll());
    }

    /// The last valid settings.
    public ReadOnlyObjectProperty<MethodSettings> settings() {
        return settings.getReadOnlyProperty();
    }

    /// Why the entered text is invalid; starts with the setting's option name. Empty if valid.
    public ReadOnlyStringProperty invalidMessage() {
        return invalidMessage.getReadOnlyProperty();
    }

    /// Why the costs could not be counted.
    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    /// Costs on the current model; empty until counted.
    public ObservableList<MethodCost> costs() {
        return costsView;
    }

    public Optional<MethodCost> cost(MethodName choice) {
        return costs.stream().filter(cost -> cost.method().choice() == choice).findFirst();
    }

    /// The last valid settings of a method.
    public MethodSettings settingsFor(MethodName choice) {
        return validSettings.getOrDefault(choice, MethodSettings.of(choice));
    }

    public void choose(MethodName choice) {
        if (settings.get().choice() == choice) return;
        settings.set(settingsFor(choice));
        parse();
    }

    /// The text entered for a setting of the selected method; empty: the default.
    public String text(MethodSetting setting) {
        return typedValues.getOrDefault(settings.get().choice(), Map.of()).getOrDefault(setting, "");
    }

    public void setText(MethodSetting setting, String text) {
        if (text.strip().equals(text(setting))) return;
        typedValues.computeIfAbsent(settings.get().choice(), choice -> new EnumMap<>(MethodSetting.class))
                .put(setting, text.strip());
        parse();
    }

    /// Chooses the method and replaces its entered text.
    void replace(MethodName choice, ChosenSettings chosen) {
        Map<MethodSetting, String> values = new EnumMap<>(MethodSetting.class);
        for (MethodSetting setting : MethodSetting.values())
            if (chosen.values().containsKey(setting)) values.put(setting, chosen.values().get(setting));
        typedValues.put(choice, values);
        validSettings.remove(choice);
        settings.set(MethodSettings.of(choice));
        parse();
    }

    /// Parses the entered text. Invalid text leaves the last valid settings unchanged.
    private void parse() {
        MethodName choice = settings.get().choice();
        Map<MethodSetting, String> values = new EnumMap<>(MethodSetting.class);
        values.putAll(typedValues.getOrDefault(choice, Map.of()));
        values.values().removeIf(String::isEmpty);
        try {
            values.keySet().retainAll(applicableSettings(choice, values));
            MethodSettings parsed = new MethodSettings(choice, values);
            parsed.method();
            invalidMessage.set("");
            if (parsed.equals(validSettings.put(choice, parsed)) && parsed.equals(settings.get())) return;
            settings.set(parsed);
            count(parsed);
        } catch (IllegalArgumentException invalid) {
            invalidMessage.set(String.valueOf(invalid.getMessage()));
        }
    }

    /// Text of a setting that does not apply to the method any more is kept but ignored.
    private static List<MethodSetting> applicableSettings(MethodName choice, Map<MethodSetting, String> values) {
        Map<MethodSetting, String> combined = new EnumMap<>(MethodSetting.class);
        Stream.of(MethodSetting.COMBINE_WITH, MethodSetting.TRAIN_TEXT_ENCODER)
                .filter(values::containsKey)
                .forEach(setting -> combined.put(setting, values.get(setting)));
        return new MethodSettings(choice, combined).settings();
    }

    private void countAll() {
        costs.clear();
        problem.set("");
        ModelSummary summary = model.get();
        if (summary == null) return;
        List<MethodSettings> all = Stream.of(MethodName.values()).map(this::settingsFor).toList();
        jobs.start(Texts.text("train.counting", summary.name()), cancellation -> costCounter.count(summary.path(), all),
                outcome -> {
                    if (model.get() == summary) onCounted(outcome);
                });
    }

    private void count(MethodSettings one) {
        ModelSummary summary = model.get();
        if (summary == null || costs.stream().anyMatch(cost -> cost.method().equals(one))) return;
        jobs.start(Texts.text("train.counting", one.name()),
                cancellation -> costCounter.count(summary.path(), List.of(one)),
                outcome -> {
                    if (model.get() == summary && settingsFor(one.choice()).equals(one)) onCounted(outcome);
                });
    }

    private void onCounted(JobOutcome<List<MethodCost>> outcome) {
        switch (outcome) {
            case JobOutcome.Succeeded<List<MethodCost>>(List<MethodCost> found) -> {
                List<MethodCost> updated = new ArrayList<>(costs);
                for (MethodCost cost : found) {
                    updated.removeIf(old -> old.method().choice() == cost.method().choice());
                    updated.add(cost);
                }
                costs.setAll(updated);
            }
            case JobOutcome.Failed<List<MethodCost>>(String message) -> problem.set(message);
            case JobOutcome.Cancelled<List<MethodCost>>() -> {}
        }
    }
}
