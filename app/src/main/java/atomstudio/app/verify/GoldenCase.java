package atomstudio.app.verify;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.Generation.GenerationSettings;
import atomstudio.diffusion.engine.Generation.PromptPair;
import atomstudio.diffusion.json.Json;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.diffusion.sample.SchedulerConfig;
import atomstudio.diffusion.tensor.SafetensorsFile;
import java.util.List;

/// The generation that an image golden describes in its metadata `case`.
/// @param json prompt, negative, seed, scheduler, steps, eta, guidance, width, height
record GoldenCase(Json json) {
    static final int MAX_SIDE = 4096;

    static GoldenCase of(SafetensorsFile golden) throws Failure {
        return new GoldenCase(
                Json.parse(golden.file() + ": metadata \"case\"", golden.metadata().getOrDefault("case", "")));
    }

    /// A model's config as the case's diffusers class reads it.
    SchedulerConfig scheduler(SchedulerConfig modelConfig) throws Failure {
        return modelConfig.forClass(json.string("scheduler"));
    }

    /// Text to image.
    /// @throws Failure.Unsupported for a sampler that is not supported
    Generation generation(DiffusionModel model) throws Failure {
        SamplingSettings sampling = sampling(SamplerName.of(scheduler(model.scheduler())));
        GenerationSettings settings = GenerationSettings.of(sampling, json.number("guidance"), side("width", model),
                side("height", model));
        return new Generation(new PromptPair(text("prompt"), text("negative")), settings, json.integer("seed"),
                List.of());
    }

    /// diffusers' pipeline passes its own eta, 0 by default, to the two schedulers that have one.
    private SamplingSettings sampling(SamplerName sampler) throws Failure {
        int steps = json.integer("steps", 1, SamplingSettings.MAX_STEPS);
        SamplingSettings sampling = SamplingSettings.of(sampler, ScheduleName.AUTOMATIC, steps);
        boolean hasEta = sampler == SamplerName.DDIM || sampler == SamplerName.TCD;
        return hasEta ? sampling.withEta(json.has("eta") ? json.number("eta") : 0) : sampling;
    }

    private int side(String key, DiffusionModel model) throws Failure {
        return json.has(key) ? json.integer(key, 1, MAX_SIDE) : model.defaultImageSize();
    }

    private String text(String key) throws Failure {
        return json.has(key) ? json.string(key) : "";
    }
}
