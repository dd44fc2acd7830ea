package atomstudio.app.cli;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.Generation.GenerationSettings;
import atomstudio.diffusion.engine.Generation.Hires;
import atomstudio.diffusion.engine.Generation.Source;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.Mask;
import atomstudio.diffusion.image.RgbImage;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// What pictures start from, and a second pass over them.
final class ImageToImageOptions {
    private static final double DEFAULT_DENOISING_STRENGTH = 0.75;
    private static final double MAX_HIRES_SCALE = 4;

    @Option(names = "--image", paramLabel = "FILE",
            description = "A picture to start from; its centre is scaled to fill the size.")
    private @Nullable Path image;

    @Option(names = "--mask", paramLabel = "FILE",
            description = "Where the picture may change: white, or painted where the mask is transparent elsewhere. The rest keeps its pixels.")
    private @Nullable Path mask;

    @Option(names = "--hires", paramLabel = "SCALE",
            description = "A second pass: the latents are enlarged by this, and denoised again.")
    private @Nullable Double hiresScale;

    @Option(names = "--denoise", paramLabel = "X",
            description = "How much a picture (--image), or the second pass (--hires), is made anew, above 0 to 1. Default: 0.75.")
    private @Nullable Double denoisingStrength;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    /// The generation as these options have it; says what of the given picture is left out.
    Generation apply(Generation generation, Terminal terminal) throws Failure {
        double strength = denoisingStrengthOrDefault();
        if (mask != null && image == null)
            throw usageError("--mask says where a picture may change; expected the picture with --image");
        Generation withSource = image == null ? generation
                : generation.withSource(readSource(image, strength, generation.settings(), terminal));
        if (hiresScale == null) return withSource;
        if (!(hiresScale > 1 && hiresScale <= MAX_HIRES_SCALE))
            throw usageError("--hires: expected above 1 to " + (int) MAX_HIRES_SCALE + ", found " + hiresScale);
        return withSource.with(new Hires(hiresScale, strength));
    }

    /// Of the given picture.
    Optional<String> imageName() {
        return Optional.ofNullable(image).map(file -> file.getFileName().toString());
    }

    private double denoisingStrengthOrDefault() {
        if (denoisingStrength == null) return DEFAULT_DENOISING_STRENGTH;
        if (image == null && hiresScale == null)
            throw usageError("--denoise says how much of a picture is made anew; expected --image or --hires with it");
        if (!(denoisingStrength > 0 && denoisingStrength <= 1))
            throw usageError("--denoise: expected above 0 to 1, found " + denoisingStrength);
        return denoisingStrength;
    }

    private Source readSource(Path file, double strength, GenerationSettings settings, Terminal terminal)
            throws Failure {
        RgbImage initImage = ImageFiles.read(file);
        Optional<Mask> inpaintMask = mask == null ? Optional.empty() : Optional.of(Mask.read(mask, initImage));
        if ((long) initImage.width() * settings.height() != (long) initImage.height() * settings.width()) {
            terminal.printNote(file + " is " + initImage.width() + "x" + initImage.height()
                    + ": its centre is scaled to fill " + settings.width() + "x" + settings.height()
                    + " (--width, --height), what sticks out is cropped.");
        }
        return new Source.FromImage(initImage, inpaintMask, strength);
    }

    private ParameterException usageError(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
