package atomstudio.app.window;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.desktop.FileChoosers;
import atomstudio.diffusion.image.ImageFormat;
import java.io.File;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import javafx.stage.DirectoryChooser;
import javafx.stage.FileChooser;
import javafx.stage.Window;

/// JavaFX file choosers.
final class FxChoosers implements FileChoosers {
    private final Supplier<Window> owner;

    FxChoosers(Supplier<Window> owner) {
        this.owner = owner;
    }

    @Override
    public List<Path> images(String title) {
        Stream<String> patterns = ImageFormat.extensions()
                .stream()
                .flatMap(extension -> Stream.of("*." + extension, "*." + extension.toUpperCase(Locale.ROOT)));
        return openMultiple(chooser(title, text("window.images"), patterns.toList()));
    }

    @Override
    public List<Path> adapters(String title) {
        return openMultiple(chooser(title, text("window.adapters-lora-embeddings-png-with-embedded"),
                List.of("*.safetensors", "*.pt", "*.bin", "*.png")));
    }

    @Override
    public Optional<Path> folder(String title) {
        DirectoryChooser chooser = new DirectoryChooser();
        chooser.setTitle(title);
        return Optional.ofNullable(chooser.showDialog(owner.get())).map(File::toPath);
    }

    @Override
    public Optional<Path> model(String title) {
        FileChooser chooser = chooser(title, text("window.models"),
                List.of("*.safetensors", "*.ckpt", "*.pt", "*.pth", "*.SAFETENSORS", "*.CKPT"));
        return Optional.ofNullable(chooser.showOpenDialog(owner.get())).map(File::toPath);
    }

    @Override
    public Optional<Path> provider(String title) {
        FileChooser chooser = chooser(title, text("window.provider-packages"), List.of("*.whl", "*.zip"));
        return Optional.ofNullable(chooser.showOpenDialog(owner.get())).map(File::toPath);
    }

    @Override
    public Optional<Path> settings(String title) {
        FileChooser chooser = chooser(title, text("window.training-settings"), List.of("*.toml"));
        return Optional.ofNullable(chooser.showOpenDialog(owner.get())).map(File::toPath);
    }

    @Override
    public Optional<Path> saveFile(String title, String suggestedName) {
        FileChooser chooser = new FileChooser();
        chooser.setTitle(title);
        chooser.setInitialFileName(suggestedName);
        return Optional.ofNullable(chooser.showSaveDialog(owner.get())).map(File::toPath);
    }

    private static FileChooser chooser(String title, String filterName, List<String> patterns) {
        FileChooser chooser = new FileChooser();
        chooser.setTitle(title);
        chooser.getExtensionFilters()
                .addAll(new FileChooser.ExtensionFilter(filterName, patterns),
                        new FileChooser.ExtensionFilter(text("window.all-files"), "*"));
        return chooser;
    }

    private List<Path> openMultiple(FileChooser chooser) {
        List<File> chosen = chooser.showOpenMultipleDialog(owner.get());
        return chosen == null ? List.of() : chosen.stream().map(File::toPath).toList();
    }
}
