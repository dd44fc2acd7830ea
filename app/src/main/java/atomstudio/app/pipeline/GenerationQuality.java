package atomstudio.app.pipeline;

import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.ScheduleName;

/// Presets of sampler, schedule and number of steps.
public enum GenerationQuality {
    /// DPM++ 2M with Karras' schedule is close to its limit after 12 steps.
    FAST,
    /// The model's own sampler with the default number of steps.
    NORMAL,
    /// The model's own sampler with twice as many steps.
    FINE;

    private static final int FAST_STEPS = 12;

    public SamplerName sampler(ModelDefaults model) {
        return this == FAST ? SamplerName.DPM_PLUS_PLUS_2M : model.sampler();
    }

    public ScheduleName schedule(ModelDefaults model) {
        return this == FAST ? ScheduleName.KARRAS : model.sampler().defaultSchedule();
    }

    public int steps() {
        return switch (this) {
            case FAST -> FAST_STEPS;
            case NORMAL -> ModelDefaults.STEPS;
            case FINE -> 2 * ModelDefaults.STEPS;
        };
    }
}
