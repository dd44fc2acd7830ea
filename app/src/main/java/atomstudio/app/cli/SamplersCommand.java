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
final class SamplersCommand implements Callable<Integer>, Main.RunsWithoutNatives {
    private final CommandContext context;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    SamplersCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        if (json) {
            JsonObject object = new JsonObject();
            JsonArray samplers = new JsonArray();
            for (SamplerName sampler : SamplerName.values()) samplers.add(json(sampler));
            object.add("samplers", samplers);
            context.terminal()
                    .printResult(new GsonBuilder().setPrettyPrinting()
                            .disableHtmlEscaping()
                            .serializeNulls()
                            .create()
                            .toJson(object));
        } else {
            for (SamplerName sampler : SamplerName.values()) context.terminal().printResult(line(sampler));
            context.terminal().printResult("* where no --schedule is given");
        }
        return ExitCode.SUCCESS;
    }

    private static String line(SamplerName sampler) {
        Set<ScheduleName> schedules = sampler.schedules();
        String scheduleText = schedules.stream()
                .map(schedule -> schedule.option() + (schedule == sampler.defaultSchedule() ? "*" : ""))
                .collect(Collectors.joining(" "));
        String eta = sampler.defaultEta().isPresent()
                ? String.format(Locale.ROOT, "eta %.1f", sampler.defaultEta().getAsDouble())
                : "";
        return String.format(Locale.ROOT, "%-13s %-13s %-8s %s", sampler.option(), sampler.title(), eta, scheduleText);
    }

    private static JsonObject json(SamplerName sampler) {
        JsonObject object = new JsonObject();
        object.addProperty("sampler", sampler.option());
        object.addProperty("display", sampler.title());
        JsonArray schedules = new JsonArray();
        for (ScheduleName schedule : sampler.schedules()) schedules.add(schedule.option());
        object.add("schedules", schedules);
        object.addProperty("usual", sampler.defaultSchedule().option());
        object.addProperty("eta", sampler.defaultEta().isPresent() ? sampler.defaultEta().getAsDouble() : null);
        return object;
    }
}
