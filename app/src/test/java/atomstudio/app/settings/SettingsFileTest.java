package atomstudio.app.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import atomstudio.app.pipeline.EngineName;
import atomstudio.app.pipeline.SafetyFilter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SettingsFileTest {
    @TempDir
    Path home;

    @Test
    void settingsAreReadBack() {
        Path file = home.resolve("a/settings.json");
        new SettingsFile(file, Runnable::run).update(settings -> settings.with(AppSettings.Theme.DARK)
                .withModel(Optional.of(Path.of("/m")))
                .withModels(List.of(Path.of("/m"), Path.of("/n")))
                .with(AppSettings.GenerationPreferences.defaults()
                        .withPreviewDecoder(Optional.of(Path.of("/taesd.safetensors")))
                        .with(SafetyFilter.OFF)
                        .with(EngineName.TORCH)
                        .withDevice("openvino-gpu"))
                .with(AppSettings.SharingRule.AFTER_RUN));
        assertEquals(
                new AppSettings(AppSettings.Theme.DARK, Optional.of(Path.of("/m")),
                        List.of(Path.of("/m"), Path.of("/n")), new AppSettings.GenerationPreferences(
                                Optional.of(Path.of("/taesd.safetensors")), SafetyFilter.OFF, EngineName.TORCH,
                                "openvino-gpu"),
                        AppSettings.SharingRule.AFTER_RUN),
                new SettingsFile(file, Runnable::run).get());
    }

    /// A slow disk holds whatever monitor the writing uses.
    @Test
    void readingAndChangingDoNotWaitForTheDisk() throws Exception {
        CountDownLatch writing = new CountDownLatch(1);
        CountDownLatch disk = new CountDownLatch(1);
        SettingsFile[] settings = new SettingsFile[1];
        Thread writer = Thread.ofPlatform().daemon().unstarted(() -> {
            synchronized (settings[0]) {
                writing.countDown();
                try {
                    disk.await();
                } catch (InterruptedException end) {
                    Thread.currentThread().interrupt();
                }
            }
        });
        settings[0] = new SettingsFile(home.resolve("settings.json"), write -> writer.start());
        assertTimeoutPreemptively(Duration.ofSeconds(20), () -> {
            settings[0].update(now -> now.with(AppSettings.Theme.DARK));
            writing.await();
            assertEquals(AppSettings.Theme.DARK, settings[0].get().theme());
        });
        disk.countDown();
    }

    @Test
    void damagedFileGivesDefaults() throws Exception {
        Path file = home.resolve("settings.json");
        for (String text : List.of("", "{", "[]", "{\"theme\":{}}", "{\"models\":3}", "{\"engine\":\"steam\"}")) {
            Files.writeString(file, text);
            assertEquals(AppSettings.defaults(), new SettingsFile(file, Runnable::run).get(), text);
        }
    }
}
