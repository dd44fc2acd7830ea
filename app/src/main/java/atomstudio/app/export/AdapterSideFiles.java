package atomstudio.app.export;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.RgbImage;
import com.google.gson.JsonObject;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;
import javax.imageio.ImageIO;

/// What the model managers of A1111, Forge and ComfyUI show of an adapter, in files beside it: the image
/// `NAME.preview.png`, and the trigger words in `NAME.json`.
/// Source: A1111, `modules/ui_extra_networks_user_metadata.py` and `modules/ui_extra_networks.py` (`find_preview`).
final class AdapterSideFiles {
    private static final int MAX_THUMBNAIL_SIDE = 256;
    private static final String EXTENSION = ".safetensors";

    private AdapterSideFiles() {}

    /// Writes both beside an exported file if the run has a preview. Files that exist stay: a person may have edited
    /// them.
    /// @param previews of the run
    /// @param triggerWords empty: none
    static void write(Path previews, String triggerWords, Path file) throws Failure {
        String name = file.getFileName().toString();
        Optional<Path> preview = newest(previews);
        if (!name.endsWith(EXTENSION) || !Files.isRegularFile(file) || preview.isEmpty()) return;
        String stem = name.substring(0, name.length() - EXTENSION.length());
        Path image = file.resolveSibling(stem + ".preview.png");
        if (!Files.exists(image)) AtomicFile.write(image, out -> Files.copy(preview.get(), out));
        Path metadata = file.resolveSibling(stem + ".json");
        if (Files.exists(metadata)) return;
        JsonObject json = new JsonObject();
        json.addProperty("description", "");
        json.addProperty("activation text", triggerWords);
        json.addProperty("preferred weight", 1);
        json.addProperty("negative text", "");
        json.addProperty("notes", "");
        AtomicFile.write(metadata, out -> out.write((json + "\n").getBytes(StandardCharsets.UTF_8)));
    }

    /// The newest preview for a file's metadata (`modelspec.thumbnail`): a JPEG of at most 256 pixels as a data URL.
    static Optional<String> thumbnail(Path previews) throws Failure {
        Optional<Path> preview = newest(previews);
        if (preview.isEmpty()) return Optional.empty();
        RgbImage image = ImageFiles.read(preview.get());
        int longest = Math.max(image.width(), image.height());
        if (longest > MAX_THUMBNAIL_SIDE)
            image = image.cropAndResize(Math.max(1, image.width() * MAX_THUMBNAIL_SIDE / longest),
                    Math.max(1, image.height() * MAX_THUMBNAIL_SIDE / longest));
        BufferedImage pixels = new BufferedImage(image.width(), image.height(), BufferedImage.TYPE_INT_RGB);
        pixels.setRGB(0, 0, image.width(), image.height(), image.argb(), 0, image.width());
        ByteArrayOutputStream jpeg = new ByteArrayOutputStream();
        try {
            ImageIO.write(pixels, "jpg", jpeg);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Optional.of("data:image/jpeg;base64," + Base64.getEncoder().encodeToString(jpeg.toByteArray()));
    }

    /// Of the regular previews, not of those that a person requested with other prompts.
    private static Optional<Path> newest(Path previews) throws Failure {
        if (!Files.isDirectory(previews)) return Optional.empty();
        try (Stream<Path> files = Files.list(previews)) {
            return files.filter(file -> file.getFileName().toString().matches("\\d+\\.png"))
                    .max(Comparator.comparing(file -> file.getFileName().toString()));
        } catch (IOException e) {
            throw new Failure.Unreadable(previews + ": cannot be listed: " + e.getMessage(), e);
        }
    }
}
