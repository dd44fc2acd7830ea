package atomstudio.app.window;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.freedesktop.DesktopEntry;
import atomstudio.app.freedesktop.Taskbar;
import atomstudio.app.generate.RowGenerator;
import atomstudio.app.jobs.BackgroundJobs;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.runtime.Home;
import atomstudio.app.services.Services;
import atomstudio.diffusion.Failure;
import java.util.concurrent.CountDownLatch;
import javafx.application.Platform;
import javafx.stage.Stage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Opens the window and waits until it is closed. Not a JavaFX `Application`, so that it runs from the class path.
public final class WindowLauncher {
    private static final Logger log = LoggerFactory.getLogger(WindowLauncher.class);
    private static final String NO_DISPLAY = text("window.there-is-no-display-for-the");

    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile @Nullable Throwable failure;
    private volatile @Nullable RowGenerator generator;
    private volatile @Nullable Taskbar taskbar;

    private WindowLauncher() {}

    /// @return the process's exit code
    /// @throws Failure.DeviceUnavailable if there is no display
    public static int open(String[] arguments) throws Failure {
        if (!hasDisplay()) throw new Failure.DeviceUnavailable(NO_DISPLAY);
        return new WindowLauncher().run();
    }

    private static boolean hasDisplay() {
        boolean linux = System.getProperty("os.name").startsWith("Linux");
        return !linux || System.getenv("DISPLAY") != null || System.getenv("WAYLAND_DISPLAY") != null
                || "Headless".equals(System.getProperty("glass.platform"));
    }

    private int run() throws Failure {
        try {
            Platform.startup(this::start);
            closed.await();
        } catch (UnsupportedOperationException | UnsatisfiedLinkError none) {
            throw new Failure.DeviceUnavailable(text("window.the-window-could-not-be-opened", none.getMessage()));
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
        if (failure != null) throw new IllegalStateException("The window could not be opened: " + failure, failure);
        if (taskbar != null) taskbar.close();
        // The process exits after this: native code must not be running any more.
        if (generator != null) generator.close();
        return 0;
    }

    /// Runs on the JavaFX thread.
    private void start() {
        try {
            // Names the program to window managers (WM_CLASS on X11), which group and pin windows by it. JavaFX has no
            // public way without a subclass of its Application.
            com.sun.glass.ui.Application.GetApplication().setName(DesktopEntry.WINDOW_CLASS);
            Stage stage = new Stage();
            Jobs jobs = new BackgroundJobs(Platform::runLater);
            Services services = Composition.create(Home.current(), jobs, new FxChoosers(() -> stage), new FxDesktop());
            generator = services.engines().rowGenerator();
            taskbar = services.shell().taskbar();
            WindowViewModel model = new WindowViewModel(services);
            // On all threads: JavaFX's own one, and those of libraries.
            Thread.setDefaultUncaughtExceptionHandler((thread, unexpected) -> {
                log.error("unexpected error on the thread {}", thread.getName(), unexpected);
                Platform.runLater(() -> model.showUnexpected(unexpected));
            });
            WindowStage.populate(stage, model, services, () -> {
                stage.hide();
                model.cancelGenerating();
                Platform.exit();
                closed.countDown();
            });
            stage.show();
            model.load();
        } catch (RuntimeException | Error broken) {
            failure = broken;
            closed.countDown();
        }
    }
}
