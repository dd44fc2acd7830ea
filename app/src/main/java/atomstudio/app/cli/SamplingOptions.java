package atomstudio.app.cli;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.Prompt;
import atomstudio.diffusion.engine.Generation.Settings;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.prompt.PromptLanguage;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.Guidance;
import atomstudio.diffusion.sample.Sampling;
import atomstudio.diffusion.sample.ScheduleName;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/// How pictures are sampled: the options that generate, compare and demo share, and what holds where one is not given.
final class SamplingOptions {
    private static final double USUAL_GUIDANCE = 7.5;
    /// The embedded model was found best at this; its README says so.
    private static final double EMBEDDED_GUIDANCE = 4;
    private static final int MOST_STEPS = 1000;

    @Option(names = "--clip-skip", paramLabel = "N", defaultValue = "1", description = "Which of the text encoder's last layers is read: 1 the last, 2 the one before. Default: ${DEFAULT-VALUE}.")
    private int clipSkip;

    @Option(names = "--negative", paramLabel = "TEXT", defaultValue = "", description = "What the picture should not show.")
    private String negative = "";

    @Option(names = "--sampler", paramLabel = "NAME", completionCandidates = SamplerNames.class, converter = SamplerNames.class,
            description = "${COMPLETION-CANDIDATES}. Default: the model's own.")
    private @Nullable SamplerName sampler;

    @Option(names = "--schedule", paramLabel = "NAME", converter = Schedules.class, defaultValue = "model", description = "model or karras (euler and dpmpp-2m only). Default: ${DEFAULT-VALUE}.")
    private ScheduleName schedule = ScheduleName.MODEL;

    @Option(names = "--steps", paramLabel = "N", defaultValue = "25", description = "Denoising steps. Default: ${DEFAULT-VALUE}.")
    private int steps;

    @Option(names = "--guidance", paramLabel = "X", description = "Classifier-free guidance; 1 and below: none. Default: 4 for the embedded model, else 7.5.")
    private @Nullable Double guidance;

    @Option(names = "--width", paramLabel = "W", description = "Pixels, a multiple of 8. Default: what the model was made for.")
    private @Nullable Integer width;

    @Option(names = "--height", paramLabel = "H", description = "Pixels, a multiple of 8. Default: what the model was made for.")
    private @Nullable Integer height;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    String negative() {
        return negative;
    }

    /// A prompt with the negative one; refuses before anything is loaded what could not be read.
    Prompt prompt(String text) throws Failure {
        PromptLanguage.parse(text);
        PromptLanguage.parse(negative);
        return new Prompt(text, negative);
    }

    /// Fills in what was not given; refuses before anything is loaded what could not be sampled.
    Settings settings(Studio studio, ModelFolder model) throws Failure {
        if (steps < 1 || steps > MOST_STEPS) throw usage("--steps: expected 1 to " + MOST_STEPS + ", found " + steps);
        double scale = guidance != null ? guidance : studio.assets().isDefaultModel(model.folder()) ? EMBEDDED_GUIDANCE : USUAL_GUIDANCE;
        if (!Double.isFinite(scale)) throw usage("--guidance: expected a number, found " + scale);
        int depth = model.text().blocks().depth();
        if (clipSkip < 1 || clipSkip > depth) throw usage("--clip-skip: expected 1 to " + depth + ", found " + clipSkip);
        Settings settings = new Settings(Sampling.of(sampler == null ? own(studio, model) : sampler, schedule, steps), Guidance.of(scale), clipSkip,
                width != null ? width : model.pictureSize(), height != null ? height : model.pictureSize());
        Optional<String> problem = model.sizeProblem(settings.width(), settings.height());
        if (problem.isPresent()) throw new Failure.Incompatible("--width, --height: " + problem.get());
        settings.sampling().plan(model.scheduler());
        return settings;
    }

    private ParameterException usage(String message) {
        return new ParameterException(command.commandLine(), message);
    }

    private static SamplerName own(Studio studio, ModelFolder model) {
        Optional<SamplerName> own = SamplerName.ofClass(model.scheduler().className());
        if (own.isEmpty()) studio.terminal().note("The model's own sampler, " + model.scheduler().className() + ", is not built yet; using ddim.");
        return own.orElse(SamplerName.DDIM);
    }

    static final class SamplerNames implements Iterable<String>, ITypeConverter<SamplerName> {
        @Override public Iterator<String> iterator() {
            return Arrays.stream(SamplerName.values()).map(SamplerName::option).iterator();
        }

        @Override public SamplerName convert(String value) {
            return SamplerName.ofOption(value).orElseThrow(() -> new TypeConversionException("unknown sampler \"" + value + "\"; expected one of "
                    + Arrays.stream(SamplerName.values()).map(SamplerName::option).collect(Collectors.joining(", "))));
        }
    }

    static final class Schedules implements ITypeConverter<ScheduleName> {
        @Override public ScheduleName convert(String value) {
            return ScheduleName.ofOption(value).orElseThrow(() -> new TypeConversionException("unknown schedule \"" + value + "\"; expected one of "
                    + Arrays.stream(ScheduleName.values()).map(ScheduleName::option).collect(Collectors.joining(", "))));
        }
    }
}
