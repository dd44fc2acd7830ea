package atomstudio.app.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;

import atomstudio.app.pipeline.EngineName;
import atomstudio.app.pipeline.SafetyFilter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
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
                        .with(EngineName.TORCH))
                .with(AppSettings.SharingRule.AFTER_RUN));
        assertEquals(
                new AppSettings(AppSettings.Theme.DARK, Optional.of(Path.of("/m")),
                        List.of(Path.of("/m"), Path.of("/n")), new AppSettings.GenerationPreferences(
                                Optional.of(Path.of("/taesd.safetensors")), SafetyFilter.OFF, EngineName.TORCH),
                        AppSettings.SharingRule.AFTER_RUN),
                new SettingsFile(file, Runnable::run).get());
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
