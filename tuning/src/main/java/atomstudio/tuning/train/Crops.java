package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.picture.PictureFolder;
import atomstudio.diffusion.picture.Pictures;
import atomstudio.diffusion.picture.PngWriter;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Pictures as training sees them: centre squares of the model's size.
record Crops(List<Picture> pictures, List<RunInfo.Picture> names) {
    /// @throws Failure.Unreadable that names a picture which cannot be decoded
    static Crops of(Path folder, int size) throws Failure {
        List<Picture> pictures = new ArrayList<>();
        List<RunInfo.Picture> names = new ArrayList<>();
        for (Path file : PictureFolder.list(folder).pictures()) {
            Picture crop = Pictures.read(file).square(size);
            names.add(new RunInfo.Picture(String.format(Locale.ROOT, "%02d.png", pictures.size()), hash(crop), "", List.of()));
            pictures.add(crop);
        }
        return new Crops(List.copyOf(pictures), List.copyOf(names));
    }

    /// The crops that a run keeps, in the run's order.
    /// @throws Failure.Unreadable when one is missing or no longer what it was
    static Crops read(RunFolder run, List<RunInfo.Picture> names) throws Failure {
        List<Picture> pictures = new ArrayList<>();
        for (RunInfo.Picture name : names) {
            Path file = run.pictures().resolve(name.name());
            Picture crop = Pictures.read(file);
            if (!hash(crop).equals(name.sha256())) throw new Failure.Unreadable(file + ": expected the picture that this run was started with, found another; put it back, or start a new run");
            pictures.add(crop);
        }
        return new Crops(List.copyOf(pictures), names);
    }

    void write(Path folder) throws Failure {
        for (int i = 0; i < pictures.size(); i++) PngWriter.write(folder.resolve(names.get(i).name()), pictures.get(i), Map.of());
    }

    /// SHA-256 of the pixels: the same picture in another file, or under another name, is the same.
    private static String hash(Picture picture) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * picture.argb().length);
        bytes.asIntBuffer().put(picture.argb());
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes.array()));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
