package atomstudio.app.desktop;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// A desktop whose choosers answer what the test told them, and that remembers what it was asked to do.
public final class FakeDesktop implements Choosers, Desktop, SettingsStore {
    public List<Path> pictures = List.of();
    public List<Path> adapters = List.of();
    public @Nullable Path folder;
    public @Nullable Path target;
    public String suggested = "";
    public String copied = "";
    public final List<Path> shown = new ArrayList<>();
    private Settings settings = Settings.initial();

    @Override public List<Path> pictures(String title) {
        return pictures;
    }

    @Override public List<Path> adapters(String title) {
        return adapters;
    }

    @Override public Optional<Path> model(String title) {
        return Optional.ofNullable(folder);
    }

    @Override public Optional<Path> folder(String title) {
        return Optional.ofNullable(folder);
    }

    @Override public Optional<Path> target(String title, String suggestedName) {
        suggested = suggestedName;
        return Optional.ofNullable(target);
    }

    @Override public void copy(String text) {
        copied = text;
    }

    @Override public void show(Path fileOrFolder) {
        shown.add(fileOrFolder);
    }

    @Override public Settings get() {
        return settings;
    }

    @Override public void change(UnaryOperator<Settings> change) {
        settings = change.apply(settings);
    }
}
