package atomstudio.diffusion.sample;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/// How the noise levels that a sampler visits are spaced.
public enum ScheduleName {
    /// As the model's config says.
    MODEL,
    /// Karras, Aittala, Aila and Laine 2022, equation 5.
    KARRAS;

    /// The command line's word, for example `sgm-uniform`.
    public String option() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    public static Optional<ScheduleName> ofOption(String option) {
        return Arrays.stream(values()).filter(name -> name.option().equals(option)).findFirst();
    }
}
