package atomstudio.app.compare;

import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.picture.GenerationText;
import java.util.Locale;

/// How rows and their cost are named for a person, in the sheet and on the page.
public final class Words {
    private static final String[] UNITS = {"bytes", "KB", "MB", "GB"};

    private Words() {}

    /// `atoms+channels-2` is "Atoms + channels 2".
    public static String title(Comparison.Row row) {
        String name = row.name();
        int repeat = name.lastIndexOf('-');
        String method = repeat < 0 ? name : name.substring(0, repeat);
        String title = switch (method) {
            case Comparison.BASE -> "Base";
            case "lora" -> "LoRA";
            default -> method.substring(0, 1).toUpperCase(Locale.ROOT) + method.substring(1).replace("+", " + ");
        };
        return repeat < 0 ? title : title + " " + name.substring(repeat + 1);
    }

    public static String numbers(Comparison.Row row) {
        return row.isBase() ? "nothing tuned" : String.format(Locale.ROOT, "%,d numbers", row.numbers());
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

    /// How the pictures were made, in one line.
    static String details(String model, ComparisonRequest.Sampling sampling) {
        Generation.Settings settings = sampling.settings();
        String schedule = switch (settings.spaced()) {
            case MODEL -> "";
            case KARRAS -> " (Karras)";
        };
        String negative = sampling.negative().isEmpty() ? "" : " · without “" + sampling.negative() + "”";
        return model + " · " + GenerationText.samplerName(settings.sampler().option()) + schedule + ", " + settings.steps() + " steps · guidance "
            + GenerationText.number(settings.guidance()) + " · " + settings.width() + " × " + settings.height() + negative;
    }

    static String pictures(int count) {
        return count == 1 ? "1 picture" : count + " pictures";
    }
}
