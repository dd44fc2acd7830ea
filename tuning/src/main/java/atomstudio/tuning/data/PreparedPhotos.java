package atomstudio.tuning.data;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.Sha256;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.RunInfo;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Cropped and resized photos with their masks and captions, as trained on.
/// @param warnings about the folder that they were read from
public record PreparedPhotos(List<PreparedPhoto> photos, List<String> warnings) {
    public PreparedPhotos {
        photos = List.copyOf(photos);
        warnings = List.copyOf(warnings);
    }

    public record PreparedPhoto(RgbImage image, Optional<LossMask> mask, RunInfo.PhotoInfo info) {}

    /// The photos in a run's folder, in the run's order.
    /// @throws Failure.Unreadable when one is missing or has changed
    public static PreparedPhotos readRun(RunFolder run, List<RunInfo.PhotoInfo> infos) throws Failure {
        return readRun(run.photos(), run.masks(), infos);
    }

    /// The given class images in a run's folder.
    public static PreparedPhotos readClassImages(RunFolder run, List<RunInfo.PhotoInfo> infos) throws Failure {
        return readRun(run.classImages(), run.classImages(), infos);
    }

    /// Generated class images, without masks.
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
            throw new Failure.Unreadable(file + ": expected the image that this run was started with, found another; "
                    + "put it back, or start a new run");
        return image;
    }

    /// Checks that the images have the resolution of their run.
    public void requireSizes(RunInfo.ResolvedConfig config, Path folder) throws Failure {
        for (PreparedPhoto each : photos) {
            int shorter = Math.min(each.image.width(), each.image.height());
            boolean hasExpectedSize = switch (config.requested().data().crop()) {
                case CENTRE -> each.image.width() == config.resolution() && each.image.height() == config.resolution();
                case RANDOM -> shorter == config.resolution();
                case WHOLE -> true;
            };
            if (!hasExpectedSize) {
                throw new Failure.Unreadable(
                        folder.resolve(each.info.fileName()) + ": expected an image of the run's resolution "
                                + config.resolution() + ", found " + each.image.width() + "x" + each.image.height()
                                + "; restore run.json and the images, or start a new run");
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

    /// SHA-256 of the pixels, independent of file format and name.
    static String hash(RgbImage image) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * image.argb().length);
        bytes.asIntBuffer().put(image.argb());
        return Sha256.of(bytes.array());
    }
}
