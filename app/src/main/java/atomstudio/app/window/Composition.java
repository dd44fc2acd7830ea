package atomstudio.app.window;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.dataset.PhotoFinder;
import atomstudio.app.dataset.Subject;
import atomstudio.app.dataset.SubjectStore;
import atomstudio.app.desktop.DesktopActions;
import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.desktop.SystemInfo;
import atomstudio.app.estimate.ChildProcessEstimator;
import atomstudio.app.export.RunExporter;
import atomstudio.app.freedesktop.ApplicationsMenu;
import atomstudio.app.freedesktop.Taskbar;
import atomstudio.app.gallery.ImageStore;
import atomstudio.app.generate.EngineRowGenerator;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.models.ModelFolderReader;
import atomstudio.app.models.TokenizerFolders;
import atomstudio.app.process.ChildProcessLauncher;
import atomstudio.app.provider.ChildProcessTrial;
import atomstudio.app.provider.DeviceSelection;
import atomstudio.app.provider.DevicesViewModel;
import atomstudio.app.runs.RunStore;
import atomstudio.app.runtime.Assets;
import atomstudio.app.runtime.Home;
import atomstudio.app.services.Services;
import atomstudio.app.settings.SettingsFile;
import atomstudio.app.train.MethodCost;
import atomstudio.app.trash.Trash;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.adapter.TrainableAdapter;
import atomstudio.tuning.config.TrainingEnvironment;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;

/// Creates the services of the real program.
final class Composition {
    /// @param className a word that the built-in model draws
    private record SampleEntry(String name, String className) {}

    private static final List<SampleEntry> SAMPLE_ENTRIES = List.of(new SampleEntry("car", "car"),
            new SampleEntry("clock", "clock"), new SampleEntry("boat", "sailboat"),
            new SampleEntry("backpack", "object"));

    private Composition() {}

    static Services create(Home home, Jobs jobs, FileChoosers choosers, DesktopActions desktop) {
        PhotoFinder.DiskPhotoFinder photoFinder = new PhotoFinder.DiskPhotoFinder();
        Services.Stores stores = new Services.Stores(new ModelFolderReader(new TokenizerFolders(home)),
                new SubjectStore(home.subjects(), photoFinder), photoFinder, new RunStore(home.runs()),
                new ImageStore(home.images(), InstantSource.system()), new Trash(home.trash(), InstantSource.system()),
                Composition::samples);
        SettingsFile settings = settings(home, jobs);
        DeviceSelection devices = new DeviceSelection(home);
        EngineRowGenerator generator = new EngineRowGenerator(new BaseModelHashes(home.baseHashes()),
                new TokenizerFolders(home), () -> settings.get().generation(), devices);
        ChildProcessLauncher launcher = ChildProcessLauncher.ofThisProgram(home);
        TrainingEnvironment exportEnvironment = new TrainingEnvironment(Device.CPU,
                Runtime.getRuntime().availableProcessors(), home.folder(), new TokenizerFolders(home).folders());
        Services.Engines engines = new Services.Engines(new MethodCost.LayerCostCounter(), launcher,
                new ChildProcessEstimator(launcher), generator,
                new RunExporter(exportEnvironment),
                (file, model) -> TrainableAdapter.read(file, DiffusionModel.open(model)).method());
        Services.Environment environment = new Services.Environment(choosers, desktop, settings, InstantSource.system(),
                new SystemInfo.LocalSystemInfo(() -> devices.title(settings.get().generation().device())));
        return new Services(jobs, stores, engines, environment,
                new DevicesViewModel.DeviceServices(devices, new ChildProcessTrial(launcher)),
                new Services.DesktopShell(Taskbar.current(), ApplicationsMenu.current()));
    }

    private static SettingsFile settings(Home home, Jobs jobs) {
        return new SettingsFile(home.settings(),
                write -> jobs.start(text("window.saving-the-settings"), cancellation -> {
                    write.run();
                    return home;
                }, outcome -> {}));
    }

    /// The sample subjects of the start page.
    private static List<Subject.SampleSubject> samples() throws Failure {
        Assets assets = Assets.find();
        PhotoFinder.DiskPhotoFinder photoFinder = new PhotoFinder.DiskPhotoFinder();
        List<Subject.SampleSubject> samples = new ArrayList<>();
        for (SampleEntry entry : SAMPLE_ENTRIES) {
            String name = entry.name();
            if (!assets.subjectNames().contains(name)) continue;
            Path folder = assets.subjectFolder(name);
            List<Path> files = photoFinder.find(List.of(folder)).files();
            if (!files.isEmpty())
                samples.add(new Subject.SampleSubject(name, entry.className(), folder, files.getFirst()));
        }
        return samples;
    }
}
