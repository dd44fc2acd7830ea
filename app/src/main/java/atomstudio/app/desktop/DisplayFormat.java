package atomstudio.app.desktop;

import static atomstudio.app.text.Texts.text;

import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/// Formats amounts for display, independent of the system's locale.
public final class DisplayFormat {
    private DisplayFormat() {}

    public static String count(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    /// In decimal units: 9.3 KB, 1.2 GB.
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

    /// With a suffix from a million on: 29,148, 5.9 M, 860 M, 1.2 B.
    public static String compactCount(long number) {
        if (number < 1_000_000) return count(number);
        double millions = number / 1e6;
        double value = millions < 999.5 ? millions : millions / 1000;
        return String.format(Locale.ROOT, value < 9.95 ? "%.1f %s" : "%.0f %s", value, millions < 999.5 ? "M" : "B");
    }

    /// A time that counts down: 0:19, 12:05, 1:00:07.
    public static String clock(double seconds) {
        long wholeSeconds = Math.max(0, Math.round(seconds));
        return wholeSeconds < 3600
                ? String.format(Locale.ROOT, "%d:%02d", wholeSeconds / 60, wholeSeconds % 60)
                : String.format(Locale.ROOT, "%d:%02d:%02d", wholeSeconds / 3600, wholeSeconds / 60 % 60,
                        wholeSeconds % 60);
    }

    /// A measured time in words: 7.3 s, 38 s, 2 min 05 s, 1 h 10 min.
    public static String duration(double seconds) {
        long whole = Math.round(seconds);
        if (seconds < 10) return String.format(Locale.ROOT, "%.1f s", seconds);
        if (whole < 60) return whole + " s";
        if (whole < 3600) return String.format(Locale.ROOT, "%d min %02d s", whole / 60, whole % 60);
        return String.format(Locale.ROOT, "%d h %02d min", whole / 3600, whole / 60 % 60);
    }

    /// An estimated time: 50 s, 5 min, 1 h 05 min.
    public static String roughDuration(double seconds) {
        long minutes = Math.round(seconds / 60);
        return seconds >= 99.5 && minutes < 60 ? text("desktop.min", minutes) : duration(seconds);
    }

    /// A share with two significant digits: 0.65%, 1.1%, 12%.
    public static String percent(double share) {
        double percent = share * 100;
        if (percent <= 0) return "0%";
        int digits = Math.max(0, 1 - (int) Math.floor(Math.log10(percent)));
        return String.format(Locale.ROOT, "%." + Math.min(digits, 6) + "f%%", percent);
    }

    /// `today 10:42`, `yesterday 9:05`, `3 May 2026`.
    public static String dateTime(Instant moment, Instant now) {
        ZonedDateTime local = moment.atZone(ZoneId.systemDefault());
        LocalDate today = now.atZone(ZoneId.systemDefault()).toLocalDate();
        String time = DateTimeFormatter.ofPattern("H:mm", Locale.ROOT).format(local);
        if (local.toLocalDate().equals(today)) return text("desktop.today", time);
        if (local.toLocalDate().equals(today.minusDays(1))) return text("desktop.yesterday", time);
        return DateTimeFormatter.ofPattern("d MMM uuuu", Locale.ENGLISH).format(local);
    }

    /// `1 photo`, `6 photos`.
    public static String plural(long count, String noun) {
        return count(count) + " " + noun + (count == 1 ? "" : "s");
    }
}
