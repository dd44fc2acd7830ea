package atomstudio.app.services;

import atomstudio.app.dataset.PhotoFinder;
import atomstudio.app.dataset.Subject;
import atomstudio.app.dataset.SubjectStore;
import atomstudio.app.desktop.DesktopActions;
import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.desktop.SystemInfo;
import atomstudio.app.estimate.MemoryCheckViewModel;
import atomstudio.app.export.ExportViewModel;
import atomstudio.app.freedesktop.ApplicationsMenu;
import atomstudio.app.freedesktop.Taskbar;
import atomstudio.app.gallery.ImageStore;
import atomstudio.app.generate.RowGenerator;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.process.TrainingProcess;
import atomstudio.app.provider.DevicesViewModel;
import atomstudio.app.runs.RunStore;
import atomstudio.app.settings.SettingsStore;
import atomstudio.app.train.MethodCost;
import atomstudio.app.train.StartFilesViewModel;
import atomstudio.app.trash.Trash;
import atomstudio.diffusion.Failure;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;

/// The services of the window's view models.
public record Services(Jobs jobs, Stores stores, Engines engines, Environment environment,
        DevicesViewModel.DeviceServices devices, DesktopShell shell) {
    /// Files on disk.
    public record Stores(ModelSummary.SummaryReader models, SubjectStore subjects, PhotoFinder photoFinder,
            RunStore runs, ImageStore images, Trash trash, SampleSource samples) {}

    /// Computation.
    public record Engines(MethodCost.CostCounter costCounter, TrainingProcess.ProcessLauncher launcher,
            MemoryCheckViewModel.Estimator estimator, RowGenerator rowGenerator, ExportViewModel.Exporter exporter,
            StartFilesViewModel.MethodReader methodReader) {}

    /// The desktop, the settings and the machine.
    public record Environment(FileChoosers choosers, DesktopActions desktop, SettingsStore settings,
            InstantSource clock, SystemInfo systemInfo) {}

    /// The desktop's taskbar and applications menu.
    /// @param menu empty: the program cannot add itself to one
    public record DesktopShell(Taskbar taskbar, Optional<ApplicationsMenu> menu) {}

    /// Lists the sample subjects.
    @FunctionalInterface
    public interface SampleSource {
        List<Subject.SampleSubject> list() throws Failure;
    }
}
