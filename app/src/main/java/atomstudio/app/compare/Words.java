package atomstudio.app.compare;

import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.picture.GenerationText;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.tuning.method.MethodSettings;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/// How rows and their cost are named for a person, in the sheet and on the page.
public final class Words {
    static final String UNMEASURED = "Likeness, diversity and alignment are not measured: the model has no vision tower that can be used (image_encoder or safety_checker).";

    private static final String[] UNITS = {"bytes", "KB", "MB", "GB"};

    private Words() {}

    /// `atoms+channels-2` is "Atoms + channels 2".
    public static String title(Comparison.Row row) {
        String method = row.name().replaceFirst("-\\d+$", "");
        return (row.isBase() ? "Base" : MethodSettings.title(method)) + row.name().substring(method.length()).replace('-', ' ');
    }

    public static String numbers(Comparison.Row row) {
        return row.isBase() ? "not trained" : String.format(Locale.ROOT, "%,d parameters", row.numbers());
    }

    /// `likeness 0.56`, `diversity 0.36`, `alignment 0.45`: all of them or none; what could not be measured is a dash.
    public static List<String> measures(Comparison.Row row) {
        return row.measures().map(measures -> List.of("likeness " + measure(measures.likeness()), "diversity " + measure(measures.diversity()),
                "alignment " + measure(measures.alignment()))).orElse(List.of());
    }

    public static String measure(OptionalDouble measure) {
        return measure.isPresent() ? String.format(Locale.ROOT, "%.2f", measure.getAsDouble()) : "–";
    }

    /// What the measures are by; or why there are none.
    public static String encoder(Comparison comparison) {
        return comparison.rows().getFirst().measures().map(measures -> "Likeness (cosine with the subject), diversity (1 – cosine within a prompt) and alignment (cosine with the prompt, “"
                + comparison.className() + "” for the subject) by " + measures.encoder() + ".").orElse(UNMEASURED);
    }

    public static String bytes(long bytes) {
        double amount = bytes;
        int unit = 0;
        while (amount >= 1000 && unit < UNITS.length - 1) {
            amount /= 1000;
            unit++;
        }
        String format = unit == 0 || amount >= 100 ? "%.0f %s" : "%.1f %s";
        return String.format(Locale.ROOT, format, amount, UNITS[unit]);
    }

    public static String seconds(double seconds) {
        long whole = Math.round(seconds);
        if (seconds < 10) return String.format(Locale.ROOT, "%.1f s", seconds);
        if (whole < 60) return whole + " s";
        if (whole < 3600) return String.format(Locale.ROOT, "%d min %02d s", whole / 60, whole % 60);
        return String.format(Locale.ROOT, "%d h %02d min", whole / 3600, whole / 60 % 60);
    }

    /// How the images were sampled, in one line.
    static String details(String model, ComparisonRequest.Look look) {
        return details(model, look.settings()) + (look.negative().isEmpty() ? "" : " · without “" + look.negative() + "”");
    }

    /// The same without a negative prompt.
    public static String details(String model, Generation.Settings settings) {
        SamplingSettings sampling = settings.sampling();
        String schedule = sampling.schedule() == ScheduleName.MODEL ? "" : " (" + sampling.schedule().title() + ")";
        return model + " · " + sampling.sampler().title() + schedule + ", " + sampling.steps() + " steps · guidance "
            + GenerationText.number(settings.guidance().scale()) + " · " + settings.width() + " × " + settings.height();
    }

    static String photos(int count) {
        return count == 1 ? "1 photo" : count + " photos";
    }
}
