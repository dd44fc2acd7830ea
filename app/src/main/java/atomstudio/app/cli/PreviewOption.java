package atomstudio.app.cli;

import atomstudio.app.pipeline.ImageGenerator;
import atomstudio.app.pipeline.LivePreview;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.file.TemporaryPath;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// `--preview`: writes the image in progress to a file beside the output.
final class PreviewOption {
    @Option(names = "--preview", paramLabel = "FILE",
            description = "TAESD decoder for previews: the image in progress is written to OUT-preview.png.")
    private @Nullable Path decoderFile;

    /// Opens the decoder, if there is one; the generator owns it.
    void openDecoder(ImageGenerator generator, Device device) throws Failure {
        if (decoderFile != null) generator.usePreviewDecoder(decoderFile, device);
    }

    /// The preview of the image that is written to a file.
    /// @throws Failure.Conflict if the preview's file exists
    PreviewFile start(ImageGenerator generator, Path out) throws Failure {
        if (decoderFile == null) return new PreviewFile(null, null);
        Path file = out.resolveSibling(out.getFileName().toString().replaceFirst("(?i)\\.png$", "") + "-preview.png");
        if (Files.exists(file))
            throw new Failure.Conflict(
                    file + ": already exists, and the preview is written there; move it away or omit --preview");
        return new PreviewFile(new LivePreview(generator, image -> write(file, image)), TemporaryPath.register(file));
    }

    /// An unwritable preview does not stop the image, whose own write reports the same disk.
    private static void write(Path file, RgbImage image) {
        try {
            PngWriter.write(file, image, Map.of());
        } catch (Failure ignored) {
            // The image itself is written next.
        }
    }

    /// The preview of one image; its file is deleted on close. Both null without `--preview`.
    record PreviewFile(@Nullable LivePreview livePreview, @Nullable TemporaryPath file) implements AutoCloseable {
        void update(Tensor denoised) {
            if (livePreview != null) livePreview.show(denoised);
        }

        @Override
        public void close() {
            if (file != null) file.close();
        }
    }
}
