package atomstudio.app.window;

import atomstudio.app.jobs.BackgroundJobs;
import atomstudio.app.jobs.Home;
import atomstudio.app.jobs.Jobs;
import atomstudio.diffusion.Failure;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import javafx.application.Platform;
import javafx.stage.Stage;

/// Opens the window and waits until it is closed. No `Application` is inherited: the class path is enough.
public final class WindowLauncher {
    private static final String NO_DISPLAY = "There is no display for the window (DISPLAY and WAYLAND_DISPLAY are not set). The commands need none: see --help.";

    private WindowLauncher() {}

    /// Whether a window can be opened here, as far as one can tell without trying.
    private static boolean display() {
        boolean linux = System.getProperty("os.name").startsWith("Linux");
        return !linux || System.getenv("DISPLAY") != null || System.getenv("WAYLAND_DISPLAY") != null || "Headless".equals(System.getProperty("glass.platform"));
    }

    /// @return the process's exit code
    /// @throws Failure.NoDevice when there is no display that a window could be opened on
    public static int open(String[] arguments) throws Failure {
        if (!display()) throw new Failure.NoDevice(NO_DISPLAY);
        CountDownLatch closed = new CountDownLatch(1);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        try {
            Platform.startup(() -> start(closed, failure));
            closed.await();
        } catch (UnsupportedOperationException | UnsatisfiedLinkError none) {
            throw new Failure.NoDevice("The window could not be opened: " + none.getMessage() + ". The commands need no display: see --help.");
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
        Throwable cause = failure.get();
        if (cause != null) throw new IllegalStateException("The window could not be opened: " + cause, cause);
        return 0;
    }

    private static void start(CountDownLatch closed, AtomicReference<Throwable> failure) {
        try {
            Stage stage = new Stage();
            Jobs jobs = new BackgroundJobs(Platform::runLater);
            Services services = Composition.of(Home.current(), jobs, new FxChoosers(() -> stage), new FxDesktop());
            WindowViewModel model = new WindowViewModel(services);
            StudioStage.fill(stage, model, services, () -> {
                stage.hide();
                Platform.exit();
                closed.countDown();
            });
            stage.show();
            model.load();
        } catch (Throwable e) {
            failure.set(e);
            closed.countDown();
        }
    }
}
