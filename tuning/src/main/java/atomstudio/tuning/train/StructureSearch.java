package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.file.Sha256;
import atomstudio.diffusion.file.StudioFolder;
import atomstudio.diffusion.json.Json;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdaptedLayer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.data.Dataset;
import atomstudio.tuning.method.GloraPattern;
import atomstudio.tuning.method.GloraStructure;
import atomstudio.tuning.method.GloraSupernet;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.RestrictedMethod;
import atomstudio.tuning.run.ControlPoint;
import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.RunControl;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.RunInfo;
import atomstudio.tuning.run.RunLock;
import atomstudio.tuning.search.EvolutionarySearch;
import atomstudio.tuning.search.EvolutionarySearch.Evaluation;
import atomstudio.tuning.search.SearchTable;
import atomstudio.tuning.search.StructureSpace;
import atomstudio.tuning.torch.DenoisingLoss;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/// Searches the structures of a trained supernet for the one with the lowest loss within a budget of parameters, and
/// writes its adapter. The loss is that of the held-out photo at fixed timesteps and noise. Files are in the run's
/// folder `search`: the table of all evaluations, the result, the adapter.
public final class StructureSearch {
    private static final String ADAPTER = "adapter.safetensors";
    private static final int RANDOM_STRUCTURES = 20;
    private static final int EVALUATIONS_PER_WRITE = 10;

    private final TrainingEnvironment environment;

    public StructureSearch(TrainingEnvironment environment) {
        this.environment = environment;
    }

    /// @param budget largest number of parameters; empty: those of LoRA of the supernet's rank
    public record Options(int population, int generations, OptionalLong budget, long seed) {}

    /// What the chosen structure is compared with: random ones within the same budget, on other noise than that of the
    /// search.
    /// @param chosen loss of the chosen structure
    /// @param random losses of the random ones, sorted
    public record Comparison(double chosen, List<Double> random) {
        public double randomMedian() {
            int middle = random.size() / 2;
            return random.size() % 2 == 1 ? random.get(middle) : (random.get(middle - 1) + random.get(middle)) / 2;
        }
    }

    /// @param front fewest parameters first; the last one is the chosen structure
    public record Result(Path folder, EvolutionarySearch.Settings settings, List<Evaluation> evaluations,
            List<Evaluation> front, Comparison comparison) {
        public Path adapter() {
            return folder.resolve(ADAPTER);
        }

        public Evaluation chosen() {
            return front.getLast();
        }

        public JsonObject json() {
            JsonObject json = settingsJson(settings);
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

    /// A supernet that is open for evaluation.
    private record Supernet(RunFolder folder, TrainingSetup setup, RestrictedMethod method, AdapterFile adapter,
            StructureSpace space) {
        static Supernet of(RunFolder folder, TrainingSetup setup) throws Failure {
            if (!(setup.layout().method() instanceof RestrictedMethod restricted)
                    || !(restricted.method() instanceof GloraSupernet supernet))
                throw new Failure.Incompatible(folder.folder() + ": expected a run of a supernet, found method "
                        + setup.info().method().combinedName()
                        + "; train one by the method glora-terms with the structure "
                        + "\"supernet\"");
            AdapterFile adapter = AdapterFile.read(folder.checkpoint());
            List<Layer> layers = setup.layers().stream().filter(restricted::tunes).toList();
            return new Supernet(folder, setup, restricted, adapter, new StructureSpace(layers, supernet.rank()));
        }

        GloraSupernet supernet() {
            return (GloraSupernet) method.method();
        }

        double loss(DenoisingLoss loss, Dataset heldOut, float[] parameters, List<GloraStructure> structures)
                throws Failure {
            RestrictedMethod sampled = new RestrictedMethod(supernet().with(space.byLayer(structures)),
                    method.layers());
            return new Validation.HeldOut(heldOut, (point, batch) -> loss.loss(point, batch, sampled))
                    .evaluate(parameters, Optional.empty());
        }

        /// The structures with their part of the parameters.
        AdapterFile adapter(List<GloraStructure> structures) {
            Map<String, GloraStructure> byLayer = space.byLayer(structures);
            MethodSettings settings = adapter.method()
                    .with(MethodSetting.STRUCTURE, GloraPattern.of(byLayer).toString());
            Map<String, Tensor> values = new HashMap<>();
            for (Layer layer : space.layers())
                supernet().extracted(layer, byLayer.get(layer.name()),
                        parameter -> adapter.values().get(layer.name() + "." + parameter))
                        .forEach((parameter, value) -> values.put(layer.name() + "." + parameter, value));
            return new AdapterFile(settings, adapter.base(), adapter.trigger(), adapter.training(),
                    AdaptedLayer.of(settings.method(), setup.layers()), values);
        }
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
            long budget = options.budget.orElse(supernet.space.loraParameterCount());
            EvolutionarySearch.Settings settings = new EvolutionarySearch.Settings(options.population,
                    options.generations, budget, options.seed);
            Path searchFolder = created(folder.file("search"));
            requireSameSearch(searchFolder.resolve("search.json"), settings,
                    Sha256.of(folder.checkpoint()));
            ControlPoint controlPoint = new ControlPoint(control, EventSink.none());
            Optional<Dataset> heldOut = heldOut(supernet, controlPoint, listener);
            if (heldOut.isEmpty()) return Optional.empty();
            try (DenoisingLoss loss = setup.engine()
                    .denoisingLoss(
                            ComputeMode.predicted(setup.config(), model).lossOptions(setup.layout(), Map.of()))) {
                return search(supernet, loss, heldOut.get(), searchFolder, settings, controlPoint, listener);
            }
        }
    }

    private static Optional<Result> search(Supernet supernet, DenoisingLoss loss, Dataset heldOut, Path folder,
            EvolutionarySearch.Settings settings, ControlPoint controlPoint, Listener listener) throws Failure {
        float[] parameters = supernet.setup.layout().toVector(supernet.adapter.values());
        SearchTable table = new SearchTable(folder.resolve("search.csv"));
        Map<List<GloraStructure>, Double> known = table.losses(supernet.space);
        List<Evaluation> evaluations = new ArrayList<>();
        double[] best = {Double.POSITIVE_INFINITY};
        Optional<List<Evaluation>> all = new EvolutionarySearch(supernet.space, settings).run(structures -> {
            if (controlPoint.shouldStopBeforeTraining(0)) return OptionalDouble.empty();
            Double earlier = known.get(structures);
            return OptionalDouble.of(earlier != null ? earlier : supernet.loss(loss, heldOut, parameters, structures));
        }, evaluation -> {
            evaluations.add(evaluation);
            best[0] = Math.min(best[0], evaluation.loss());
            listener.evaluated(evaluation, evaluations.size(), best[0]);
            if (evaluations.size() % EVALUATIONS_PER_WRITE == 0 && evaluations.size() > known.size())
                table.write(evaluations);
        });
        if (evaluations.size() > known.size()) table.write(evaluations);
        if (all.isEmpty()) return Optional.empty();
        return Optional.of(finish(supernet, folder, settings, all.get(), structures -> supernet.loss(loss,
                new Dataset("check ", heldOut.examples(), heldOut.textConditioning(), heldOut.sampling()), parameters,
                structures)));
    }

    @FunctionalInterface
    private interface StructureLoss {
        double of(List<GloraStructure> structures) throws Failure;
    }

    private static Result finish(Supernet supernet, Path folder, EvolutionarySearch.Settings settings,
            List<Evaluation> evaluations, StructureLoss check) throws Failure {
        new SearchTable(folder.resolve("search.csv")).write(evaluations);
        List<Evaluation> front = EvolutionarySearch.paretoFront(evaluations);
        List<Double> random = new ArrayList<>();
        for (List<GloraStructure> structures : EvolutionarySearch.random(supernet.space, settings.budget(),
                RANDOM_STRUCTURES, settings.seed()))
            random.add(check.of(structures));
        Comparison comparison = new Comparison(check.of(front.getLast().structures()),
                random.stream().sorted().toList());
        Result result = new Result(folder, settings, evaluations, front, comparison);
        supernet.adapter(result.chosen().structures()).write(result.adapter());
        JsonObject json = result.json();
        json.addProperty("supernet", Sha256.of(supernet.folder.checkpoint()));
        writeJson(folder.resolve("search.json"), json);
        return result;
    }

    /// The photo that the run held out, or, of a run without, the first one.
    private Optional<Dataset> heldOut(Supernet supernet, ControlPoint controlPoint, Listener listener)
            throws Failure {
        TrainingSetup setup = supernet.setup;
        ClassImages classImages = new ClassImages(environment, supernet.folder, setup.info(), setup.model(),
                setup.pipeline());
        Optional<TrainingDatasets> datasets = new TrainingDatasets.DatasetBuilder(supernet.folder, setup.info(),
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

    private static JsonObject settingsJson(EvolutionarySearch.Settings settings) {
        JsonObject json = new JsonObject();
        json.addProperty("population", settings.population());
        json.addProperty("generations", settings.generations());
        json.addProperty("budget", settings.budget());
        json.addProperty("seed", Long.toString(settings.seed()));
        return json;
    }

    /// Writes the options of a new search, or checks that they are those of the search in the folder.
    private static void requireSameSearch(Path file, EvolutionarySearch.Settings settings, String supernet)
            throws Failure {
        JsonObject expected = settingsJson(settings);
        expected.addProperty("supernet", supernet);
        if (!Files.exists(file)) {
            writeJson(file, expected);
            return;
        }
        JsonObject found = Json.read(file).object();
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
