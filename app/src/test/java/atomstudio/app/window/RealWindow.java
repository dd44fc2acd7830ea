package atomstudio.app.window;

import atomstudio.app.desktop.FakeDesktop;
import atomstudio.app.jobs.BackgroundJobs;
import atomstudio.app.runtime.Home;
import atomstudio.app.services.Services;
import atomstudio.app.settings.AppSettings.Theme;
import atomstudio.diffusion.Shared;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javafx.animation.AnimationTimer;
import javafx.application.Platform;
import javafx.embed.swing.SwingFXUtils;
import javafx.scene.Scene;
import javafx.scene.image.WritableImage;
import javafx.stage.Stage;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;
import org.testfx.util.WaitForAsyncUtils;

/// The window with real services, except file choosers. Screenshots need a display of 2600 x 1500 pixels.
record RealWindow(FakeDesktop desktop, WindowViewModel model, Stage stage, Scene scene) {
    static final Path TARGET = Path.of("target/screenshots");
    private static final Path DOCS = Shared.root().resolve("docs/screenshots");
    /// The screenshots in the repository; all others are in target/screenshots, to look at.
    private static final int FRAMES = 10;
    private static final Set<String> KEPT = Set.of("compare", "compare-dark", "compare-2560", "compare-2560-dark",
            "training", "training-dark", "training-2560", "training-2560-dark", "generating", "generating-dark",
            "generating-2560", "generating-2560-dark", "gallery", "gallery-2560-dark", "mask", "mask-dark");
    private static final List<WindowSize> SIZES = List.of(new WindowSize("-2560", 2560, 1440),
            new WindowSize("", 1280, 800));

    /// Of the scene, without the frame around it.
    private record WindowSize(String suffix, int width, int height) {}

    /// Runs on the JavaFX thread.
    static RealWindow open(Stage stage, Path home) {
        FakeDesktop desktop = new FakeDesktop();
        Services services = Composition.create(new Home(home), new BackgroundJobs(Platform::runLater), desktop,
                desktop);
        WindowViewModel model = new WindowViewModel(services);
        Scene scene = WindowStage.populate(stage, model, services, stage::hide);
        stage.setX(0);
        stage.setY(0);
        stage.setWidth(1280);
        stage.setHeight(800);
        stage.show();
        model.load();
        return new RealWindow(desktop, model, stage, scene);
    }

    /// Runs an action on the JavaFX thread and waits for its effects.
    void run(Runnable action) throws Exception {
        WaitForAsyncUtils.asyncFx(action).get();
        WaitForAsyncUtils.waitForFxEvents();
    }

    void waitFor(int seconds, Callable<Boolean> condition) throws Exception {
        WaitForAsyncUtils.waitFor(seconds, TimeUnit.SECONDS, () -> WaitForAsyncUtils.asyncFx(condition).get());
        WaitForAsyncUtils.waitForFxEvents();
    }

    /// Waits for a few frames: the prompt takes a theme's colours in one of the layout passes that follow.
    private void showFrames() throws Exception {
        CompletableFuture<Void> shown = new CompletableFuture<>();
        run(() -> new AnimationTimer() {
            private int frames;

            @Override
            public void handle(long now) {
                if (++frames < FRAMES) return;
                stop();
                shown.complete(null);
            }
        }.start());
        shown.get(10, TimeUnit.SECONDS);
    }

    /// Takes screenshots of what is shown, at both sizes, light and dark.
    void screenshots(String name) throws Exception {
        for (WindowSize size : SIZES) {
            run(() -> {
                stage.setWidth(size.width + stage.getWidth() - scene.getWidth());
                stage.setHeight(size.height + stage.getHeight() - scene.getHeight());
            });
            waitFor(10, () -> scene.getWidth() == size.width && scene.getHeight() == size.height);
            // Images load in the background.
            Thread.sleep(600);
            for (Theme theme : List.of(Theme.LIGHT, Theme.DARK)) {
                run(() -> model.settings().theme(theme));
                showFrames();
                screenshot(name + size.suffix + (theme == Theme.DARK ? "-dark" : ""));
            }
            run(() -> model.settings().theme(Theme.LIGHT));
        }
    }

    /// Takes a screenshot of the window as it is.
    void screenshot(String name) throws Exception {
        WaitForAsyncUtils.waitForFxEvents();
        WritableImage shown = WaitForAsyncUtils.asyncFx(() -> scene.snapshot(null)).get();
        BufferedImage opaque = new BufferedImage((int) shown.getWidth(), (int) shown.getHeight(),
                BufferedImage.TYPE_INT_RGB);
        SwingFXUtils.fromFXImage(shown, opaque);
        round(opaque);
        Path folder = KEPT.contains(name) ? DOCS : TARGET;
        Files.createDirectories(folder);
        writePng(opaque, folder.resolve(name + ".png"));
    }

    /// Rounds the channels to six bits, which nobody sees and which halves the file.
    private static void round(BufferedImage image) {
        int[] pixels = image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
        for (int i = 0; i < pixels.length; i++) {
            int rounded = 0;
            for (int shift = 0; shift < 24; shift += 8)
                rounded |= Math.min(255, (pixels[i] >> shift & 255) + 2 & ~3) << shift;
            pixels[i] = rounded;
        }
        image.setRGB(0, 0, image.getWidth(), image.getHeight(), pixels, 0, image.getWidth());
    }

    private static void writePng(BufferedImage image, Path file) throws IOException {
        ImageWriter writer = ImageIO.getImageWritersByFormatName("png").next();
        ImageWriteParam options = writer.getDefaultWriteParam();
        options.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
        options.setCompressionQuality(0);
        Files.deleteIfExists(file);
        try (ImageOutputStream out = ImageIO.createImageOutputStream(file.toFile())) {
            writer.setOutput(out);
            writer.write(null, new IIOImage(image, null, null), options);
        } finally {
            writer.dispose();
        }
    }
}
