package atomstudio.app.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.desktop.FakeDesktop;
import atomstudio.app.hub.FakeHub;
import atomstudio.app.hub.ModelHub;
import atomstudio.app.jobs.BackgroundJobs;
import atomstudio.app.jobs.InlineJobs;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.notices.NoticesViewModel;
import atomstudio.app.runtime.Assets;
import atomstudio.app.runtime.Home;
import atomstudio.app.trash.Deletions;
import atomstudio.app.trash.Trash;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// "Get a model" with a local hub and real files.
class GetModelViewModelTest {
    @TempDir
    private Path folder;

    private final FakeDesktop desktop = new FakeDesktop();
    private final NoticesViewModel notices = new NoticesViewModel();
    private FakeHub hub;
    private ModelsViewModel models;

    @BeforeEach
    void start() throws Exception {
        hub = FakeHub.start();
        hub.repository("atom/small").addFolder(Assets.find().defaultModel());
    }

    @AfterEach
    void stop() {
        hub.close();
    }

    private GetModelViewModel model(Jobs jobs) {
        Home home = new Home(folder);
        models = new ModelsViewModel(jobs, new ModelFolderReader(new TokenizerFolders(home)), desktop, desktop,
                desktop);
        models.load();
        GetModelViewModel model = new GetModelViewModel(jobs, new ModelHub(home), models,
                new Deletions(jobs, new Trash(home.trash(), InstantSource.system()), notices));
        model.load();
        model.settings().saveAddress(hub.address().toString());
        return model;
    }

    @Test
    void downloadedModelIsListedAndUsedOnRequest() {
        GetModelViewModel model = model(new InlineJobs());
        model.find("atom/small", "");
        assertEquals("", model.problem().get());
        assertEquals("creativeml-openrail-m", model.offer().get().repository().licence().name());
        model.copyPage();
        assertEquals(hub.address() + "/atom/small", desktop.copiedText);
        model.download();
        assertEquals(1, models.known().size(), "the licence is not accepted");
        model.licenceAccepted().set(true);
        model.download();
        Path path = folder.resolve("models/atom/small");
        assertEquals(path, models.known().get(1).path());
        assertEquals("atom/small", models.details().get(path).download().orElseThrow().id().toString());
        assertEquals("default-model", models.current().get().path().getFileName().toString());
        assertNull(model.offer().get());
        assertEquals("atom/small is downloaded.", notices.notices().getFirst().text());
        notices.act(notices.notices().getFirst());
        assertEquals(path, models.current().get().path());
        GetModelViewModel next = model(new InlineJobs());
        assertEquals(path, models.current().get().path(), "after a restart");
        next.delete(models.current().get());
        assertFalse(Files.exists(path));
        assertEquals(1, models.known().size());
        notices.undo();
        assertEquals(path, models.known().get(1).path(), "after Undo");
    }

    @Test
    void refusalNamesWhatToDoInTheWindow() {
        hub.repository("atom/small").gated = true;
        GetModelViewModel model = model(new InlineJobs());
        model.find("atom/small", "");
        assertTrue(model.needsToken().get());
        assertTrue(model.problem()
                .get()
                .endsWith("create a token to read on " + hub.address()
                        + "/settings/tokens, and enter it below."),
                model.problem().get());
        model.settings().saveToken(FakeHub.TOKEN);
        model.find("atom/small", "");
        assertEquals("", model.problem().get());
        assertFalse(model.needsToken().get());
        model.settings().saveToken("");
        assertTrue(model.settings().current().get().token().isEmpty());
        model.settings().saveToken("two words");
        assertTrue(model.problem().get().startsWith("Access token: expected"), model.problem().get());
        model.find("a/b/c", "");
        assertTrue(model.problem().get().startsWith("Repository: expected a repository as owner/name"));
        model.settings().saveAddress("ftp://x");
        assertTrue(model.problem().get().startsWith("Hub: expected the address of a hub"), model.problem().get());
        hub.close();
        model.find("atom/small", "");
        assertTrue(model.problem().get().endsWith("Try again later: a download continues where it stopped."));
    }

    @Test
    void cancelledDownloadIsListedAndContinues() throws Exception {
        BlockingQueue<Runnable> windowThread = new LinkedBlockingQueue<>();
        hub.limitSpeed(4_000_000);
        GetModelViewModel model = model(new BackgroundJobs(windowThread::add));
        runUntil(windowThread, () -> models.known().size() == 1);
        model.find("atom/small", "");
        runUntil(windowThread, () -> model.offer().get() != null);
        model.licenceAccepted().set(true);
        model.download();
        runUntil(windowThread, () -> model.status().get().share() > 0.3);
        assertTrue(model.status().get().text().matches("[\\d.]+ MB of 39 MB.*"), model.status().get().text());
        model.cancel();
        runUntil(windowThread, () -> !model.status().get().isBusy() && !model.unfinished().isEmpty());
        assertNotNull(model.offer().get());
        assertEquals(1, models.known().size());
        hub.limitSpeed(Integer.MAX_VALUE);
        model.resume(model.unfinished().getFirst());
        runUntil(windowThread, () -> models.known().size() == 2 && model.unfinished().isEmpty());
        assertTrue(hub.requests("unet/diffusion_pytorch_model.safetensors").getLast().range().startsWith("bytes="));
        assertEquals(List.of("atom/small is downloaded."),
                notices.notices().stream().map(NoticesViewModel.Notice::text).toList());
    }

    private static void runUntil(BlockingQueue<Runnable> windowThread, BooleanSupplier condition) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < end, "the state was not reached");
            Runnable task = windowThread.poll(100, TimeUnit.MILLISECONDS);
            if (task != null) task.run();
        }
    }
}
