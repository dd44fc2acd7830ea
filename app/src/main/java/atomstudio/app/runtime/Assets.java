package atomstudio.app.runtime;

import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The embedded model and the sample subjects. They are plain files, so that weights can be memory-mapped.
public record Assets(Path folder) {
    /// The system property that names another folder of assets.
    public static final String PROPERTY = "atomstudio.assets";

    private static final String REQUIRED_FILE = "default-model/model_index.json";
    /// The checkout is three folders above `app/target/classes`; in a package the assets are beside the jar.
    private static final int MAX_LEVELS_UP = 4;

    /// Finds the assets in the folders above the program's code, or in the folder of the system property.
    /// @throws Failure.Unreadable if there are none
    public static Assets find() throws Failure {
        String override = System.getProperty(PROPERTY);
        return override == null ? findAbove(codeLocation()) : inFolder(Path.of(override));
    }

    /// The embedded Stable Diffusion: a model folder in diffusers' layout.
    public Path defaultModel() {
        return folder.resolve("default-model");
    }

    /// Whether a model folder is the embedded one, by any path.
    public boolean isDefaultModel(Path model) {
        try {
            return Files.isSameFile(defaultModel(), model);
        } catch (IOException missing) {
            return false;
        }
    }

    /// The folder with a sample subject's photos.
    /// @throws Failure.Unreadable if there is no such subject
    public Path subjectFolder(String name) throws Failure {
        if (!subjectNames().contains(name)) {
            throw new Failure.Unreadable("%s: no sample subject \"%s\"; expected one of %s".formatted(
                    folder.resolve("subjects"), name, String.join(", ", subjectNames())));
        }
        return folder.resolve("subjects").resolve(name);
    }

    /// Names of the sample subjects, in alphabetical order.
    public List<String> subjectNames() throws Failure {
        Path subjectsFolder = folder.resolve("subjects");
        try (Stream<Path> entries = Files.list(subjectsFolder)) {
            return entries.filter(Files::isDirectory).map(entry -> entry.getFileName().toString()).sorted().toList();
        } catch (IOException unreadable) {
            throw new Failure.Unreadable(
                    subjectsFolder + ": the sample subjects cannot be listed: " + unreadable.getMessage(), unreadable);
        }
    }

    /// Searches a folder and the folders above it.
    static Assets findAbove(Path start) throws Failure {
        @Nullable Path folder = Files.isDirectory(start) ? start : start.getParent();
        for (int level = 0; folder != null && level < MAX_LEVELS_UP; level++, folder = folder.getParent()) {
            Optional<Assets> found = ifPresent(folder.resolve("assets"));
            if (found.isPresent()) {
                return found.get();
            }
        }
        throw new Failure.Unreadable(
                "the embedded model was not found: no folder \"assets\" with %s in %s or above it; "
                        .formatted(REQUIRED_FILE, start)
                        + "start the program from its checkout or package, or set -D" + PROPERTY
                        + "=FOLDER");
    }

    private static Assets inFolder(Path folder) throws Failure {
        return ifPresent(folder).orElseThrow(() -> new Failure.Unreadable(
                "%s: not the program's assets: %s is missing (system property %s)".formatted(folder, REQUIRED_FILE,
                        PROPERTY)));
    }

    private static Optional<Assets> ifPresent(Path folder) {
        return Files.isRegularFile(folder.resolve(REQUIRED_FILE))
                ? Optional.of(new Assets(folder.toAbsolutePath().normalize()))
                : Optional.empty();
    }

    private static Path codeLocation() {
        try {
            return Path.of(Assets.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        } catch (URISyntaxException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
