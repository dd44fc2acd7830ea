package atomstudio.app.provider;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.desktop.FakeDesktop;
import atomstudio.app.jobs.InlineJobs;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.jobs.ManualJobs;
import atomstudio.app.notices.NoticesViewModel;
import atomstudio.app.runtime.BuildInfo;
import atomstudio.app.runtime.Devices;
import atomstudio.app.runtime.Home;
import atomstudio.app.trash.Deletions;
import atomstudio.app.trash.Trash;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.ProviderDevice;
import atomstudio.diffusion.engine.ProviderDevice.Hardware;
import atomstudio.diffusion.engine.ProviderDevice.Precision;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@EnabledOnOs(OS.LINUX) // the packages have libraries for Linux
class DevicesViewModelTest {
    @TempDir
    Path home;

    private final FakeDesktop desktop = new FakeDesktop();
    private final FakeProviderTrial trial = new FakeProviderTrial();
    private final NoticesViewModel notices = new NoticesViewModel();
    private final List<String> automatic = new ArrayList<>();
    private DeviceSelection selection;

    @BeforeEach
    void hasADevice() throws Exception {
        trial.devices = List.of(new ProviderDevice("fake-gpu", new Hardware("FakeExecutionProvider", "Fake",
                Hardware.Kind.GPU, "Fake 1", OptionalLong.empty()), Precision.FLOAT16));
        trial.secondsPerStep.put("cpu", 0.012);
        trial.secondsPerStep.put("fake-gpu", 0.005);
        selection = new DeviceSelection(new Home(home), new Devices(new BuildInfo("1", false, "1.29.0"), List.of()));
        trial.selection = selection;
        desktop.folder = FakePlugin.wheel().writeZip(home.resolve("fake.whl"));
    }

    private DevicesViewModel model(Jobs jobs) {
        Deletions deletions = new Deletions(jobs, new Trash(home.resolve("trash"), InstantSource.system()), notices);
        DevicesViewModel model = new DevicesViewModel(jobs, new DevicesViewModel.DeviceServices(selection, trial),
                desktop, deletions, () -> automatic.add(selection.automatic().name()));
        model.load();
        return model;
    }

    private static List<String> names(DevicesViewModel model) {
        return model.devices().get().devices().stream().map(DeviceSelection.KnownDevice::name).toList();
    }

    @Test
    void anAddedProviderIsMeasured() {
        DevicesViewModel model = model(new InlineJobs());
        assertEquals(List.of("cpu"), names(model));
        model.chooseFile();
        assertEquals("", model.problem().get());
        assertEquals(List.of("cpu", "fake-gpu"), names(model));
        assertEquals("fake-gpu", model.devices().get().automatic());
        assertEquals("fake-gpu", automatic.getLast());
        assertEquals(0.005, model.devices().get().devices().getLast().measurement().orElseThrow().secondsPerStep());
        assertFalse(model.task().get().isRunning());
    }

    @Test
    void aRemovedProviderComesBackByUndo() {
        DevicesViewModel model = model(new InlineJobs());
        model.chooseFile();
        model.remove(model.devices().get().devices().getLast().provider().orElseThrow().folder());
        assertEquals(List.of("cpu"), names(model));
        assertEquals("cpu", model.devices().get().automatic());
        notices.undo();
        assertEquals(List.of("cpu", "fake-gpu"), names(model));
        assertEquals("fake-gpu", model.devices().get().automatic());
    }

    @Test
    void problemsHaveTheirReason() throws Exception {
        DevicesViewModel model = model(new InlineJobs());
        model.add(Files.writeString(home.resolve("text.whl"), "text"));
        assertTrue(model.problem().get().contains("expected a Python wheel"), model.problem().get());
        trial.failure = new Failure.DeviceUnavailable("its code crashed");
        model.chooseFile();
        assertEquals("its code crashed", model.problem().get());
        assertEquals(List.of("cpu"), names(model));
        trial.failure = null;
        trial.secondsPerStep.remove("fake-gpu");
        model.chooseFile();
        assertEquals("device fake-gpu cannot be used: no driver", model.problem().get());
        assertEquals("cpu", model.devices().get().automatic());
        Files.writeString(home.resolve("providers/fake/provider.json"), "{");
        model.load();
        assertEquals(home.resolve("providers/fake"), model.devices().get().unreadable().getFirst().folder());
    }

    @Test
    void oneTaskRunsAtATimeAndCanBeCancelled() {
        ManualJobs jobs = new ManualJobs();
        DevicesViewModel model = model(jobs);
        jobs.runAll();
        model.chooseFile();
        assertTrue(model.task().get().isRunning());
        model.measure();
        model.cancel();
        jobs.runAll();
        assertFalse(model.task().get().isRunning());
        assertEquals("", model.problem().get());
        assertEquals(List.of("cpu"), names(model));
        assertEquals(List.of(), trial.tried);
    }
}
