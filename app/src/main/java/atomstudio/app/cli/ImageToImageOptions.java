package atomstudio.app.cli;

import atomstudio.app.pipeline.GenerationLimits;
import atomstudio.app.pipeline.ModelDefaults;
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
import picocli.CommandLine.Spec;

/// Image to image, inpainting and the hires fix.
final class ImageToImageOptions {
    @Option(names = "--image", paramLabel = "FILE",
            description = "Image to start from. Its centre is scaled to fill the size.")
    private @Nullable Path image;

    @Option(names = "--mask", paramLabel = "FILE",
            description = "Inpainting: the area to change, white, or painted in an image that is transparent "
                    + "elsewhere. "
                    + "Other pixels stay as they are.")
    private @Nullable Path mask;

    @Option(names = "--hires-scale", paramLabel = "X",
            description = "Hires fix: upscale the latents by X, above 1 to 4, and denoise them again.")
    private @Nullable Double hiresScale;

    @Option(names = "--denoising-strength", paramLabel = "X",
            description = "Share of the steps that run on --image, or in the second pass of --hires-scale (diffusers: "
                    + "strength), above 0 to 1. Default: 0.75.")
    private @Nullable Double denoisingStrength;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    /// The generation with these options. Prints a note if the image is cropped.
    Generation apply(Generation generation, Terminal terminal) throws Failure {
        double strength = denoisingStrengthOrDefault();
        if (mask != null && image == null)
            throw new UsageError(spec, "--mask: expected an image with --image, found none");
        Generation withSource = image == null ? generation
                : generation.withSource(readSource(image, strength, generation.settings(), terminal));
        if (hiresScale == null) return withSource;
        UsageError.require(spec, "--hires-scale", GenerationLimits.HIRES_SCALE, hiresScale);
        return withSource.with(new Hires(hiresScale, strength));
    }

    /// The file name of the source image.
    Optional<String> imageName() {
        return Optional.ofNullable(image).map(file -> file.getFileName().toString());
    }

    private double denoisingStrengthOrDefault() {
        if (denoisingStrength == null) return ModelDefaults.DENOISING_STRENGTH;
        if (image == null && hiresScale == null)
            throw new UsageError(spec,
                    "--denoising-strength: expected --image or --hires-scale with it, found neither");
        UsageError.require(spec, "--denoising-strength", GenerationLimits.DENOISING_STRENGTH, denoisingStrength);
        return denoisingStrength;
    }

    private Source readSource(Path file, double strength, GenerationSettings settings, Terminal terminal)
            throws Failure {
        RgbImage initImage = ImageFiles.read(file);
        Optional<Mask> inpaintMask = mask == null ? Optional.empty() : Optional.of(Mask.read(mask, initImage));
        if ((long) initImage.width() * settings.height() != (long) initImage.height() * settings.width()) {
            terminal.printNote(file + " is " + initImage.width() + "x" + initImage.height()
                    + ": its centre is scaled to fill " + settings.width() + "x" + settings.height()
                    + " (--width, --height) and its edges are cropped.");
        }
        return new Source.FromImage(initImage, inpaintMask, strength);
    }
}
