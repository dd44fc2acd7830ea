package atomstudio.app.cli;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.Generation.Hires;
import atomstudio.diffusion.engine.Generation.Settings;
import atomstudio.diffusion.engine.Generation.Source;
import atomstudio.diffusion.picture.Mask;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.picture.Pictures;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// What pictures start from, and a second pass over them.
final class SourceOptions {
    private static final double USUAL_DENOISE = 0.75;
    private static final double MOST_SCALE = 4;

    @Option(names = "--image", paramLabel = "FILE", description = "A picture to start from; its centre is scaled to fill the size.")
    private @Nullable Path image;

    @Option(names = "--mask", paramLabel = "FILE", description = "Where the picture may change: white, or painted where the mask is transparent elsewhere. The rest keeps its pixels.")
    private @Nullable Path mask;

    @Option(names = "--hires", paramLabel = "SCALE", description = "A second pass: the latents are enlarged by this, and denoised again.")
    private @Nullable Double hires;

    @Option(names = "--denoise", paramLabel = "X", description = "How much a picture (--image), or the second pass (--hires), is made anew, above 0 to 1. Default: 0.75.")
    private @Nullable Double denoise;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    /// The generation as these options have it; says what of the given picture is left out.
    Generation apply(Generation generation, Terminal terminal) throws Failure {
        double strength = strength();
        if (mask != null && image == null) throw usage("--mask says where a picture may change; expected the picture with --image");
        Generation from = image == null ? generation : generation.from(source(image, strength, generation.settings(), terminal));
        if (hires == null) return from;
        if (!(hires > 1 && hires <= MOST_SCALE)) throw usage("--hires: expected above 1 to " + (int) MOST_SCALE + ", found " + hires);
        return from.with(new Hires(hires, strength));
    }

    /// Of the given picture.
    Optional<String> name() {
        return Optional.ofNullable(image).map(file -> file.getFileName().toString());
    }

    private double strength() {
        if (denoise == null) return USUAL_DENOISE;
        if (image == null && hires == null) throw usage("--denoise says how much of a picture is made anew; expected --image or --hires with it");
        if (!(denoise > 0 && denoise <= 1)) throw usage("--denoise: expected above 0 to 1, found " + denoise);
        return denoise;
    }

    private Source source(Path file, double strength, Settings settings, Terminal terminal) throws Failure {
        Picture picture = Pictures.read(file);
        Optional<Mask> where = mask == null ? Optional.empty() : Optional.of(Mask.read(mask, picture));
        if ((long) picture.width() * settings.height() != (long) picture.height() * settings.width()) {
            terminal.note(file + " is " + picture.width() + "x" + picture.height() + ": its centre is scaled to fill " + settings.width() + "x" + settings.height() + " (--width, --height), what sticks out is cropped.");
        }
        return new Source.FromPicture(picture, where, strength);
    }

    private ParameterException usage(String message) {
        return new ParameterException(command.commandLine(), message);
    }
}
