package atomstudio.tuning.data;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.KohyaFolder;
import atomstudio.diffusion.image.PhotoFolders;
import atomstudio.tuning.config.TrainingConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// The trigger word and the class word that a person gave; either may be missing.
public record PartialTrigger(Optional<String> token, Optional<String> className) {
    /// With the words of the folders' names in kohya's layout (`10_sks car`, class images `1_car`) in place of those
    /// that are missing.
    /// @throws Failure.Incompatible when a missing word is given differently by several folders
    public PartialTrigger completedFrom(Path photos, TrainingConfig config) throws Failure {
        PhotoFolders folders = PhotoFolders.of(photos);
        Optional<String> found = className.isPresent() ? className : folders.className();
        if (found.isEmpty()) found = classFromCaptions(config);
        return new PartialTrigger(token.isPresent() ? token : folders.triggerWord(), found);
    }

    private static Optional<String> classFromCaptions(TrainingConfig config) throws Failure {
        Optional<TrainingConfig.PriorPreservation> given = config.loss()
                .priorPreservation()
                .filter(prior -> !prior.isGenerated());
        if (given.isEmpty()) return Optional.empty();
        List<String> captions = PhotoFolders.of(Path.of(given.get().source()))
                .entries()
                .stream()
                .flatMap(part -> part.kohya().stream())
                .map(KohyaFolder::caption)
                .filter(caption -> !caption.isEmpty())
                .distinct()
                .toList();
        return captions.size() == 1 ? Optional.of(captions.getFirst()) : Optional.empty();
    }

    /// What a person should know of the folders that photos were taken from.
    /// @param trigger what the folders' names should give, as the run has it
    static List<String> warnings(Path root, PhotoFolders folders, String trigger) {
        List<String> warnings = new ArrayList<>();
        String plainFolders = folders.entries()
                .stream()
                .filter(part -> part.kohya().isEmpty() && !part.folder().equals(root))
                .map(part -> part.folder().getFileName().toString())
                .collect(Collectors.joining(", "));
        if (!plainFolders.isEmpty())
            warnings.add(root + ": the photos of the folders in it are taken: " + plainFolders);
        for (PhotoFolders.Entry part : folders.entries())
            part.kohya().ifPresent(name -> warnings.add(part.folder() + ": " + describe(name, trigger)));
        return warnings;
    }

    private static String describe(KohyaFolder name, String trigger) {
        String repeats = "the folder's name gives " + (name.repeats() == 1 ? "1 repeat" : name.repeats() + " repeats");
        if (name.words().isEmpty()) return repeats;
        if (trigger.equals(name.caption())) return repeats + " and the words \"" + trigger + "\"";
        return repeats + "; its words \"" + name.caption() + "\" differ from those of the run, \"" + trigger
                + "\", which count";
    }
}
