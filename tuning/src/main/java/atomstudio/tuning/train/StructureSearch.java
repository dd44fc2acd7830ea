package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.file.Sha256;
import atomstudio.diffusion.file.StudioFolder;
import atomstudio.diffusion.json.Json;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.data.Dataset;
import atomstudio.tuning.method.GloraStructure;
import atomstudio.tuning.run.ControlPoint;
import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.RunControl;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.RunInfo;
import atomstudio.tuning.run.RunLock;
import atomstudio.tuning.search.EvolutionarySearch;
import atomstudio.tuning.search.EvolutionarySearch.Evaluation;
import atomstudio.tuning.search.SearchTable;
import atomstudio.tuning.torch.DenoisingLoss;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/// Searches the structures of a trained supernet for the one with the lowest loss within a budget of parameters, and
/// writes its adapter. Files are in the run's folder `search`: the table of all evaluations, the result, the adapter.
public final class StructureSearch {
    /// Folder of a search in its run's folder, and its files.
    public static final String FOLDER = "search";
    public static final String TABLE = "search.csv";
    private static final String RESULT = "search.json";
    private static final String FITNESS = "fitness";
    private static final String ADAPTER = "adapter.safetensors";
    private static final int RANDOM_STRUCTURES = 20;
    private static final int EVALUATIONS_PER_WRITE = 10;
    private static final List<Long> SEEDS = List.of(0L, 1L);
    private static final List<Long> CHECK_SEEDS = List.of(2L, 3L);

    private final TrainingEnvironment environment;

    public StructureSearch(TrainingEnvironment environment) {
        this.environment = environment;
    }

    /// What is minimized.
    public enum Fitness {
        /// The loss of the held-out photo at fixed timesteps and noise.
        LOSS,
        /// 1 − alignment × likeness gained over the base model, of images at fixed seeds.
        LIKENESS
    }

    /// @param budget largest number of parameters; empty: those of LoRA of the supernet's rank
    public record Options(int population, int generations, OptionalLong budget, long seed, Fitness fitness) {}

    /// What the chosen structure is compared with: random ones within the same budget, with other noise or seeds than
    /// those of the search.
    /// @param chosen loss of the chosen structure
    /// @param random losses of the random ones, sorted
    public record Comparison(double chosen, List<Double> random) {
        public double randomMedian() {
            int middle = random.size() / 2;
            return random.size() % 2 == 1 ? random.get(middle) : (random.get(middle - 1) + random.get(middle)) / 2;
        }
    }

    /// @param front fewest parameters first; the last one is the chosen structure
    public record Result(Path folder, EvolutionarySearch.Settings settings, Fitness fitness,
            List<Evaluation> evaluations, List<Evaluation> front, Comparison comparison) {
        public Path adapter() {
            return folder.resolve(ADAPTER);
        }

        public Evaluation chosen() {
            return front.getLast();
        }

        public JsonObject json() {
            JsonObject json = settingsJson(settings, fitness);
            json.addProperty("adapter", adapter().toString());
            json.addProperty("evaluations", evaluations.size());
            json.add("chosen", json(chosen()));
            JsonArray points = new JsonArray();
            front.forEach(each -> points.add(json(each)));
            json.add("front", points);
            json.addProperty("chosenLossOnOtherNoise", comparison.chosen);
            json.addProperty("medianLossOfRandomStructures", comparison.randomMedian());
            JsonArray random = new JsonArray();
            comparison.random.forEach(random::add);
            json.add("lossesOfRandomStructures", random);
            return json;
        }

        private static JsonObject json(Evaluation evaluation) {
            JsonObject json = new JsonObject();
            json.addProperty("parameters", evaluation.parameters());
            json.addProperty("loss", evaluation.loss());
            return json;
        }
    }

    /// Receives the progress.
    public interface Listener {
        /// @param number of the evaluation, from 1
        void evaluated(Evaluation evaluation, int number, double bestLoss);

        void note(String text);
    }

    /// Searches, or continues an interrupted search of the same options.
    /// @param run the folder of a supernet's run
    /// @return empty when stopped
    /// @throws Failure.Conflict if the folder has a search with other options
    public Optional<Result> run(Path run, Options options, RunControl control, Listener listener) throws Failure {
        RunFolder folder = new RunFolder(run);
        RunInfo info = folder.info();
        if (!Files.isRegularFile(folder.checkpoint()))
            throw new Failure.Unreadable(
                    folder.folder() + ": expected a trained run, found no checkpoint; resume the run first");
        DiffusionModel model = info.baseModel().model(environment.tokenizerFolders()).open();
        try (RunLock lock = RunLock.acquire(folder.folder());
                TrainingSetup setup = TrainingSetup.open(info, model, folder.startingAdapters(info), environment)) {
            Supernet supernet = Supernet.of(folder, setup);
            long budget = options.budget.orElse(supernet.space().loraParameterCount());
            EvolutionarySearch.Settings settings = new EvolutionarySearch.Settings(options.population,
                    options.generations, budget, options.seed);
            Path searchFolder = created(folder.file(FOLDER));
            requireSameSearch(searchFolder.resolve(RESULT), settingsJson(settings, options.fitness),
                    Sha256.of(folder.checkpoint()));
            ControlPoint controlPoint = new ControlPoint(control, EventSink.none());
            Search search = new Search(supernet, searchFolder, settings, options.fitness, controlPoint, listener);
            return switch (options.fitness) {
                case LOSS -> byLoss(search);
                case LIKENESS -> byLikeness(search);
            };
        }
    }

    private Optional<Result> byLoss(Search search) throws Failure {
        Supernet supernet = search.supernet;
        Optional<Dataset> heldOut = heldOut(supernet, search.controlPoint, search.listener);
        if (heldOut.isEmpty()) return Optional.empty();
        float[] parameters = supernet.setup().layout().toVector(supernet.adapter().values());
        Dataset check = new Dataset("check ", heldOut.get().examples(), heldOut.get().textConditioning(),
                heldOut.get().sampling());
        try (DenoisingLoss loss = supernet.setup().engine()
                .denoisingLoss(ComputeMode.predicted(supernet.setup().config(), supernet.setup().model())
                        .lossOptions(supernet.setup().layout(), Map.of()))) {
            return search.run(
                    structures -> OptionalDouble.of(supernet.loss(loss, heldOut.get(), parameters, structures)),
                    structures -> OptionalDouble.of(supernet.loss(loss, check, parameters, structures)));
        }
    }

    private static Optional<Result> byLikeness(Search search) throws Failure {
        Supernet supernet = search.supernet;
        ImageFitness fitness = ImageFitness.open(supernet.setup(), supernet.folder(), SEEDS,
                search.controlPoint.samplingListener());
        ImageFitness check = fitness.withSeeds(CHECK_SEEDS);
        return search.run(structures -> fitness.of(supernet.adapter(structures)),
                structures -> check.of(supernet.adapter(structures)));
    }

    /// A search in its folder.
    private record Search(Supernet supernet, Path folder, EvolutionarySearch.Settings settings, Fitness fitness,
            ControlPoint controlPoint, Listener listener) {
        /// @param loss  of structures; those in the table are not evaluated again
        /// @param check with other noise or seeds
        Optional<Result> run(EvolutionarySearch.Fitness loss, EvolutionarySearch.Fitness check) throws Failure {
            SearchTable table = new SearchTable(folder.resolve(TABLE));
            Map<List<GloraStructure>, Double> known = table.losses(supernet.space());
            List<Evaluation> evaluations = new ArrayList<>();
            double[] best = {Double.POSITIVE_INFINITY};
            Optional<List<Evaluation>> all = new EvolutionarySearch(supernet.space(), settings).run(structures -> {
                if (controlPoint.shouldStopBeforeTraining(0)) return OptionalDouble.empty();
                Double earlier = known.get(structures);
                return earlier != null ? OptionalDouble.of(earlier) : loss.loss(structures);
            }, evaluation -> {
                evaluations.add(evaluation);
                best[0] = Math.min(best[0], evaluation.loss());
                listener.evaluated(evaluation, evaluations.size(), best[0]);
                if (evaluations.size() % EVALUATIONS_PER_WRITE == 0 && evaluations.size() > known.size())
                    table.write(evaluations);
            });
            if (evaluations.size() > known.size()) table.write(evaluations);
            return all.isEmpty() ? Optional.empty() : finish(table, all.get(), check);
        }

        /// Empty when stopped.
        private Optional<Result> finish(SearchTable table, List<Evaluation> evaluations,
                EvolutionarySearch.Fitness check) throws Failure {
            table.write(evaluations);
            List<Evaluation> front = EvolutionarySearch.paretoFront(evaluations);
            List<List<GloraStructure>> compared = new ArrayList<>(List.of(front.getLast().structures()));
            compared.addAll(EvolutionarySearch.random(supernet.space(), settings.budget(), RANDOM_STRUCTURES,
                    settings.seed()));
            List<Double> values = new ArrayList<>();
            for (List<GloraStructure> structures : compared) {
                OptionalDouble value = controlPoint.shouldStopBeforeTraining(0) ? OptionalDouble.empty()
                        : check.loss(structures);
                if (value.isEmpty()) return Optional.empty();
                values.add(value.getAsDouble());
            }
            Result result = new Result(folder, settings, fitness, evaluations, front, new Comparison(values.getFirst(),
                    values.stream().skip(1).sorted().toList()));
            supernet.adapter(result.chosen().structures()).write(result.adapter());
            JsonObject json = result.json();
            json.addProperty("supernet", Sha256.of(supernet.folder().checkpoint()));
            writeJson(folder.resolve(RESULT), json);
            return Optional.of(result);
        }
    }

    /// The photo that the run held out, or, of a run without, the first one.
    private Optional<Dataset> heldOut(Supernet supernet, ControlPoint controlPoint, Listener listener)
            throws Failure {
        TrainingSetup setup = supernet.setup();
        ClassImages classImages = new ClassImages(environment, supernet.folder(), setup.info(), setup.model(),
                setup.pipeline());
        Optional<TrainingDatasets> datasets = new TrainingDatasets.DatasetBuilder(supernet.folder(), setup.info(),
                setup.datasetEncoder(), classImages).build(controlPoint, EventSink.none(), 0);
        if (datasets.isEmpty()) return Optional.empty();
        setup.releaseEncoders();
        if (datasets.get().heldOut().isPresent()) return datasets.get().heldOut();
        listener.note("The run has no held-out photo: the loss is that of its first photo. Train with validation and "
                + Validation.MIN_PHOTOS + " or more photos to hold one out.");
        return Optional.of(datasets.get().photos());
    }

    private static Path created(Path folder) throws Failure {
        try {
            StudioFolder.createDirectories(folder);
            return folder;
        } catch (IOException e) {
            throw new Failure.Unwritable(folder + ": cannot be created: " + e.getMessage(), e);
        }
    }

    private static JsonObject settingsJson(EvolutionarySearch.Settings settings, Fitness fitness) {
        JsonObject json = new JsonObject();
        json.addProperty("population", settings.population());
        json.addProperty("generations", settings.generations());
        json.addProperty("budget", settings.budget());
        json.addProperty("seed", Long.toString(settings.seed()));
        json.addProperty(FITNESS, fitness.name().toLowerCase(Locale.ROOT));
        return json;
    }

    /// Writes the options of a new search, or checks that they are those of the evaluations in the folder.
    private static void requireSameSearch(Path file, JsonObject expected, String supernet) throws Failure {
        expected.addProperty("supernet", supernet);
        if (!Files.exists(file) || !Files.exists(file.resolveSibling(TABLE))) {
            writeJson(file, expected);
            return;
        }
        JsonObject found = Json.read(file).object();
        // Files of earlier versions, which had one fitness.
        if (!found.has(FITNESS)) found.addProperty(FITNESS, Fitness.LOSS.name().toLowerCase(Locale.ROOT));
        for (String key : expected.keySet())
            if (!found.has(key) || !expected.get(key).getAsString().equals(found.get(key).getAsString()))
                throw new Failure.Conflict(file + ": expected a search with " + key + " "
                        + expected.get(key).getAsString()
                        + ", found " + found.get(key) + "; use the options of that search, or delete the folder");
    }

    private static void writeJson(Path file, JsonObject json) throws Failure {
        String text = new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create().toJson(json) + "\n";
        AtomicFile.write(file, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
    }
}
