package atomstudio.app.cli;

import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.ScheduleName;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `studio samplers`: every sampler with the schedules that it takes.
@Command(
        name = "samplers",
        description = "Lists the samplers, the schedules that each takes, and its usual --eta where one can be chosen.",
        footer = {"", "Examples:", "  studio samplers", "  studio samplers --json"})
final class SamplersCommand implements Callable<Integer>, WithoutNatives {
    private final Studio studio;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    SamplersCommand(Studio studio) {
        this.studio = studio;
    }

    @Override public Integer call() {
        if (json) {
            JsonObject object = new JsonObject();
            JsonArray samplers = new JsonArray();
            for (SamplerName name : SamplerName.values()) samplers.add(json(name));
            object.add("samplers", samplers);
            studio.terminal().result(new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().serializeNulls().create().toJson(object));
        } else {
            for (SamplerName name : SamplerName.values()) studio.terminal().result(line(name));
            studio.terminal().result("* where no --schedule is given");
        }
        return ExitCode.DONE;
    }

    private static String line(SamplerName name) {
        Set<ScheduleName> schedules = name.schedules();
        String taken = schedules.stream().map(schedule -> schedule.option() + (schedule == name.defaultSchedule() ? "*" : "")).collect(Collectors.joining(" "));
        String eta = name.defaultEta().isPresent() ? String.format(Locale.ROOT, "eta %.1f", name.defaultEta().getAsDouble()) : "";
        return String.format(Locale.ROOT, "%-13s %-13s %-8s %s", name.option(), name.title(), eta, taken);
    }

    private static JsonObject json(SamplerName name) {
        JsonObject object = new JsonObject();
        object.addProperty("sampler", name.option());
        object.addProperty("display", name.title());
        JsonArray schedules = new JsonArray();
        for (ScheduleName schedule : name.schedules()) schedules.add(schedule.option());
        object.add("schedules", schedules);
        object.addProperty("usual", name.defaultSchedule().option());
        object.addProperty("eta", name.defaultEta().isPresent() ? name.defaultEta().getAsDouble() : null);
        return object;
    }
}
