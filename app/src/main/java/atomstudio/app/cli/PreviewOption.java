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

/// `--preview`: a picture that emerges can be watched in a file beside where it goes.
final class PreviewOption {
    @Option(names = "--preview", paramLabel = "FILE",
            description = "A decoder for previews (TAESD). While a picture is made, OUT-preview.png beside it shows what it becomes.")
    private @Nullable Path decoderFile;

    /// Opens the decoder, should there be one; the maker owns it.
    void openDecoder(ImageGenerator generator, Device device) throws Failure {
        if (decoderFile != null) generator.usePreviewDecoder(decoderFile, device);
    }

    /// What shows the picture that goes to a file.
    /// @throws Failure.Occupied when a file of the preview's name is there
    PreviewFile start(ImageGenerator generator, Path out) throws Failure {
        if (decoderFile == null) return PreviewFile.none();
        Path file = out.resolveSibling(out.getFileName().toString().replaceFirst("(?i)\\.png$", "") + "-preview.png");
        if (Files.exists(file))
            throw new Failure.Conflict(
                    file + ": is there already, and the preview would go there; move it away or leave --preview out");
        return new PreviewFile(new LivePreview(generator, image -> write(file, image)), TemporaryPath.register(file));
    }

    /// A preview that cannot be written is no reason to end the picture, which tells the same about the disk when it
    /// is written.
    private static void write(Path file, RgbImage image) {
        try {
            PngWriter.write(file, image, Map.of());
        } catch (Failure ignored) {
            // The picture itself follows.
        }
    }

    /// Shows a picture while it is made, and goes away with it.
    record PreviewFile(@Nullable LivePreview livePreview, @Nullable TemporaryPath file) implements AutoCloseable {
        static PreviewFile none() {
            return new PreviewFile(null, null);
        }

        void update(Tensor denoised) {
            if (livePreview != null) livePreview.show(denoised);
        }

        @Override
        public void close() {
            if (file != null) file.close();
        }
    }
}
