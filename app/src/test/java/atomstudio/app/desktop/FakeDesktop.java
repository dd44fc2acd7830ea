package atomstudio.app.desktop;

import atomstudio.app.settings.AppSettings;
import atomstudio.app.settings.SettingsStore;
import atomstudio.diffusion.image.RgbImage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// A desktop whose choosers return preset files, and which records what was copied and shown.
public final class FakeDesktop implements FileChoosers, DesktopActions, SettingsStore {
    public List<Path> images = List.of();
    public List<Path> adapters = List.of();
    public @Nullable Path folder;
    public @Nullable Path saveTarget;
    public String lastSuggestedName = "";
    public String copiedText = "";
    public @Nullable RgbImage copiedImage;
    public final List<Path> shownPaths = new ArrayList<>();
    private AppSettings settings = AppSettings.defaults();

    @Override
    public List<Path> images(String title) {
        return images;
    }

    @Override
    public List<Path> adapters(String title) {
        return adapters;
    }

    @Override
    public Optional<Path> model(String title) {
        return Optional.ofNullable(folder);
    }

    @Override
    public Optional<Path> provider(String title) {
        return Optional.ofNullable(folder);
    }

    @Override
    public Optional<Path> settings(String title) {
        return Optional.ofNullable(folder);
    }

    @Override
    public Optional<Path> folder(String title) {
        return Optional.ofNullable(folder);
    }

    @Override
    public Optional<Path> saveFile(String title, String suggestedName) {
        lastSuggestedName = suggestedName;
        return Optional.ofNullable(saveTarget);
    }

    @Override
    public void copyToClipboard(String text) {
        copiedText = text;
    }

    @Override
    public void copyImage(RgbImage image) {
        copiedImage = image;
    }

    @Override
    public void open(Path file) {
        shownPaths.add(file);
    }

    @Override
    public void showInFileManager(Path fileOrFolder) {
        shownPaths.add(fileOrFolder);
    }

    @Override
    public AppSettings get() {
        return settings;
    }

    @Override
    public void update(UnaryOperator<AppSettings> change) {
        settings = change.apply(settings);
    }
}
