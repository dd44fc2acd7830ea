package atomstudio.app.compare;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.compare.CompareState.SavedMeasures;
import atomstudio.app.compare.CompareState.SavedRow;
import atomstudio.app.compare.CompareState.SavedSettings;
import atomstudio.app.compare.CompareState.TableChoice;
import atomstudio.app.compare.CompareTable.CompareRow;
import atomstudio.app.generate.GenerateViewModel;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.models.ModelSummary;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import javafx.beans.value.ChangeListener;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Saves a comparison at every change, and restores it when its subject is opened. Window's thread.
final class SavedComparison {
    private static final Logger log = LoggerFactory.getLogger(SavedComparison.class);

    private final Jobs jobs;
    private final CompareViewModel comparison;
    private final Path folder;
    private final ChangeListener<@Nullable ModelSummary> onModel = (property, before, now) -> restoreOfModel();
    private Optional<CompareState> earlier = Optional.empty();
    private @Nullable CompareState written;
    /// Nothing is saved before the earlier state is restored.
    private boolean restored;
    private boolean writing;

    /// @param folder of the subject
    SavedComparison(Jobs jobs, CompareViewModel comparison, Path folder) {
        this.jobs = jobs;
        this.comparison = comparison;
        this.folder = folder;
    }

    void restore() {
        jobs.start(text("compare.reading", folder), cancellation -> new Found(CompareState.read(folder)), found -> {
            earlier = found.state;
            comparison.model().addListener(onModel);
            restoreOfModel();
        }, message -> log.warn("the comparison of {} was not read: {}", folder, message));
    }

    private record Found(Optional<CompareState> state) {}

    /// Waits for the model: the settings that it suggests come first.
    private void restoreOfModel() {
        ModelSummary model = comparison.model().get();
        if (model == null) return;
        comparison.model().removeListener(onModel);
        earlier.ifPresent(state -> show(state, model.path()));
        restored = true;
        save();
    }

    private void show(CompareState state, Path model) {
        boolean sameModel = state.model().equals(model.toString());
        GenerateViewModel panel = comparison.panel();
        comparison.side().set(Math.clamp(state.side(), CompareViewModel.MIN_SIDE, CompareViewModel.MAX_SIDE));
        comparison.setColumns(state.columns());
        panel.seedLocked().set(state.locked());
        panel.prompt().set(state.prompt());
        panel.updateSettings(now -> sameModel ? state.settings().into(now) : state.settings().seedsInto(now));
        if (!sameModel) return;
        comparison.rowChoice().restore(state.rows());
        for (SavedRow row : state.rows().rows())
            if (row.file() != null)
                comparison.rowChoice()
                        .readFile(Path.of(row.file()),
                                found -> comparison.rowChoice().restore(new CompareRow(found, row.strength())));
        jobs.start(text("compare.reading", folder), cancellation -> state.toMeasures(),
                comparison.metrics()::restore, message -> log.warn("scores were not restored: {}", message));
    }

    /// Writes what is shown now, one write after the other.
    void save() {
        ModelSummary model = comparison.model().get();
        if (!restored || writing || model == null) return;
        CompareState now = state(model.path());
        if (now.equals(written)) return;
        written = now;
        writing = true;
        jobs.start(text("compare.saving", folder), cancellation -> {
            now.write(folder);
            return now;
        }, outcome -> {
            writing = false;
            if (outcome instanceof JobOutcome.Failed<CompareState>(String message))
                log.warn("the comparison of {} was not saved: {}", folder, message);
            else
                save();
        });
    }

    private CompareState state(Path model) {
        GenerateViewModel panel = comparison.panel();
        Map<String, SavedMeasures> measures = new LinkedHashMap<>();
        comparison.metrics().known().forEach((key, row) -> measures.put(key, SavedMeasures.of(row)));
        return CompareState.of(model, comparison.rowChoice().saved(), panel.prompt().get(),
                SavedSettings.of(panel.settings().get()), new TableChoice(panel.seedLocked().get(),
                        comparison.columns().get(), comparison.side().get()),
                measures);
    }
}
