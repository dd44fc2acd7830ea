package atomstudio.app.cli;

import atomstudio.app.pipeline.ImageGenerator;
import atomstudio.app.pipeline.LivePreview;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.TemporaryPath;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// `--preview`: writes the image in progress to a file beside the output.
final class PreviewOption {
    @Option(names = "--preview", paramLabel = "FILE",
            description = "TAESD decoder for previews: the image in progress is written to OUT-preview.png.")
    private @Nullable Path decoderFile;

    /// Opens the decoder, if there is one; the generator owns it.
    void openDecoder(ImageGenerator generator) throws Failure {
        if (decoderFile != null) generator.usePreviewDecoder(decoderFile);
    }

    /// The previews of the images of a batch that are written to files.
    /// @throws Failure.Conflict if the file of a preview exists
    PreviewFiles start(ImageGenerator generator, List<Path> outs) throws Failure {
        if (decoderFile == null) return new PreviewFiles(null, List.of());
        List<Path> files = outs.stream().map(PreviewOption::previewFile).toList();
        for (Path file : files) {
            if (Files.exists(file))
                throw new Failure.Conflict(file
                        + ": already exists, and the preview is written there; move it away or omit --preview");
        }
        return new PreviewFiles(new LivePreview(generator, (row, image) -> write(files.get(row), image)),
                files.stream().map(TemporaryPath::register).toList());
    }

    private static Path previewFile(Path out) {
        return out.resolveSibling(out.getFileName().toString().replaceFirst("(?i)\\.png$", "") + "-preview.png");
    }

    /// An unwritable preview does not stop the image, whose own write reports the same disk.
    private static void write(Path file, RgbImage image) {
        try {
            PngWriter.write(file, image, Map.of());
        } catch (Failure ignored) {
            // The image itself is written next.
        }
    }

    /// The previews of a batch; their files are deleted on close.
    /// @param livePreview null without `--preview`
    record PreviewFiles(@Nullable LivePreview livePreview, List<TemporaryPath> files) implements AutoCloseable {
        void update(Tensor denoised) {
            if (livePreview != null) livePreview.show(denoised);
        }

        @Override
        public void close() {
            files.forEach(TemporaryPath::close);
        }
    }
}
