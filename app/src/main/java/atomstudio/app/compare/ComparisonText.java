package atomstudio.app.compare;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.image.Infotext;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.tuning.method.MethodSettings;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/// How rows and their cost are named for a person, in the sheet and on the page.
public final class ComparisonText {
    static final String NO_METRICS = "Likeness, diversity and alignment are not measured: the model has no vision tower that can be used (image_encoder or safety_checker).";

    private ComparisonText() {}

    /// `atoms+channels-2` is "Atoms + channels 2".
    public static String rowTitle(Comparison.ComparisonRow row) {
        String method = row.name().replaceFirst("-\\d+$", "");
        return (row.isBase() ? "Base" : MethodSettings.title(method))
                + row.name().substring(method.length()).replace('-', ' ');
    }

    public static String parameters(Comparison.ComparisonRow row) {
        return row.isBase() ? "not trained" : DisplayFormat.count(row.parameterCount()) + " parameters";
    }

    /// `likeness 0.56`, `diversity 0.36`, `alignment 0.45`: all of them or none; what could not be measured is a dash.
    public static List<String> metrics(Comparison.ComparisonRow row) {
        return row.metrics()
                .map(found -> List.of("likeness " + metric(found.likeness()), "diversity " + metric(found.diversity()),
                        "alignment " + metric(found.alignment())))
                .orElse(List.of());
    }

    public static String metric(OptionalDouble value) {
        return value.isPresent() ? String.format(Locale.ROOT, "%.2f", value.getAsDouble()) : "–";
    }

    /// What the measures are by; or why there are none.
    public static String metricsNote(Comparison comparison) {
        return comparison.rows()
                .getFirst()
                .metrics()
                .map(found -> "Likeness (cosine with the subject), diversity (1 – cosine within a prompt) and alignment (cosine with the prompt, “"
                        + comparison.className() + "” for the subject) by " + found.encoder() + ".")
                .orElse(NO_METRICS);
    }

    /// How the images were sampled, in one line.
    static String samplingDetails(String model, ComparisonRequest.ImageOptions look) {
        return samplingDetails(model, look.settings())
                + (look.negativePrompt().isEmpty() ? "" : " · without “" + look.negativePrompt() + "”");
    }

    /// The same without a negative prompt.
    public static String samplingDetails(String model, Generation.GenerationSettings settings) {
        SamplingSettings sampling = settings.sampling();
        String schedule = sampling.schedule() == ScheduleName.MODEL ? "" : " (" + sampling.schedule().title() + ")";
        return model + " · " + sampling.sampler().title() + schedule + ", " + sampling.steps() + " steps · guidance "
                + Infotext.formatNumber(settings.guidance().scale()) + " · " + settings.width() + " × "
                + settings.height();
    }

    public static String photos(int count) {
        return count == 1 ? "1 photo" : count + " photos";
    }
}
