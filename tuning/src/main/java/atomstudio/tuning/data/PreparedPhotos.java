package atomstudio.tuning.data;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.Sha256;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.RunInfo;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Pictures as training sees them, with their masks and captions; `notes` are what a person should know about the
/// folder they came from.
public record PreparedPhotos(List<PreparedPhoto> photos, List<String> warnings) {
    public PreparedPhotos {
        photos = List.copyOf(photos);
        warnings = List.copyOf(warnings);
    }

    /// One picture, and the mask that goes with it.
    public record PreparedPhoto(RgbImage image, Optional<LossMask> mask, RunInfo.PhotoInfo info) {}

    /// How a folder is read.
    public record ReadOptions(TrainingConfig config, CropPolicy cropPolicy, Captions captions) {
        boolean has(TrainingConfig.Feature feature) {
            return config.has(feature);
        }
    }

    /// @throws Failure.Unreadable that names a picture, mask or caption which cannot be read
    /// @throws Failure.Incompatible that names a mask which does not fit, or says that there are none of what was
    ///     asked for
    public static PreparedPhotos prepare(Path folder, ReadOptions options) throws Failure {
        PhotoFiles files = PhotoFiles.of(folder);
        List<String> warnings = new ArrayList<>(
                PartialTrigger.warnings(folder, files.folders(), options.captions.subject()));
        warnings.addAll(files.warnings(options.config));
        List<PreparedPhoto> photos = new ArrayList<>();
        for (Path file : files.photos()) {
            RgbImage image = ImageFiles.read(file);
            Optional<LossMask> mask = options.has(TrainingConfig.Feature.MASKS) ? mask(file, image, files)
                    : Optional.empty();
            Optional<LossMask> croppedMask = mask.map(each -> new LossMask(options.cropPolicy.apply(each.grayscale())));
            if (croppedMask.isPresent())
                croppedMask.get()
                        .requireNonEmpty(files.masks().getOrDefault(PhotoFiles.stem(file), file),
                                options.cropPolicy.mode());
            RgbImage cropped = options.cropPolicy.apply(image);
            List<String> captions = options.has(TrainingConfig.Feature.CAPTIONS)
                    ? captions(file, files, options.captions, warnings)
                    : List.of();
            String name = String.format(Locale.ROOT, "%02d.png", photos.size());
            photos.add(new PreparedPhoto(cropped, croppedMask,
                    new RunInfo.PhotoInfo(name, hash(cropped),
                            croppedMask.map(each -> hash(each.grayscale())).orElse(""), captions,
                            files.folderOf(file).repeats())));
        }
        requireAny(folder, options, photos);
        String unmasked = fileNames(files, photos, each -> each.mask.isEmpty());
        if (options.has(TrainingConfig.Feature.MASKS) && !unmasked.isEmpty())
            warnings.add("all of " + unmasked + " counts: no mask beside, and not transparent");
        String uncaptioned = fileNames(files, photos, each -> each.info.captions().isEmpty());
        if (options.has(TrainingConfig.Feature.CAPTIONS) && !uncaptioned.isEmpty())
            warnings.add("no caption beside " + uncaptioned + "; called \""
                    + String.join("\" or \"", options.captions.defaults()) + "\"");
        return new PreparedPhotos(photos, warnings);
    }

    /// The names of the files whose pictures are so.
    private static String fileNames(PhotoFiles files, List<PreparedPhoto> photos, Predicate<PreparedPhoto> condition) {
        return IntStream.range(0, photos.size())
                .filter(i -> condition.test(photos.get(i)))
                .mapToObj(i -> files.photos().get(i).getFileName().toString())
                .collect(Collectors.joining(", "));
    }

    private static void requireAny(Path folder, ReadOptions options, List<PreparedPhoto> photos)
            throws Failure.Incompatible {
        if (options.has(TrainingConfig.Feature.MASKS) && photos.stream().allMatch(each -> each.mask.isEmpty())) {
            throw new Failure.Incompatible(folder
                    + ": expected masks (NAME-mask.png beside a picture, or transparent pictures), found none; leave out --masks, or put them there");
        }
        if (options.has(TrainingConfig.Feature.CAPTIONS)
                && photos.stream().allMatch(each -> each.info.captions().isEmpty())) {
            throw new Failure.Incompatible(folder
                    + ": expected captions (NAME.txt beside a picture), found none; leave out --captions, or put them there");
        }
    }

    private static Optional<LossMask> mask(Path file, RgbImage image, PhotoFiles files) throws Failure {
        Path maskFile = files.masks().get(PhotoFiles.stem(file));
        return maskFile == null ? LossMask.ofAlpha(image) : Optional.of(LossMask.read(maskFile, file, image));
    }

    private static List<String> captions(Path file, PhotoFiles files, Captions captions, List<String> warnings)
            throws Failure {
        Path captionFile = files.captions().get(PhotoFiles.stem(file));
        if (captionFile == null) return List.of();
        List<String> own = captions.read(captionFile);
        for (String caption : own)
            if (!captions.mentionsSubject(caption))
                warnings.add(captionFile + ": \"" + caption + "\" does not name the subject; write {} where \""
                        + captions.subject() + "\" should stand, or the words will not call it up");
        return own;
    }

    /// The pictures that a run keeps, in the run's order.
    /// @throws Failure.Unreadable when one is missing or no longer what it was
    public static PreparedPhotos readRun(RunFolder run, List<RunInfo.PhotoInfo> infos) throws Failure {
        return readRun(run.photos(), run.masks(), infos);
    }

    /// The pictures of the class that a run keeps, as it was given them.
    public static PreparedPhotos readClassImages(RunFolder run, List<RunInfo.PhotoInfo> infos) throws Failure {
        return readRun(run.classImages(), run.classImages(), infos);
    }

    /// Pictures of the class that are made: all of each counts.
    public static PreparedPhotos ofGenerated(List<RgbImage> images, CropPolicy cropPolicy) {
        List<PreparedPhoto> photos = new ArrayList<>();
        for (RgbImage image : images)
            photos.add(new PreparedPhoto(cropPolicy.apply(image), Optional.empty(),
                    new RunInfo.PhotoInfo("", "", "", List.of())));
        return new PreparedPhotos(photos, List.of());
    }

    private static PreparedPhotos readRun(Path folder, Path maskFolder, List<RunInfo.PhotoInfo> infos) throws Failure {
        List<PreparedPhoto> photos = new ArrayList<>();
        for (RunInfo.PhotoInfo info : infos) {
            RgbImage image = readVerified(folder.resolve(info.fileName()), info.sha256());
            Optional<LossMask> mask = info.maskSha256().isEmpty() ? Optional.empty()
                    : Optional.of(new LossMask(readVerified(maskFolder.resolve(info.fileName()), info.maskSha256())));
            photos.add(new PreparedPhoto(image, mask, info));
        }
        return new PreparedPhotos(photos, List.of());
    }

    private static RgbImage readVerified(Path file, String sha256) throws Failure {
        RgbImage image = ImageFiles.read(file);
        if (!hash(image).equals(sha256))
            throw new Failure.Unreadable(file
                    + ": expected the picture that this run was started with, found another; put it back, or start a new run");
        return image;
    }

    /// Checks that pictures are as large as their run says that it trains on.
    public void requireSizes(RunInfo.ResolvedConfig config, Path folder) throws Failure {
        for (PreparedPhoto each : photos) {
            int shorter = Math.min(each.image.width(), each.image.height());
            boolean hasExpectedSize = switch (config.requested().data().crop()) {
                case CENTRE -> each.image.width() == config.sideLength() && each.image.height() == config.sideLength();
                case RANDOM -> shorter == config.sideLength();
                case WHOLE -> true;
            };
            if (!hasExpectedSize) {
                throw new Failure.Unreadable(
                        folder.resolve(each.info.fileName()) + ": expected a picture of the run's size "
                                + config.sideLength() + ", found " + each.image.width() + "x" + each.image.height()
                                + "; put run.json and the pictures back as they were, or start a new run");
            }
        }
    }

    public List<RunInfo.PhotoInfo> infos() {
        return photos.stream().map(PreparedPhoto::info).toList();
    }

    void write(Path folder, Path maskFolder) throws Failure {
        for (PreparedPhoto each : photos) {
            PngWriter.write(folder.resolve(each.info.fileName()), each.image, Map.of());
            if (each.mask.isPresent())
                PngWriter.write(maskFolder.resolve(each.info.fileName()), each.mask.get().grayscale(), Map.of());
        }
    }

    /// SHA-256 of the pixels: the same picture in another file, or under another name, is the same.
    private static String hash(RgbImage image) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * image.argb().length);
        bytes.asIntBuffer().put(image.argb());
        return Sha256.of(bytes.array());
    }
}
