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

/// The trigger word and class that the user gave; either may be missing.
public record PartialTrigger(Optional<String> token, Optional<String> className) {
    /// Fills in missing words from folder names in kohya's layout (`10_sks car`, class images `1_car`).
    /// @throws Failure.Incompatible when several folders have different words
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

    /// Notices about the folders that photos were read from.
    /// @param trigger the run's trigger word and class, which folder names should have
    static List<String> warnings(Path root, PhotoFolders folders, String trigger) {
        List<String> warnings = new ArrayList<>();
        String plainFolders = folders.entries()
                .stream()
                .filter(part -> part.kohya().isEmpty() && !part.folder().equals(root))
                .map(part -> part.folder().getFileName().toString())
                .collect(Collectors.joining(", "));
        if (!plainFolders.isEmpty())
            warnings.add(root + ": uses the photos of its folders " + plainFolders);
        for (PhotoFolders.Entry part : folders.entries())
            part.kohya().ifPresent(name -> warnings.add(part.folder() + ": " + describe(name, trigger)));
        return warnings;
    }

    private static String describe(KohyaFolder name, String trigger) {
        String repeats = "the folder's name gives " + (name.repeats() == 1 ? "1 repeat" : name.repeats() + " repeats");
        if (name.words().isEmpty()) return repeats;
        if (trigger.equals(name.caption())) return repeats + " and the words \"" + trigger + "\"";
        return repeats + "; its words \"" + name.caption() + "\" are ignored, the run uses \"" + trigger + "\"";
    }
}
