package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import java.util.Locale;

/// The training timesteps that a sampler visits. Source: Lin, Liu, Li and Yang 2024, "Common Diffusion Noise
/// Schedules", table 2.
public enum TimestepSpacing {
    /// Multiples of an integer stride from 0, plus an offset: never reaches the last timestep.
    LEADING,
    /// Evenly spaced over 0..last, both ends included; possibly fractional.
    LINSPACE,
    /// Multiples of a stride from the last timestep down.
    TRAILING;

    /// `timestep_spacing` in a scheduler config.
    String configValue() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// @throws Failure.Unsupported for other spacings than leading, linspace and trailing
    static TimestepSpacing of(SchedulerConfig config) throws Failure {
        TimestepSpacing defaultSpacing = switch (config.className()) {
            case "DDIMScheduler", "PNDMScheduler", "DDPMScheduler", "LCMScheduler", "TCDScheduler" -> LEADING;
            default -> LINSPACE;
        };
        String value = config.string("timestep_spacing", defaultSpacing.configValue());
        for (TimestepSpacing spacing : values()) if (spacing.configValue().equals(value)) return spacing;
        throw config.unsupported("timestep_spacing", value);
    }

    /// @param trainTimesteps timesteps of training
    /// @param count how many to visit
    /// @param offset added to LEADING ones
    /// @return timesteps, latest first
    double[] timesteps(int trainTimesteps, int count, int offset) {
        return switch (this) {
            case LEADING -> leading(trainTimesteps / count, count, offset);
            case LINSPACE -> linspace(trainTimesteps - 1, count);
            case TRAILING -> trailing(trainTimesteps, (double) trainTimesteps / count);
        };
    }

    private static double[] leading(int stride, int count, int offset) {
        double[] timesteps = new double[count];
        for (int i = 0; i < count; i++) timesteps[i] = (double) (count - 1 - i) * stride + offset;
        return timesteps;
    }

    private static double[] linspace(int last, int count) {
        double[] timesteps = new double[count];
        double stride = count > 1 ? last / (count - 1.0) : 0;
        for (int i = 0; i < count; i++) timesteps[i] = (count - 1 - i) * stride;
        if (count > 1) timesteps[0] = last;
        return timesteps;
    }

    /// From `end` - 1 down by `stride` while above 0, each rounded half to even. The count follows from the stride in
    /// floating point, as in diffusers.
    static double[] trailing(int end, double stride) {
        double[] timesteps = new double[(int) Math.ceil(end / stride)];
        double delta = end - stride - end;
        for (int i = 0; i < timesteps.length; i++) timesteps[i] = Math.rint(end + i * delta) - 1;
        return timesteps;
    }
}
