package atomstudio.diffusion.sample;

/// Which training timesteps a sampler visits. Source: Lin, Liu, Li and Yang 2024, "Common Diffusion Noise Schedules",
/// table 2.
public enum TimestepSpacing {
    /// Multiples of a whole stride from 0 up, moved by an offset: never reaches the last timestep.
    LEADING,
    /// Equal parts of 0..last, both ends included; not always whole.
    LINSPACE,
    /// Multiples of a stride from the last timestep down.
    TRAILING;

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
    /// floating point, as in the reference.
    static double[] trailing(int end, double stride) {
        double[] timesteps = new double[(int) Math.ceil(end / stride)];
        double delta = end - stride - end;
        for (int i = 0; i < timesteps.length; i++) timesteps[i] = Math.rint(end + i * delta) - 1;
        return timesteps;
    }
}
