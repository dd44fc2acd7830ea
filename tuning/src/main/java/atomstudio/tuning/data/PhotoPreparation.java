package atomstudio.tuning.data;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.data.PreparedPhotos.PreparedPhoto;
import atomstudio.tuning.run.RunInfo;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Prepares the photos of a folder for training: cropped and resized, with their masks and captions.
public record PhotoPreparation(TrainingConfig config, CropPolicy cropPolicy, Captions captions) {
    /// @throws Failure.Unreadable that names a photo, mask or caption which cannot be read
    /// @throws Failure.Incompatible that names a mask which does not fit, or the folder if it has no masks or captions
    public PreparedPhotos prepare(Path folder) throws Failure {
        PhotoFiles files = PhotoFiles.of(folder);
        List<String> warnings = new ArrayList<>(PartialTrigger.warnings(folder, files.folders(), captions.subject()));
        warnings.addAll(files.warnings(config));
        List<PreparedPhoto> photos = new ArrayList<>();
        for (Path file : files.photos())
            photos.add(prepare(file, files, String.format(Locale.ROOT, "%02d.png", photos.size()), warnings));
        requireAny(folder, photos);
        String unmasked = fileNames(files, photos, each -> each.mask().isEmpty());
        if (usesMasks() && !unmasked.isEmpty())
            warnings.add("no mask beside, and not transparent: " + unmasked + "; trained on as a whole");
        String uncaptioned = fileNames(files, photos, each -> each.info().captions().isEmpty());
        if (usesCaptions() && !uncaptioned.isEmpty())
            warnings.add("no caption beside " + uncaptioned + "; captioned \""
                    + String.join("\" or \"", captions.defaults()) + "\"");
        return new PreparedPhotos(photos, warnings);
    }

    private PreparedPhoto prepare(Path file, PhotoFiles files, String name, List<String> warnings) throws Failure {
        RgbImage image = ImageFiles.read(file);
        Optional<LossMask> mask = usesMasks() ? mask(file, image, files) : Optional.empty();
        Optional<LossMask> croppedMask = mask.map(each -> new LossMask(cropPolicy.apply(each.grayscale())));
        if (croppedMask.isPresent())
            croppedMask.get()
                    .requireNonEmpty(files.masks().getOrDefault(PhotoFiles.stem(file), file), cropPolicy.mode());
        RgbImage cropped = cropPolicy.apply(image);
        List<String> ownCaptions = usesCaptions() ? captions(file, files, warnings) : List.of();
        String maskHash = croppedMask.map(each -> PreparedPhotos.hash(each.grayscale())).orElse("");
        return new PreparedPhoto(cropped, croppedMask, new RunInfo.PhotoInfo(name, PreparedPhotos.hash(cropped),
                maskHash, ownCaptions, files.folderOf(file).repeats()));
    }

    private boolean usesMasks() {
        return config.has(TrainingConfig.Feature.MASKS);
    }

    private boolean usesCaptions() {
        return config.has(TrainingConfig.Feature.CAPTIONS);
    }

    private static String fileNames(PhotoFiles files, List<PreparedPhoto> photos, Predicate<PreparedPhoto> condition) {
        return IntStream.range(0, photos.size())
                .filter(i -> condition.test(photos.get(i)))
                .mapToObj(i -> files.photos().get(i).getFileName().toString())
                .collect(Collectors.joining(", "));
    }

    private void requireAny(Path folder, List<PreparedPhoto> photos) throws Failure.Incompatible {
        if (usesMasks() && photos.stream().allMatch(each -> each.mask().isEmpty())) {
            throw new Failure.Incompatible(folder + ": expected masks (NAME-mask.png beside a photo, or transparent "
                    + "photos), found none; add them, or turn masks off");
        }
        if (usesCaptions() && photos.stream().allMatch(each -> each.info().captions().isEmpty())) {
            throw new Failure.Incompatible(folder + ": expected captions (NAME.txt beside a photo), found none; add "
                    + "them, or turn captions off");
        }
    }

    private static Optional<LossMask> mask(Path file, RgbImage image, PhotoFiles files) throws Failure {
        Path maskFile = files.masks().get(PhotoFiles.stem(file));
        return maskFile == null ? LossMask.ofAlpha(image) : Optional.of(LossMask.read(maskFile, file, image));
    }

    private List<String> captions(Path file, PhotoFiles files, List<String> warnings) throws Failure {
        Path captionFile = files.captions().get(PhotoFiles.stem(file));
        if (captionFile == null) return List.of();
        List<String> found = captions.read(captionFile);
        for (String caption : found)
            if (!captions.mentionsSubject(caption))
                warnings.add(captionFile + ": \"" + caption + "\" does not contain the trigger word; write {} where \""
                        + captions.subject() + "\" should be, or prompts will not bring up the subject");
        return found;
    }
}
