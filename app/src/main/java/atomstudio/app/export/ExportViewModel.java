package atomstudio.app.export;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.desktop.DesktopActions;
import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.runs.RunSummary;
import atomstudio.diffusion.Failure;
import atomstudio.tuning.export.AdapterWriter;
import atomstudio.tuning.export.ExportFormat;
import atomstudio.tuning.export.ExportPlan;
import atomstudio.tuning.export.LowRankExport;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import org.jspecify.annotations.Nullable;

/// Exports adapters to a chosen file in the background.
public final class ExportViewModel {
    /// Result of the last export.
    /// @param file empty if nothing was written
    public record ExportNote(Path run, String text, Optional<Path> file) {}

    /// What the open dialog shows.
    /// @param plan          empty while it is computed, or if it cannot be; the approximate format follows later
    /// @param approximation of the approximate format; empty until it is computed
    /// @param problem       empty if there is none
    public record ExportDialog(RunSummary run, Optional<ExportPlan> plan, Optional<Approximation> approximation,
            String problem) {}

    /// The ranks within a budget.
    /// @param plan    empty if the budget cannot be kept
    /// @param problem why there is no plan
    public record Approximation(LowRankExport.Budget budget, Optional<LowRankExport.Plan> plan, String problem) {}

    private final Jobs jobs;
    private final Exporter exporter;
    private final FileChoosers fileChoosers;
    private final DesktopActions desktopActions;
    private final ReadOnlyObjectWrapper<@Nullable ExportNote> exportNote = new ReadOnlyObjectWrapper<>();
    private final ReadOnlyObjectWrapper<@Nullable ExportDialog> dialog = new ReadOnlyObjectWrapper<>();
    private Jobs.@Nullable JobHandle planning;
    private LowRankExport.Budget wanted = new LowRankExport.Budget.Rank(ExportFormat.DEFAULT_RANK);
    private boolean budgeting;

    public ExportViewModel(Jobs jobs, Exporter exporter, FileChoosers fileChoosers, DesktopActions desktopActions) {
        this.jobs = jobs;
        this.exporter = exporter;
        this.fileChoosers = fileChoosers;
        this.desktopActions = desktopActions;
    }

    /// Null before the first export.
    public ReadOnlyObjectProperty<@Nullable ExportNote> exportNote() {
        return exportNote.getReadOnlyProperty();
    }

    /// Formats that can hold the run's adapter, this program's format first.
    public List<ExportFormat> formats(RunSummary run) {
        return ExportFormat.of(run.spec().choices().method());
    }

    public void export(RunSummary run, ExportFormat format) {
        export(run, format, format);
    }

    private void export(RunSummary run, ExportFormat format, AdapterWriter writer) {
        String name = format.fileName(run.folder().getFileName().toString());
        fileChoosers.saveFile(text("export.chooser", format.description()), name)
                .ifPresent(file -> export(run, file, () -> exporter.export(run.folder(), file, writer)));
    }

    /// Null if the dialog is closed.
    public ReadOnlyObjectProperty<@Nullable ExportDialog> dialog() {
        return dialog.getReadOnlyProperty();
    }

    /// Opens the dialog and computes what each format would be.
    public void open(RunSummary run) {
        close();
        dialog.set(new ExportDialog(run, Optional.empty(), Optional.empty(), ""));
        Consumer<ExportPlan> sizes = jobs.deliverLatest(plan -> show(run, Optional.of(plan), ""));
        planning = jobs.<ExportPlan>start(text("export.planning", run.title()),
                cancellation -> exporter.plan(run.folder(), sizes), plan -> show(run, Optional.of(plan), ""),
                problem -> show(run, Optional.empty(), problem));
    }

    private void show(RunSummary run, Optional<ExportPlan> plan, String problem) {
        ExportDialog shown = dialog.get();
        if (shown == null || !shown.run().equals(run)) return;
        dialog.set(new ExportDialog(run, plan, Optional.empty(), problem));
        if (plan.flatMap(ExportPlan::approximate).isPresent())
            setBudget(new LowRankExport.Budget.Rank(ExportFormat.DEFAULT_RANK));
    }

    /// Computes the ranks of the approximate format within a budget; the newest budget counts.
    public void setBudget(LowRankExport.Budget budget) {
        wanted = budget;
        ExportDialog shown = dialog.get();
        if (budgeting || shown == null) return;
        shown.plan().flatMap(ExportPlan::approximate).ifPresent(approximate -> {
            budgeting = true;
            jobs.start(text("export.planning", shown.run().title()), cancellation -> plan(approximate, budget),
                    found -> onPlanned(shown.run(), found), problem -> budgeting = false);
        });
    }

    private static Approximation plan(LowRankExport approximate, LowRankExport.Budget budget) {
        try {
            return new Approximation(budget, Optional.of(approximate.plan(budget)), "");
        } catch (Failure unreachable) {
            return new Approximation(budget, Optional.empty(), text("export.budget.unreachable"));
        }
    }

    private void onPlanned(RunSummary run, Approximation found) {
        budgeting = false;
        ExportDialog shown = dialog.get();
        if (shown == null || !shown.run().equals(run)) return;
        dialog.set(new ExportDialog(run, shown.plan(), Optional.of(found), shown.problem()));
        if (!found.budget.equals(wanted)) setBudget(wanted);
    }

    public void close() {
        dialog.set(null);
        if (planning != null) planning.cancel();
        planning = null;
    }

    /// Closes the dialog, and exports what it showed.
    public void exportShown(ExportFormat format) {
        ExportDialog shown = dialog.get();
        if (shown == null) return;
        close();
        Optional<LowRankExport> approximate = shown.plan().flatMap(ExportPlan::approximate);
        Optional<LowRankExport.Plan> ranks = shown.approximation().flatMap(Approximation::plan);
        AdapterWriter writer = format == ExportFormat.LOCON && approximate.isPresent() && ranks.isPresent()
                ? (adapter, base, file) -> approximate.get().write(ranks.get(), file)
                : format;
        export(shown.run(), format, writer);
    }

    /// Exports the run's settings for `train --config` and for the training form.
    public void exportSettings(RunSummary run) {
        fileChoosers.saveFile(text("export.settings-chooser"), run.folder().getFileName() + ".toml")
                .ifPresent(file -> export(run, file, () -> {
                    AdapterExport.writeSettings(run.folder(), file, AdapterExport.IfExists.REPLACE);
                    return "";
                }));
    }

    /// @param work returns a warning, or empty
    private void export(RunSummary run, Path file, Callable<String> work) {
        exportNote.set(new ExportNote(run.folder(), text("export.exporting"), Optional.empty()));
        jobs.start(text("export.exporting.file", file), cancellation -> work.call(),
                outcome -> exportNote.set(switch (outcome) {
                    case JobOutcome.Succeeded<String>(String warning) -> new ExportNote(run.folder(),
                            text("export.exported", file) + (warning.isEmpty() ? "" : ". " + warning),
                            Optional.of(file));
                    case JobOutcome.Failed<String>(String message) ->
                            new ExportNote(run.folder(), message, Optional.empty());
                    case JobOutcome.Cancelled<String>() -> new ExportNote(run.folder(), "", Optional.empty());
                }));
    }

    /// Opens the folder of the last export.
    public void showInFolder() {
        ExportNote last = exportNote.get();
        if (last != null) last.file().ifPresent(desktopActions::showInFileManager);
    }

    /// Writes a run's adapter to a file.
    public interface Exporter {
        /// @return a warning, or empty
        String export(Path run, Path file, AdapterWriter format) throws Failure;

        /// What each format of the run's adapter would be.
        /// @param onSizes gets the plan without the approximate format, which takes longer; any thread
        ExportPlan plan(Path run, Consumer<ExportPlan> onSizes) throws Failure;
    }
}
