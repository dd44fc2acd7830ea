package atomstudio.tuning.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.config.TrainingRequest;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.RunControl;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.search.EvolutionarySearch;
import atomstudio.tuning.search.SearchTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Supernet, search, adapter.
class StructureSearchTest {
    private static final StructureSearch.Options OPTIONS = new StructureSearch.Options(8, 4, OptionalLong.empty(), 1,
            StructureSearch.Fitness.LOSS);
    private static final int EVALUATIONS = 32;
    private static final List<String> FILES = List.of("search.csv", "search.json", "adapter.safetensors");
    @TempDir
    static Path shared;
    private static DiffusionModel model;
    private static Path run;

    @BeforeAll
    static void train() throws Exception {
        model = TinyModel.make(shared.resolve("model"), "sd1");
        Path photos = Files.createDirectory(shared.resolve("subject"));
        for (int i = 0; i < 5; i++)
            PngWriter.write(photos.resolve("picture" + i + ".png"), RunTest.photo(i), Map.of());
        MethodSettings supernet = MethodSettings.of(MethodName.GLORA_TERMS)
                .with(MethodSetting.STRUCTURE, "supernet")
                .with(MethodSetting.LAYERS, "attention,conv3x3")
                .with(MethodSetting.RANK, "2");
        TrainingRequest request = TrainingRequest.of(model.path(), photos, "thing", supernet);
        run = train(request.with(request.config().with(TrainingSetting.VALIDATE, true)), "run", 12);
    }

    private static Path train(TrainingRequest request, String name, int steps) throws Exception {
        Path folder = shared.resolve(name);
        assertInstanceOf(TrainingService.TrainingOutcome.Finished.class, new TrainingService(environment())
                .run(request.withToken("qx").withSteps(steps).withLearningRate(1e-2), folder, RunControl.none(),
                        EventSink.none()));
        return folder;
    }

    private static TrainingEnvironment environment() throws Exception {
        return new TrainingEnvironment(Device.CPU, 1, RunTest.home());
    }

    /// @param stopAfter evaluations
    private static Optional<StructureSearch.Result> search(StructureSearch.Options options, int stopAfter)
            throws Exception {
        int[] count = {0};
        return new StructureSearch(environment()).run(run, options,
                () -> count[0] >= stopAfter ? RunControl.RunCommand.STOP : RunControl.RunCommand.CONTINUE,
                new StructureSearch.Listener() {
                    @Override
                    public void evaluated(EvolutionarySearch.Evaluation evaluation, int number, double bestLoss) {
                        count[0]++;
                        assertTrue(bestLoss <= evaluation.loss());
                    }

                    @Override
                    public void note(String text) {
                        throw new AssertionError(text);
                    }
                });
    }

    @Test
    void theChosenStructureIsAnOrdinaryAdapterAndInterruptionsChangeNothing() throws Exception {
        Path folder = run.resolve("search");
        assertTrue(search(OPTIONS, 13).isEmpty());
        assertTrue(search(OPTIONS, 21).isEmpty());
        StructureSearch.Result result = search(OPTIONS, Integer.MAX_VALUE).orElseThrow();
        byte[] table = Files.readAllBytes(folder.resolve("search.csv")), adapterBytes = Files
                .readAllBytes(result.adapter());
        assertEquals(EVALUATIONS, result.evaluations().size());
        assertEquals(20, result.comparison().random().size());
        assertTrue(result.chosen().parameters() <= result.settings().budget());

        AdapterFile adapter = AdapterFile.read(result.adapter());
        adapter.requireFits(model);
        assertEquals(result.chosen().parameters(), adapter.parameterCount());
        ParameterLayout layout = ParameterLayout.of(adapter.method().method(), model.trainableLayers());
        assertEquals(result.chosen().parameters(), layout.size());
        assertEquals(MethodName.GLORA_TERMS, adapter.method().choice());
        assertFalse(adapter.method().value(MethodSetting.STRUCTURE).equals("supernet"));

        List<SearchTable.Point> points = new SearchTable(folder.resolve("search.csv")).points();
        assertEquals(EVALUATIONS, points.size());
        assertEquals(result.front().size(), points.stream().filter(SearchTable.Point::isOnFront).count());
        assertEquals(List.of(new SearchTable.Point(result.chosen().parameters(), result.chosen().loss(), true, true)),
                points.stream().filter(SearchTable.Point::isChosen).toList());

        String conflict = assertThrows(Failure.Conflict.class,
                () -> search(new StructureSearch.Options(8, 5, OptionalLong.empty(), 1,
                        StructureSearch.Fitness.LOSS), 0))
                .getMessage();
        assertTrue(conflict.contains("generations 5"), conflict);

        for (String name : FILES) Files.delete(folder.resolve(name));
        search(OPTIONS, Integer.MAX_VALUE).orElseThrow();
        assertArrayEquals(table, Files.readAllBytes(folder.resolve("search.csv")));
        assertArrayEquals(adapterBytes, Files.readAllBytes(folder.resolve("adapter.safetensors")));
        assertEquals(33, Files.readAllLines(folder.resolve("search.csv")).size());
    }

    /// Killed before the table is first written, between two writes, and in the comparison with random structures. The
    /// state between the last two files, adapter and result, is made by hand.
    @Test
    void aSearchKilledInAnyStageEndsWithEqualBytes() throws Exception {
        Path folder = Files.createDirectories(run.resolve("search"));
        for (String name : FILES) Files.deleteIfExists(folder.resolve(name));
        search(OPTIONS, Integer.MAX_VALUE).orElseThrow();
        List<byte[]> expected = bytes(folder);
        for (String name : FILES) Files.delete(folder.resolve(name));

        kill(3, 0);
        byte[] started = Files.readAllBytes(folder.resolve("search.json"));
        assertFalse(Files.exists(folder.resolve("search.csv")));
        kill(24, 0);
        assertEquals(21, Files.readAllLines(folder.resolve("search.csv")).size());
        kill(EVALUATIONS, 5);
        assertFalse(Files.exists(folder.resolve("adapter.safetensors")));
        search(OPTIONS, Integer.MAX_VALUE).orElseThrow();
        for (int i = 0; i < FILES.size(); i++) assertArrayEquals(expected.get(i), bytes(folder).get(i), FILES.get(i));

        Files.write(folder.resolve("search.json"), started);
        search(OPTIONS, Integer.MAX_VALUE).orElseThrow();
        for (int i = 0; i < FILES.size(); i++) assertArrayEquals(expected.get(i), bytes(folder).get(i), FILES.get(i));
    }

    private static List<byte[]> bytes(Path folder) throws Exception {
        List<byte[]> bytes = new ArrayList<>();
        for (String name : FILES) bytes.add(Files.readAllBytes(folder.resolve(name)));
        return bytes;
    }

    /// Searches in a process that ends without cleanup, as by `kill -9`.
    /// @param evaluations of the search before
    /// @param comparisons with random structures before
    private static void kill(int evaluations, int comparisons) throws Exception {
        Path log = shared.resolve("killed.log");
        int code = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
                Killed.class.getName(), run.toString(), Integer.toString(evaluations), Integer.toString(comparisons))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start()
                .waitFor();
        assertEquals(Killed.EXIT_CODE, code, () -> {
            try {
                return Files.readString(log);
            } catch (IOException e) {
                return e.toString();
            }
        });
    }

    /// The process that is killed.
    public static final class Killed {
        private static final int EXIT_CODE = 137;

        private Killed() {}

        public static void main(String[] arguments) throws Exception {
            int evaluations = Integer.parseInt(arguments[1]), comparisons = Integer.parseInt(arguments[2]);
            int[] evaluated = {0}, compared = {0};
            new StructureSearch(environment()).run(Path.of(arguments[0]), OPTIONS, () -> {
                if (evaluated[0] == evaluations && compared[0]++ == comparisons) Runtime.getRuntime().halt(EXIT_CODE);
                return RunControl.RunCommand.CONTINUE;
            }, new StructureSearch.Listener() {
                @Override
                public void evaluated(EvolutionarySearch.Evaluation evaluation, int number, double bestLoss) {
                    evaluated[0] = number;
                }

                @Override
                public void note(String text) {}
            });
        }
    }

    @Test
    void theFitnessByLikenessNeedsClipEncodersAndIsPartOfTheSearch() throws Exception {
        StructureSearch.Options likeness = new StructureSearch.Options(8, 4, OptionalLong.of(5000), 2,
                StructureSearch.Fitness.LIKENESS);
        Path folder = Files.createDirectories(run.resolve("search"));
        for (String name : FILES) Files.deleteIfExists(folder.resolve(name));
        String message = assertThrows(Failure.Incompatible.class, () -> search(likeness, 0)).getMessage();
        assertTrue(message.contains("needs a model with CLIP's image and text encoders"), message);
        assertTrue(search(OPTIONS, 0).isEmpty(), "a search without evaluations can be replaced");
        assertTrue(search(OPTIONS, 10).isEmpty());
        String conflict = assertThrows(Failure.Conflict.class, () -> search(new StructureSearch.Options(8, 4,
                OptionalLong.empty(), 1, StructureSearch.Fitness.LIKENESS), 0)).getMessage();
        assertTrue(conflict.contains("fitness likeness, found \"loss\""), conflict);
    }

    /// Each step trains a structure of its own, and a killed run continues with the same ones.
    @Test
    void supernetRunsResumeExactly() throws Exception {
        RunFolder whole = new RunFolder(run);
        TrainingRequest request = TrainingRequest.of(model.path(), shared.resolve("subject"), "thing",
                whole.info().method());
        request = request.with(request.config().with(TrainingSetting.VALIDATE, true));
        Path parts = train(request, "parts", 5);
        train(request, "parts", 12);
        assertTrue(Arrays.equals(vector(whole), vector(new RunFolder(parts))));
    }

    private static float[] vector(RunFolder folder) throws Exception {
        AdapterFile adapter = AdapterFile.read(folder.checkpoint());
        return ParameterLayout.of(adapter.method().method(), model.trainableLayers()).toVector(adapter.values());
    }

    @Test
    void otherRunsAreRejected() throws Exception {
        Path lora = train(TrainingRequest.of(model.path(), shared.resolve("subject"), "thing",
                MethodSettings.of(MethodName.LORA)), "lora", 1);
        String message = assertThrows(Failure.Incompatible.class,
                () -> new StructureSearch(environment()).run(lora, OPTIONS, RunControl.none(), null)).getMessage();
        assertTrue(message.contains("expected a run of a supernet, found method lora"), message);
        assertThrows(Failure.Unreadable.class,
                () -> new StructureSearch(environment()).run(shared, OPTIONS, RunControl.none(), null));
    }
}
