package atomstudio.app.models;

import atomstudio.app.runtime.Assets;
import atomstudio.app.runtime.Home;
import atomstudio.app.settings.SettingsFile;
import atomstudio.diffusion.Failure;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Folders searched for the tokenizer of a single-file checkpoint, which contains none.
public record TokenizerFolders(Home home) {
    /// The home folder's tokenizer, the built-in model's, then those of the other known model folders.
    public List<Path> folders() {
        List<Path> folders = new ArrayList<>(List.of(home.clipVocabulary()));
        builtIn().ifPresent(folders::add);
        for (Path model : ModelDetails.otherModels(new SettingsFile(home.settings(), Runnable::run).get(), home)) {
            if (Files.isDirectory(model)) folders.add(model.resolve("tokenizer"));
        }
        return folders;
    }

    private static Optional<Path> builtIn() {
        try {
            return Optional.of(Assets.find().defaultModel().resolve("tokenizer"));
        } catch (Failure noAssets) {
            return Optional.empty();
        }
    }
}
