package atomstudio.app.cli;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.GenerationSettings;
import atomstudio.diffusion.engine.Generation.PromptPair;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.prompt.PromptAttentionParser;
import atomstudio.diffusion.sample.Guidance;
import atomstudio.diffusion.sample.PredictionType;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/// How pictures are sampled: the options that generate, compare and demo share, and what holds where one is not given.
final class SamplingOptions {
    private static final double DEFAULT_GUIDANCE_SCALE = 7.5;
    /// The embedded model was found best at this; its README says so.
    private static final double DEFAULT_MODEL_GUIDANCE_SCALE = 4;

    @Option(names = "--clip-skip", paramLabel = "N", defaultValue = "1",
            description = "Which of the text encoder's last layers is read: 1 the last, 2 the one before. Default: ${DEFAULT-VALUE}.")
    private int clipSkip;

    @Option(names = "--negative", paramLabel = "TEXT", defaultValue = "",
            description = "What the picture should not show.")
    private String negativePrompt = "";

    @Option(names = "--sampler", paramLabel = "NAME", completionCandidates = SamplerNames.class,
            converter = SamplerNames.class,
            description = "${COMPLETION-CANDIDATES}. Default: the model's own.")
    private @Nullable SamplerName sampler;

    @Option(names = "--schedule", paramLabel = "NAME", completionCandidates = ScheduleNames.class,
            converter = ScheduleNames.class,
            description = "${COMPLETION-CANDIDATES}; `studio samplers` lists which sampler takes which. Default: model, for dpmpp-3m-sde exponential.")
    private @Nullable ScheduleName schedule;

    @Option(names = "--eta", paramLabel = "X",
            description = "How much fresh noise the sampler adds on its way, 0 to 1; `studio samplers` lists for which. Default: the sampler's own.")
    private @Nullable Double eta;

    @Option(names = "--prediction", paramLabel = "KIND", completionCandidates = PredictionNames.class,
            converter = PredictionNames.class,
            description = "What the network's output means: ${COMPLETION-CANDIDATES}. Default: what the model says.")
    private @Nullable PredictionType prediction;

    @Option(names = "--steps", paramLabel = "N", defaultValue = "25",
            description = "Denoising steps, 1 to " + SamplingSettings.MAX_STEPS + ". Default: ${DEFAULT-VALUE}.")
    private int steps;

    @Option(names = "--guidance", paramLabel = "X",
            description = "Classifier-free guidance; 1 and below: none. Default: 4 for the embedded model, else 7.5.")
    private @Nullable Double guidanceScale;

    @Option(names = "--guidance-rescale", paramLabel = "X", defaultValue = "0",
            description = "How much of the contrast that guidance adds is taken back, 0 to 1. Default: ${DEFAULT-VALUE}.")
    private double guidanceRescale;

    @Option(names = "--width", paramLabel = "W",
            description = "Pixels, a multiple of 8. Default: what the model was made for.")
    private @Nullable Integer width;

    @Option(names = "--height", paramLabel = "H",
            description = "Pixels, a multiple of 8. Default: what the model was made for.")
    private @Nullable Integer height;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    /// What the person says that the model predicts.
    Optional<PredictionType> prediction() {
        return Optional.ofNullable(prediction);
    }

    String negativePrompt() {
        return negativePrompt;
    }

    /// A prompt with the negative one; refuses before anything is loaded what could not be read.
    PromptPair prompt(String text) throws Failure {
        PromptAttentionParser.parse(text);
        PromptAttentionParser.parse(negativePrompt);
        return new PromptPair(text, negativePrompt);
    }

    /// Fills in what was not given; refuses before anything is loaded what could not be sampled.
    GenerationSettings settings(CommandContext context, DiffusionModel model) throws Failure {
        if (steps < 1 || steps > SamplingSettings.MAX_STEPS)
            throw usageError("--steps: expected 1 to " + SamplingSettings.MAX_STEPS + ", found " + steps);
        double scale = guidanceScale != null ? guidanceScale
                : context.assets().isDefaultModel(model.path()) ? DEFAULT_MODEL_GUIDANCE_SCALE : DEFAULT_GUIDANCE_SCALE;
        if (!Double.isFinite(scale)) throw usageError("--guidance: expected a number, found " + scale);
        int depth = model.textEncoder().transformer().depth();
        if (clipSkip < 1 || clipSkip > depth)
            throw usageError("--clip-skip: expected 1 to " + depth + ", found " + clipSkip);
        if (!(guidanceRescale >= 0 && guidanceRescale <= 1))
            throw usageError("--guidance-rescale: expected 0 to 1, found " + guidanceRescale);
        GenerationSettings settings = new GenerationSettings(
                samplingWith(sampler == null ? modelSampler(context, model) : sampler),
                new Guidance(scale, guidanceRescale), clipSkip,
                width != null ? width : model.defaultImageSize(), height != null ? height : model.defaultImageSize());
        Optional<String> problem = model.sizeProblem(settings.width(), settings.height());
        if (problem.isPresent()) throw new Failure.Incompatible("--width, --height: " + problem.get());
        settings.sampling().warnings(model.scheduler()).forEach(context.terminal()::printNote);
        return settings;
    }

    private SamplingSettings samplingWith(SamplerName name) {
        if (eta != null && !(eta >= 0 && eta <= 1)) throw usageError("--eta: expected 0 to 1, found " + eta);
        return new SamplingSettings(name, schedule == null ? name.defaultSchedule() : schedule, steps,
                eta == null ? OptionalDouble.empty() : OptionalDouble.of(eta), Optional.ofNullable(prediction));
    }

    private ParameterException usageError(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    private static SamplerName modelSampler(CommandContext context, DiffusionModel model) throws Failure {
        Optional<SamplerName> supported = SamplerName.ofSupported(model.scheduler());
        if (supported.isEmpty())
            context.terminal()
                    .printNote("The model's own sampler, " + model.scheduler().className()
                            + ", is not built for its settings; using ddim.");
        return supported.orElse(SamplerName.DDIM);
    }

    static final class SamplerNames extends NamedValues<SamplerName> {
        SamplerNames() {
            super("sampler", SamplerName.values(), SamplerName::option);
        }
    }

    static final class ScheduleNames extends NamedValues<ScheduleName> {
        ScheduleNames() {
            super("schedule", ScheduleName.values(), ScheduleName::option);
        }

        /// Reads earlier names too.
        @Override
        public ScheduleName convert(String name) {
            return ScheduleName.ofOption(name).orElseGet(() -> super.convert(name));
        }
    }

    static final class PredictionNames extends NamedValues<PredictionType> {
        PredictionNames() {
            super("prediction", PredictionType.values(), prediction -> prediction.name().toLowerCase(Locale.ROOT));
        }
    }

    /// The values of an option by their names.
    private abstract static class NamedValues<N> implements Iterable<String>, ITypeConverter<N> {
        private final String kind;
        private final Map<String, N> values = new LinkedHashMap<>();

        NamedValues(String kind, N[] constants, Function<N, String> nameOf) {
            this.kind = kind;
            for (N value : constants) values.put(nameOf.apply(value), value);
        }

        @Override
        public Iterator<String> iterator() {
            return values.keySet().iterator();
        }

        @Override
        public N convert(String name) {
            N constant = values.get(name);
            if (constant == null)
                throw new TypeConversionException(
                        "unknown " + kind + " \"" + name + "\"; expected one of " + String.join(", ", values.keySet()));
            return constant;
        }
    }
}
