package atomstudio.app.window;

import atomstudio.app.desktop.DesktopActions;
import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.desktop.SettingsStore;
import atomstudio.app.export.Exporter;
import atomstudio.app.generate.RowEvaluator;
import atomstudio.app.generate.RowGenerator;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.models.SummaryReader;
import atomstudio.app.subjects.PhotoFinder;
import atomstudio.app.subjects.SampleSubject;
import atomstudio.app.subjects.SubjectStore;
import atomstudio.app.tune.CostCounter;
import atomstudio.app.tune.Estimator;
import atomstudio.app.tune.ProcessLauncher;
import atomstudio.app.tune.RunStore;
import atomstudio.diffusion.Failure;
import java.time.InstantSource;
import java.util.List;

/// Everything the window works with, put together in one place.
public record Services(Jobs jobs, Stores stores, Engines engines, Environment environment) {
    /// What lies on disk.
    public record Stores(SummaryReader models, SubjectStore subjects, PhotoFinder photoFinder, RunStore runs, SampleSource samples) {}

    /// What computes.
    public record Engines(CostCounter costCounter, ProcessLauncher launcher, Estimator estimator, RowGenerator rowGenerator, RowEvaluator rowEvaluator, Exporter exporter) {}

    /// What the machine and its desktop offer.
    public record Environment(FileChoosers choosers, DesktopActions desktop, SettingsStore settings, InstantSource clock, SystemInfo systemInfo) {}

    /// Subjects to start with.
    @FunctionalInterface
    public interface SampleSource {
        List<SampleSubject> list() throws Failure;
    }
}
