package atomstudio.app.pipeline;

import atomstudio.app.pipeline.GenerationLimits.NumberLimit;
import atomstudio.app.runtime.Assets;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.sample.SamplerName;

/// The settings that a model suggests, in the window and on the command line.
/// @param sampler   that of its scheduler config; DDIM if that one is not supported
/// @param size      of both sides, in pixels
/// @param clipSkips the layers of its text encoder, counted from the last
public record ModelDefaults(SamplerName sampler, double guidanceScale, int size, NumberLimit clipSkips) {
    public static final int STEPS = 25;
    public static final double DENOISING_STRENGTH = 0.75;
    private static final double GUIDANCE_SCALE = 7.5;
    /// The best scale for the embedded model (assets/README.md).
    private static final double EMBEDDED_GUIDANCE_SCALE = 4;

    /// Those of Stable Diffusion, before a model is known.
    public static final ModelDefaults INITIAL = ofSize(512);

    public static ModelDefaults ofSize(int size) {
        return new ModelDefaults(SamplerName.DDIM, GUIDANCE_SCALE, size, NumberLimit.between(1, 12));
    }

    public static ModelDefaults of(DiffusionModel model, Assets assets) throws Failure {
        return new ModelDefaults(SamplerName.ofSupported(model.scheduler()).orElse(SamplerName.DDIM),
                assets.isDefaultModel(model.path()) ? EMBEDDED_GUIDANCE_SCALE : GUIDANCE_SCALE,
                model.defaultImageSize(), NumberLimit.between(1, model.textEncoder().transformer().depth()));
    }
}
