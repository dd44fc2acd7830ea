package atomstudio.tuning.adapter;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.export.ExportBaseModel;
import atomstudio.tuning.export.PerturbedAdapter;
import atomstudio.tuning.export.SummedDifferences;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.torch.AdapterDeltas;
import atomstudio.tuning.torch.TorchSettings;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AdapterSumTest {
    @TempDir
    static Path shared;
    private static DiffusionModel model;

    @BeforeAll
    static void makeModel() throws Exception {
        model = TinyModel.make(shared.resolve("model"), "sd1");
    }

    private static AdapterFile adapter(String method, Map<String, String> settings, double scale) throws Failure {
        AdapterFile made = PerturbedAdapter.of(model, new BaseModelHashes(shared.resolve("hashes.json")),
                MethodSettings.parse(method, settings));
        Map<String, Tensor> values = new TreeMap<>(made.values());
        values.replaceAll((key, value) -> key.endsWith(".D") || key.endsWith(".check") ? value : value.scaled(scale));
        return new AdapterFile(made.method(), made.base(), made.trigger(), made.training(), made.layers(), values);
    }

    private static Map<String, Tensor> deltas(AdapterFile adapter) throws Failure {
        Map<String, Tensor> found = new TreeMap<>();
        try (AdapterDeltas deltas = AdapterDeltas.open(model, adapter.toAdapter("", model),
                TorchSettings.standard().withThreads(1))) {
            for (Layer layer : deltas.layers()) {
                found.put(layer.weightKey(), deltas.delta(layer).weight());
                Tensor bias = deltas.delta(layer).bias();
                if (bias != null) found.put(layer.biasKey(), bias);
            }
        }
        return found;
    }

    private static void assertSum(AdapterFile merged, AdapterFile first, double weight, AdapterFile second,
            double otherWeight) throws Failure {
        Map<String, Tensor> expected = new TreeMap<>();
        deltas(first).forEach((key, delta) -> expected.put(key, delta.scaled(weight)));
        deltas(second).forEach((key, delta) -> expected.merge(key, delta.scaled(otherWeight),
                (one, other) -> one.zip(other, Double::sum)));
        Map<String, Tensor> found = deltas(merged);
        assertEquals(expected.keySet(), found.keySet());
        for (String key : expected.keySet()) assertClose(key, expected.get(key), found.get(key), 1e-4);
    }

    private static AdapterFile sum(AdapterFile first, double weight, AdapterFile second, double otherWeight)
            throws Failure {
        return new AdapterSum(List.of(new AdapterSum.Term("first", first, weight),
                new AdapterSum.Term("second", second, otherWeight))).sum(model);
    }

    @ParameterizedTest @ValueSource(strings = {"atoms", "channels", "atoms+channels", "full", "norm", "bitfit"})
    void sumOfOneKindIsTheSumOfTheChanges(String method) throws Exception {
        AdapterFile first = adapter(method, Map.of(), 1), second = adapter(method, Map.of(), 0.3);
        assertSum(sum(first, 0.7, second, -0.5), first, 0.7, second, -0.5);
    }

    @Test
    void fewerAtomsOfOneBaseAreAdded() throws Exception {
        AdapterFile first = adapter("atoms", Map.of("atoms", "4"), 1), second = adapter("atoms", Map.of("atoms", "4"),
                -1.3);
        assertSum(sum(first, 1, second, 0.5), first, 1, second, 0.5);
    }

    /// Ranks, alphas and layers may differ.
    @Test
    void ranksOfLoraAreConcatenated() throws Exception {
        AdapterFile first = adapter("lora", Map.of("rank", "2", "alpha", "3"), 1),
                second = adapter("locon", Map.of("rank", "3", "rank-pattern", "up_blocks.*=1"), 0.8);
        AdapterFile merged = sum(first, 0.7, second, -0.5);
        assertSum(merged, first, 0.7, second, -0.5);
        assertEquals("locon", merged.method().name());
        Path file = shared.resolve("merged.safetensors");
        merged.write(file);
        assertSum(AdapterFile.read(file), first, 0.7, second, -0.5);
    }

    @Test
    void otherKindsAreRefusedByName() throws Exception {
        AdapterFile atoms = adapter("atoms", Map.of(), 1), lora = adapter("lora", Map.of(), 1),
                loha = adapter("loha", Map.of(), 1);
        assertTrue(refusal(atoms, lora).contains("second: expected method atoms"), refusal(atoms, lora));
        assertTrue(refusal(loha, loha).contains("method loha: the sum of two such adapters is none"));
        AdapterFile four = adapter("atoms", Map.of("atoms", "4"), 1), otherBase = adapter("atoms",
                Map.of("atoms", "4"), 1);
        Map<String, Tensor> values = new TreeMap<>(otherBase.values());
        values.replaceAll((key, value) -> key.endsWith(".D") ? value.scaled(1.1) : value);
        AdapterFile changed = new AdapterFile(four.method(), four.base(), four.trigger(), four.training(),
                four.layers(), values);
        assertTrue(refusal(four, changed).contains("the atoms were made from other weights"));
    }

    private static String refusal(AdapterFile first, AdapterFile second) {
        return String.valueOf(assertThrows(Failure.Incompatible.class, () -> sum(first, 1, second, 1)).getMessage());
    }

    @Test
    void sumsOfOtherKindsAreDifferences() throws Exception {
        AdapterFile first = adapter("loha", Map.of(), 1), second = adapter("lokr", Map.of(), 0.8);
        AdapterSum sum = new AdapterSum(
                List.of(new AdapterSum.Term("a", first, 0.7), new AdapterSum.Term("b", second, -0.5)));
        assertTrue(sum.obstacle().isPresent());
        AdapterFile merged = SummedDifferences.of(sum,
                new ExportBaseModel(ModelReference.of(model.path()),
                        new BaseModelHashes(shared.resolve("hashes.json")), TorchSettings.standard().withThreads(1)));
        Map<String, Tensor> expected = new TreeMap<>(), found = deltas(merged);
        deltas(first).forEach((key, delta) -> expected.put(key, delta.scaled(0.7)));
        deltas(second).forEach((key, delta) -> expected.merge(key, delta.scaled(-0.5),
                (one, other) -> one.zip(other, Double::sum)));
        for (String key : expected.keySet()) assertClose(key, expected.get(key), found.get(key), 1e-4);
        for (String key : found.keySet())
            assertTrue(expected.containsKey(key) || found.get(key).squaredNorm() == 0, key);
    }

    @Test
    void wordsAreLeftOutWithANote() throws Exception {
        AdapterFile first = adapter("atoms+word", Map.of(), 1), second = adapter("atoms", Map.of(), 1);
        assertEquals("atoms", sum(first, 1, second, 1).method().name());
        AdapterSum sum = new AdapterSum(
                List.of(new AdapterSum.Term("a", first, 1), new AdapterSum.Term("b", second, 1)));
        assertTrue(sum.warnings().getFirst().contains("a: its word \"sks\""), sum.warnings().toString());
    }
}
