package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.picture.KohyaFolder;
import atomstudio.diffusion.picture.PhotoFolders;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// The trigger word and the class word that a person gave; either may be missing.
public record SubjectWords(Optional<String> token, Optional<String> className) {
    /// With the words of the folders' names in kohya's layout (`10_sks car`, class images `1_car`) in place of those that are missing.
    /// @throws Failure.Incompatible when a missing word is given differently by several folders
    public SubjectWords completed(Path pictures, Recipe recipe) throws Failure {
        PhotoFolders folders = PhotoFolders.of(pictures);
        Optional<String> found = className.isPresent() ? className : folders.className();
        if (found.isEmpty()) found = ofClass(recipe);
        return new SubjectWords(token.isPresent() ? token : folders.triggerWord(), found);
    }

    private static Optional<String> ofClass(Recipe recipe) throws Failure {
        Optional<Recipe.Prior> given = recipe.weighing().prior().filter(prior -> !prior.made());
        if (given.isEmpty()) return Optional.empty();
        List<String> captions = PhotoFolders.of(Path.of(given.get().source())).entries().stream().flatMap(part -> part.kohya().stream())
            .map(KohyaFolder::caption).filter(caption -> !caption.isEmpty()).distinct().toList();
        return captions.size() == 1 ? Optional.of(captions.getFirst()) : Optional.empty();
    }

    /// What a person should know of the folders that photos were taken from.
    /// @param words what the folders' names should give, as the run has it
    static List<String> notes(Path root, PhotoFolders folders, String words) {
        List<String> notes = new ArrayList<>();
        String plain = folders.entries().stream().filter(part -> part.kohya().isEmpty() && !part.folder().equals(root)).map(part -> part.folder().getFileName().toString()).collect(Collectors.joining(", "));
        if (!plain.isEmpty()) notes.add(root + ": the photos of the folders in it are taken: " + plain);
        for (PhotoFolders.Entry part : folders.entries()) part.kohya().ifPresent(name -> notes.add(part.folder() + ": " + read(name, words)));
        return notes;
    }

    private static String read(KohyaFolder name, String words) {
        String repeats = "the folder's name gives " + (name.repeats() == 1 ? "1 repeat" : name.repeats() + " repeats");
        if (name.words().isEmpty()) return repeats;
        if (words.equals(name.caption())) return repeats + " and the words \"" + words + "\"";
        return repeats + "; its words \"" + name.caption() + "\" differ from those of the run, \"" + words + "\", which count";
    }
}
