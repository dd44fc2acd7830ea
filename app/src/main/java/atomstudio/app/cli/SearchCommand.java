package atomstudio.app.cli;

import atomstudio.app.experiment.SearchPlot;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.tuning.search.EvolutionarySearch;
import atomstudio.tuning.train.StructureSearch;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `studio search`: searches the structures of a GLoRA supernet.
@Command(
        name = "search",
        description = "Searches the structures of a trained GLoRA supernet for the lowest loss within a budget of "
                + "parameters (evolutionary search, without further training), and writes the adapter of the best one. "
                + "If interrupted, the same command continues.",
        footer = {
                "",
                "RUN/search gets search.csv (every structure with loss and parameters, the Pareto front marked), "
                        + "search.png (their chart), search.json (the front, the chosen structure, 20 random ones on "
                        + "other noise) and adapter.safetensors. The window shows the chart with the run.",
                "",
                "Examples:",
                "  studio train --photos my-car --class car --method glora-terms --structure supernet --validate "
                        + "--steps 400 --out runs/car-supernet",
                "  studio search runs/car-supernet --budget 20000",
                "  studio search runs/car-supernet --fitness likeness --population 20 --generations 10",
                "  studio generate --prompt \"a sks car in the snow\" --adapter "
                        + "runs/car-supernet/search/adapter.safetensors --out car.png"
        })
final class SearchCommand implements Callable<Integer> {
    private final CommandContext context;

    @Parameters(paramLabel = "RUN", description = "Folder of a run of --method glora-terms --structure supernet.")
    private Path run = Path.of("");

    @Option(names = "--budget", paramLabel = "N",
            description = "Largest number of parameters. Default: those of LoRA of the same rank on the same layers.")
    private @Nullable Long budget;

    @Option(names = "--population", paramLabel = "N", defaultValue = "" + EvolutionarySearch.Settings.POPULATION,
            description = "Structures per generation. Default: ${DEFAULT-VALUE}.")
    private int population;

    @Option(names = "--generations", paramLabel = "N", defaultValue = "" + EvolutionarySearch.Settings.GENERATIONS,
            description = "Generations. Default: ${DEFAULT-VALUE}.")
    private int generations;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "0",
            description = "Seed of the search. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(names = "--fitness", paramLabel = "NAME", defaultValue = "loss", converter = FitnessNames.class,
            completionCandidates = FitnessNames.class,
            description = "${COMPLETION-CANDIDATES}. loss: of the held-out photo at fixed noise. likeness: 1 - "
                    + "alignment * likeness gained over the base model, of four images at fixed seeds, which takes "
                    + "longer and needs a model with CLIP's image encoder. Default: ${DEFAULT-VALUE}.")
    private StructureSearch.Fitness fitness = StructureSearch.Fitness.LOSS;

    @Mixin
    private final DeviceOption device = new DeviceOption();

    @Mixin
    private final ControlOption controlOption = new ControlOption();

    @Mixin
    private final OutputOption output = new OutputOption();

    @Spec
    private CommandSpec spec;

    SearchCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws Failure {
        OptionalLong largest = budget == null ? OptionalLong.empty() : OptionalLong.of(budget);
        try {
            new EvolutionarySearch.Settings(population, generations, largest.orElse(1), seed);
        } catch (IllegalArgumentException error) {
            throw new UsageError(spec, "--" + error.getMessage());
        }
        StructureSearch.Options options = new StructureSearch.Options(population, generations, largest, seed,
                fitness);
        Optional<StructureSearch.Result> result;
        try (StopSignal.Registration registration = context.stopSignal().register()) {
            result = new StructureSearch(context.machine(device.device(context))).run(run, options,
                    controlOption.control(context), new Progress());
        }
        if (result.isEmpty()) {
            context.terminal().printNote("Stopped; the same command continues.");
            return ExitCode.CANCELLED;
        }
        PngWriter.write(result.get().folder().resolve("search.png"),
                SearchPlot.draw(result.get().evaluations(), result.get().front()), Map.of());
        output.print(context.terminal(), result.get()::json, () -> lines(result.get()));
        return ExitCode.SUCCESS;
    }

    private static List<String> lines(StructureSearch.Result result) {
        return List.of(result.adapter().toString(),
                String.format(Locale.ROOT, "%,d structures; chosen: %,d parameters of at most %,d, loss %.4f",
                        result.evaluations().size(), result.chosen().parameters(), result.settings().budget(),
                        result.chosen().loss()),
                String.format(Locale.ROOT, "on other noise or seeds: loss %.4f, median of %d random structures %.4f",
                        result.comparison().chosen(), result.comparison().random().size(),
                        result.comparison().randomMedian()));
    }

    private static final class FitnessNames extends NamedValues<StructureSearch.Fitness> {
        FitnessNames() {
            super(StructureSearch.Fitness.values(), fitness -> fitness.name().toLowerCase(Locale.ROOT));
        }
    }

    /// A line per generation, or with `--json` a line of JSON per structure, both on standard error.
    private final class Progress implements StructureSearch.Listener {
        @Override
        public void evaluated(EvolutionarySearch.Evaluation evaluation, int number, double bestLoss) {
            if (output.isJson()) {
                JsonObject line = new JsonObject();
                line.addProperty("evaluation", number);
                line.addProperty("of", population * generations);
                line.addProperty("parameters", evaluation.parameters());
                line.addProperty("loss", evaluation.loss());
                line.addProperty("best", bestLoss);
                context.terminal().printNote(line.toString());
            } else if (number % population == 0) {
                context.terminal()
                        .printNote(String.format(Locale.ROOT, "%d of %d structures, best loss %.4f", number,
                                population * generations, bestLoss));
            }
        }

        @Override
        public void note(String text) {
            context.terminal().printNote(text);
        }
    }
}
