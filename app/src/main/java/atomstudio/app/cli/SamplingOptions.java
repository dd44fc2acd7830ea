package atomstudio.app.cli;

import atomstudio.app.pipeline.GenerationLimits;
import atomstudio.app.pipeline.ModelDefaults;
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
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Sampling options of every command that generates images, with their defaults.
final class SamplingOptions {
    @Option(names = "--negative-prompt", paramLabel = "TEXT", defaultValue = "",
            description = "What the image should not show.")
    private String negativePrompt = "";

    @Option(names = "--cfg-scale", paramLabel = "X",
            description = "Classifier-free guidance scale, also --guidance; 1 or less: off. "
                    + "Default: 4 for the embedded model, else 7.5.")
    private @Nullable Double guidanceScale;

    @Option(names = "--guidance-rescale", paramLabel = "X", defaultValue = "0",
            description = "Reduces over-saturation from guidance, 0 to 1. Default: ${DEFAULT-VALUE}.")
    private double guidanceRescale;

    @Option(names = "--steps", paramLabel = "N", defaultValue = "" + ModelDefaults.STEPS,
            description = "Denoising steps, 1 to " + SamplingSettings.MAX_STEPS + ". Default: ${DEFAULT-VALUE}.")
    private int steps;

    @Option(names = "--sampler", paramLabel = "NAME", completionCandidates = SamplerNames.class,
            converter = SamplerNames.class,
            description = "${COMPLETION-CANDIDATES}. Default: the model's.")
    private @Nullable SamplerName sampler;

    @Option(names = "--schedule", paramLabel = "NAME", completionCandidates = ScheduleNames.class,
            converter = ScheduleNames.class,
            description = "${COMPLETION-CANDIDATES}. `studio samplers` lists the schedules of each sampler and its "
                    + "default.")
    private @Nullable ScheduleName schedule;

    @Option(names = "--eta", paramLabel = "X",
            description = "Noise added per step, 0 to 1, for the samplers that `studio samplers` lists with eta. "
                    + "Default: the sampler's.")
    private @Nullable Double eta;

    @Option(names = "--clip-skip", paramLabel = "N", defaultValue = "1",
            description = "Text encoder layer whose output is used: 1 the last, 2 the one before. "
                    + "Default: ${DEFAULT-VALUE}.")
    private int clipSkip;

    @Option(names = "--width", paramLabel = "W", description = "In pixels, a multiple of 8. Default: the model's.")
    private @Nullable Integer width;

    @Option(names = "--height", paramLabel = "H", description = "In pixels, a multiple of 8. Default: the model's.")
    private @Nullable Integer height;

    @Mixin
    private PredictionOption prediction = new PredictionOption();

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    Optional<PredictionType> prediction() {
        return prediction.prediction();
    }

    String negativePrompt() {
        return negativePrompt;
    }

    /// The prompt with the negative prompt. Rejects syntax errors before anything is loaded.
    PromptPair prompt(String text) throws Failure {
        PromptAttentionParser.parse(text);
        PromptAttentionParser.parse(negativePrompt);
        return new PromptPair(text, negativePrompt);
    }

    /// The settings with defaults filled in. Rejects settings that cannot be sampled before weights are loaded.
    GenerationSettings settings(CommandContext context, DiffusionModel model) throws Failure {
        ModelDefaults defaults = ModelDefaults.of(model, context.assets());
        UsageError.require(spec, "--steps", GenerationLimits.STEPS, steps);
        double scale = guidanceScale != null ? guidanceScale : defaults.guidanceScale();
        UsageError.require(spec, "--cfg-scale", GenerationLimits.GUIDANCE_SCALE, scale);
        UsageError.require(spec, "--clip-skip", defaults.clipSkips(), clipSkip);
        UsageError.require(spec, "--guidance-rescale", GenerationLimits.GUIDANCE_RESCALE, guidanceRescale);
        if (eta != null) UsageError.require(spec, "--eta", GenerationLimits.ETA, eta);
        GenerationSettings settings = new GenerationSettings(
                samplingWith(sampler == null ? modelSampler(context, model, defaults) : sampler),
                new Guidance(scale, guidanceRescale), clipSkip,
                width != null ? width : defaults.size(), height != null ? height : defaults.size());
        for (int side : new int[] {settings.width(), settings.height()})
            UsageError.require(spec, "--width, --height", GenerationLimits.SIDE, side);
        Optional<String> problem = model.sizeProblem(settings.width(), settings.height());
        if (problem.isPresent()) throw new Failure.Incompatible("--width, --height: " + problem.get());
        settings.sampling().warnings(model.scheduler()).forEach(context.terminal()::printNote);
        return settings;
    }

    private SamplingSettings samplingWith(SamplerName name) {
        return new SamplingSettings(name, schedule == null ? name.defaultSchedule() : schedule, steps,
                eta == null ? OptionalDouble.empty() : OptionalDouble.of(eta), prediction());
    }

    private static SamplerName modelSampler(CommandContext context, DiffusionModel model, ModelDefaults defaults)
            throws Failure {
        if (SamplerName.ofSupported(model.scheduler()).isEmpty())
            context.terminal()
                    .printNote("The model's scheduler " + model.scheduler().className()
                            + " is not supported with its settings; using " + defaults.sampler().option() + ".");
        return defaults.sampler();
    }

    private static final class SamplerNames extends NamedValues<SamplerName> {
        SamplerNames() {
            super(SamplerName.values(), SamplerName::option);
        }
    }

    private static final class ScheduleNames extends NamedValues<ScheduleName> {
        ScheduleNames() {
            super(ScheduleName.values(), ScheduleName::option, ScheduleName::ofOption);
        }
    }
}
