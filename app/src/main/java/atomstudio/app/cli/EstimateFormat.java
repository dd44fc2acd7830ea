package atomstudio.app.cli;

import atomstudio.tuning.train.TrainingEstimate;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// What a run would take, for people and for programs.
final class EstimateFormat {
    private static final double MEGABYTE = 1e6;

    private EstimateFormat() {}

    static String lines(TrainingEstimate estimate) {
        List<String> lines = new ArrayList<>();
        lines.add(String.format(Locale.ROOT, "%,d numbers tuned (%.2f %% of the network)", estimate.parameterCount(), 100 * estimate.parameterShare()));
        TrainingEstimate.MemoryFit memory = estimate.memory();
        String availableText = memory.available() > 0 ? String.format(Locale.ROOT, " of %,.0f MB that there are", memory.available() / MEGABYTE) : "";
        lines.add(String.format(Locale.ROOT, "memory: %,.0f MB%s (%s)", memory.bytes() / MEGABYTE, availableText, memory.source()));
        if (estimate.time().stepSeconds() > 0) lines.add(String.format(Locale.ROOT, "time: %.2f s a step, %s in all", estimate.time().stepSeconds(), duration(estimate.time().totalSeconds())));
        lines.add(estimate.fits() ? "It fits." : "It does not fit. What takes less:");
        estimate.advice().forEach(suggestion -> lines.add("  " + suggestion));
        return String.join(System.lineSeparator(), lines);
    }

    static JsonObject json(TrainingEstimate estimate) {
        JsonObject json = new JsonObject();
        json.addProperty("numbers", estimate.parameterCount());
        json.addProperty("share", estimate.parameterShare());
        json.addProperty("memory", estimate.memory().bytes());
        json.addProperty("memorySource", estimate.memory().source());
        json.addProperty("available", estimate.memory().available());
        json.addProperty("secondsPerStep", estimate.time().stepSeconds());
        json.addProperty("secondsBefore", estimate.time().setupSeconds());
        json.addProperty("seconds", estimate.time().totalSeconds());
        json.addProperty("fits", estimate.fits());
        JsonArray advice = new JsonArray();
        estimate.advice().forEach(advice::add);
        json.add("advice", advice);
        return json;
    }

    private static String duration(double seconds) {
        long whole = Math.round(seconds);
        if (whole < 120) return whole + " s";
        if (whole < 7200) return Math.round(whole / 60.0) + " min";
        return String.format(Locale.ROOT, "%.1f h", whole / 3600.0);
    }
}
