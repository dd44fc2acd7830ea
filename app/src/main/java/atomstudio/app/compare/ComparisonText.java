package atomstudio.app.compare;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.image.Infotext;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.tuning.measure.ClipScores;
import atomstudio.tuning.method.MethodSettings;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.OptionalDouble;

/// Texts of the sheet, the page and the terminal.
public final class ComparisonText {
    static final String NO_METRICS = "Likeness, diversity and alignment are not measured: the model has no usable CLIP "
            + "image encoder (image_encoder or safety_checker).";

    private ComparisonText() {}

    /// `atoms+channels-2` becomes "Atoms + channels 2".
    public static String rowTitle(Comparison.ComparisonRow row) {
        if (row.variant().isPresent()) return row.variant().get().title();
        String method = row.name().replaceFirst("-\\d+$", "");
        return (row.isBase() ? "Base model" : MethodSettings.title(method))
                + row.name().substring(method.length()).replace('-', ' ');
    }

    public static String parameters(Comparison.ComparisonRow row) {
        if (row.parameterCount() == 0 && row.variant().isPresent()) return "";
        return row.isBase() ? "not trained" : DisplayFormat.count(row.parameterCount()) + " parameters";
    }

    /// `likeness 0.56`, `diversity 0.36`, `alignment 0.45`: all or none; a dash if one cannot be measured.
    public static List<String> metrics(Comparison.ComparisonRow row) {
        return row.metrics()
                .map(found -> List.of("likeness " + metric(found.likeness()), "diversity " + metric(found.diversity()),
                        "alignment " + metric(found.alignment())))
                .orElse(List.of());
    }

    public static String metric(OptionalDouble value) {
        return value.isPresent() ? String.format(Locale.ROOT, "%.2f", value.getAsDouble()) : "–";
    }

    /// Definitions and encoder of the metrics, or why there are none.
    public static String metricsNote(Comparison comparison) {
        return comparison.rows()
                .getFirst()
                .metrics()
                .map(found -> "Likeness (cosine with the training photos), diversity (1 – cosine within a prompt) and "
                        + "alignment (cosine with the prompt, “" + comparison.className()
                        + "” for the subject) measured with " + found.encoder() + ".")
                .orElse(comparison.captions().isEmpty() ? NO_METRICS : "");
    }

    /// The words in the place of the subject in each row's prompts.
    public static String promptNote(Comparison comparison) {
        List<String> parts = new ArrayList<>();
        List<Comparison.ComparisonRow> rows = comparison.rows();
        if (rows.stream().anyMatch(Comparison.ComparisonRow::isBase))
            parts.add("the base model was prompted with “" + comparison.className() + "”");
        if (rows.stream().anyMatch(row -> !row.isBase() && !hasOwnPhrase(comparison, row)))
            parts.add((parts.isEmpty() ? "the images were prompted with “" : "the others with “")
                    + comparison.trainedPhrase() + "”");
        for (Comparison.ComparisonRow row : rows)
            if (!row.isBase() && hasOwnPhrase(comparison, row))
                parts.add(rowTitle(row) + " with “" + comparison.promptPhrase(row) + "”");
        String note = String.join(", ", parts);
        return note.substring(0, 1).toUpperCase(Locale.ROOT) + note.substring(1) + ".";
    }

    private static boolean hasOwnPhrase(Comparison comparison, Comparison.ComparisonRow row) {
        return !comparison.promptPhrase(row).equals(comparison.trainedPhrase());
    }

    /// The rows with their cost and metrics as CSV (RFC 4180); empty where a metric is absent.
    public static String csv(Comparison comparison) {
        StringBuilder csv = new StringBuilder(
                "row,run,prompt phrase,parameters,bytes,training seconds,encoder,likeness,diversity,alignment\r\n");
        for (Comparison.ComparisonRow row : comparison.rows()) {
            List<String> cells = new ArrayList<>(List.of(rowTitle(row), Objects.requireNonNullElse(row.run(), ""),
                    comparison.promptPhrase(row), Long.toString(row.parameterCount()), Long.toString(row.bytes()),
                    Double.toString(row.seconds()), row.metrics().map(ClipScores::encoder).orElse("")));
            for (OptionalDouble metric : row.metrics()
                    .map(found -> List.of(found.likeness(), found.diversity(), found.alignment()))
                    .orElse(List.of(OptionalDouble.empty(), OptionalDouble.empty(), OptionalDouble.empty())))
                cells.add(metric.isPresent() ? Double.toString(metric.getAsDouble()) : "");
            csv.append(String.join(",", cells.stream().map(ComparisonText::quoted).toList())).append("\r\n");
        }
        return csv.toString();
    }

    private static String quoted(String cell) {
        return cell.matches("[^\",\\r\\n]*") ? cell : '"' + cell.replace("\"", "\"\"") + '"';
    }

    /// Model and sampling settings in one line.
    static String samplingDetails(String model, ComparisonRequest.ImageOptions options) {
        return samplingDetails(model, options.settings())
                + (options.negativePrompt().isEmpty() ? "" : " · negative: “" + options.negativePrompt() + "”");
    }

    /// Model and sampling settings without the negative prompt.
    public static String samplingDetails(String model, Generation.GenerationSettings settings) {
        SamplingSettings sampling = settings.sampling();
        String schedule = sampling.schedule() == ScheduleName.AUTOMATIC ? "" : " (" + sampling.schedule().title() + ")";
        return model + " · " + sampling.sampler().title() + schedule + ", " + sampling.steps() + " steps · guidance "
                + Infotext.formatNumber(settings.guidance().scale()) + " · " + settings.width() + " × "
                + settings.height();
    }

    public static String photos(int count) {
        return count == 1 ? "1 photo" : count + " photos";
    }
}
