package atomstudio.tuning.method;

/// The size of a base model, which decides the default steps and learning rates.
public enum ModelSize {
    /// Such as the embedded model, on which the defaults were measured (docs/experiments.md).
    SMALL,
    /// Such as Stable Diffusion: published rates and steps.
    LARGE;

    /// Stable Diffusion 1.5 has 859,520,964, the embedded model 16,480,196.
    private static final long LARGE_UNET_PARAMETERS = 200_000_000;

    public static ModelSize of(long unetParameters) {
        return unetParameters < LARGE_UNET_PARAMETERS ? SMALL : LARGE;
    }
}
