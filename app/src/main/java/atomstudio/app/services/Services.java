package atomstudio.app.services;

import atomstudio.app.dataset.PhotoFinder;
import atomstudio.app.dataset.Subject;
import atomstudio.app.dataset.SubjectStore;
import atomstudio.app.desktop.DesktopActions;
import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.desktop.SystemInfo;
import atomstudio.app.export.ExportViewModel;
import atomstudio.app.generate.RowEvaluator;
import atomstudio.app.generate.RowGenerator;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.process.Estimator;
import atomstudio.app.process.TrainingProcess;
import atomstudio.app.runs.RunStore;
import atomstudio.app.settings.SettingsStore;
import atomstudio.app.train.MethodCost;
import atomstudio.diffusion.Failure;
import java.time.InstantSource;
import java.util.List;

/// Everything the window works with, put together in one place.
public record Services(Jobs jobs, Stores stores, Engines engines, Environment environment) {
    /// What lies on disk.
    public record Stores(ModelSummary.SummaryReader models, SubjectStore subjects, PhotoFinder photoFinder,
            RunStore runs, SampleSource samples) {}

    /// What computes.
    public record Engines(MethodCost.CostCounter costCounter, TrainingProcess.ProcessLauncher launcher,
            Estimator estimator, RowGenerator rowGenerator, RowEvaluator rowEvaluator,
            ExportViewModel.Exporter exporter) {}

    /// What the machine and its desktop offer.
    public record Environment(FileChoosers choosers, DesktopActions desktop, SettingsStore settings,
            InstantSource clock, SystemInfo systemInfo) {}

    /// Subjects to start with.
    @FunctionalInterface
    public interface SampleSource {
        List<Subject.SampleSubject> list() throws Failure;
    }
}
