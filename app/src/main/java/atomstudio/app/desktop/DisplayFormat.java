package atomstudio.app.desktop;

import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/// Amounts as people read them. Digits are grouped the same way everywhere, whatever the machine's language.
public final class DisplayFormat {
    private DisplayFormat() {}

    public static String count(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    /// Decimal units, as file managers show them: 9.3 KB, 1.2 GB.
    public static String bytes(long bytes) {
        if (bytes < 1000) return bytes + " B";
        double value = bytes;
        int unit = -1;
        while (value >= 999.5 && unit < 3) {
            value /= 1000;
            unit++;
        }
        return String.format(Locale.ROOT, value < 9.95 ? "%.1f %s" : "%.0f %s", value, "KMGT".charAt(unit) + "B");
    }

    /// 0:19, 12:05, 1:00:07.
    public static String duration(double seconds) {
        long wholeSeconds = Math.max(0, Math.round(seconds));
        return wholeSeconds < 3600
                ? String.format(Locale.ROOT, "%d:%02d", wholeSeconds / 60, wholeSeconds % 60)
                : String.format(Locale.ROOT, "%d:%02d:%02d", wholeSeconds / 3600, wholeSeconds / 60 % 60,
                        wholeSeconds % 60);
    }

    /// In words: 7.3 s, 38 s, 2 min 05 s, 1 h 10 min.
    public static String seconds(double seconds) {
        long whole = Math.round(seconds);
        if (seconds < 10) return String.format(Locale.ROOT, "%.1f s", seconds);
        if (whole < 60) return whole + " s";
        if (whole < 3600) return String.format(Locale.ROOT, "%d min %02d s", whole / 60, whole % 60);
        return String.format(Locale.ROOT, "%d h %02d min", whole / 3600, whole / 60 % 60);
    }

    /// Two significant digits of a share: 0.65 %, 1.1 %, 12 %.
    public static String percent(double share) {
        double percent = share * 100;
        if (percent <= 0) return "0 %";
        int digits = Math.max(0, 1 - (int) Math.floor(Math.log10(percent)));
        return String.format(Locale.ROOT, "%." + Math.min(digits, 6) + "f %%", percent);
    }

    /// today 10:42, yesterday 9:05, 3 May 2026.
    public static String dateTime(Instant moment, Instant now) {
        ZonedDateTime local = moment.atZone(ZoneId.systemDefault());
        LocalDate today = now.atZone(ZoneId.systemDefault()).toLocalDate();
        String time = DateTimeFormatter.ofPattern("H:mm", Locale.ROOT).format(local);
        if (local.toLocalDate().equals(today)) return "today " + time;
        if (local.toLocalDate().equals(today.minusDays(1))) return "yesterday " + time;
        return DateTimeFormatter.ofPattern("d MMM uuuu", Locale.ENGLISH).format(local);
    }

    /// `1 picture`, `6 pictures`.
    public static String plural(long count, String noun) {
        return count(count) + " " + noun + (count == 1 ? "" : "s");
    }
}
