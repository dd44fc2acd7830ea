package atomstudio.app.cli;

import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.ScheduleName;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// `studio samplers`: every sampler with its schedules.
@Command(
        name = "samplers",
        description = "Lists the samplers with their schedules and default --eta.",
        footer = {"", "Examples:", "  studio samplers", "  studio samplers --json"})
final class SamplersCommand implements Callable<Integer>, Main.RunsWithoutNatives {
    private final CommandContext context;

    @Mixin
    private OutputOption output = new OutputOption();

    SamplersCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        output.printIndented(context.terminal(), SamplersCommand::json, SamplersCommand::lines);
        return ExitCode.SUCCESS;
    }

    private static List<String> lines() {
        return Stream.concat(Stream.of(SamplerName.values()).map(SamplersCommand::line),
                Stream.of("* the sampler's default schedule")).toList();
    }

    private static String line(SamplerName sampler) {
        String schedules = sampler.schedules()
                .stream()
                .map(schedule -> schedule.option() + (schedule == sampler.defaultSchedule() ? "*" : ""))
                .collect(Collectors.joining(" "));
        String eta = sampler.defaultEta().isPresent()
                ? String.format(Locale.ROOT, "eta %.1f", sampler.defaultEta().getAsDouble())
                : "";
        return String.format(Locale.ROOT, "%-13s %-13s %-8s %s", sampler.option(), sampler.title(), eta, schedules);
    }

    private static JsonElement json() {
        JsonArray samplers = new JsonArray();
        for (SamplerName sampler : SamplerName.values()) samplers.add(json(sampler));
        JsonObject object = new JsonObject();
        object.add("samplers", samplers);
        return object;
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
