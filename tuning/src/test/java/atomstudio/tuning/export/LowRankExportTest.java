package atomstudio.tuning.export;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.AdapterSource;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.export.LowRankExport.Budget;
import atomstudio.tuning.export.LowRankExport.Plan;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.torch.AdapterDeltas;
import atomstudio.tuning.torch.TorchSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LowRankExportTest {
    private static final TorchSettings TORCH = TorchSettings.standard().withThreads(1);
    @TempDir
    static Path shared;
    @TempDir
    Path folder;
    private static DiffusionModel model;
    private static BaseModelHashes hashes;

    @BeforeAll
    static void make() throws Exception {
        model = TinyModel.make(shared.resolve("model"), "sd1");
        hashes = new BaseModelHashes(shared.resolve("hashes.json"));
    }

    private static AdapterFile adapter(MethodName method) throws Failure {
        return PerturbedAdapter.of(model, hashes, MethodSettings.of(method));
    }

    private static LowRankExport export(AdapterFile adapter, Budget budget) throws Failure {
        return LowRankExport.of(adapter, new ExportBaseModel(ModelReference.of(model.path()), hashes, TORCH), budget);
    }

    /// The relative difference of the weight changes of two adapters, over the layers of the first.
    private static double error(Adapter exact, Adapter approximate) throws Failure {
        double difference = 0, norm = 0;
        try (AdapterDeltas expected = AdapterDeltas.open(model, exact, TORCH);
                AdapterDeltas found = AdapterDeltas.open(model, approximate, TORCH)) {
            for (Layer layer : expected.layers()) {
                Tensor delta = expected.delta(layer).weight();
                Tensor written = found.layers().contains(layer) ? found.delta(layer).weight()
                        : Tensor.zeros(delta.shape());
                difference += Tensor.add(delta, -1, written).squaredNorm();
                norm += delta.squaredNorm();
            }
        }
        return Math.sqrt(difference / norm);
    }

    @ParameterizedTest
    @EnumSource(value = MethodName.class, names = {"ATOMS", "CHANNELS", "DORA", "OFT", "LOKR"})
    void theErrorIsKnownBeforeWriting(MethodName method) throws Exception {
        AdapterFile ours = adapter(method);
        Budget budget = new Budget.Rank(3);
        LowRankExport export = export(ours, budget);
        Plan plan = export.plan(budget);
        Path file = folder.resolve("locon.safetensors");
        export.write(plan, file);
        Adapter read = AdapterSource.read(file).getFirst().source().toAdapter("read", model);
        double measured = error(ours.toAdapter("ours", model), read);
        assertTrue(plan.error() > 1e-3, plan.text());
        assertEquals(plan.error(), measured, 0.01 * plan.error() + 1e-3, plan.text());
    }

    @Test
    void fullRankIsExact() throws Exception {
        AdapterFile ours = adapter(MethodName.ATOMS);
        Budget budget = new Budget.Rank(LowRankExport.MAX_RANK);
        LowRankExport export = export(ours, budget);
        Path file = folder.resolve("locon.safetensors");
        assertTrue(export.plan(budget).error() < 1e-3, export.plan(budget).text());
        assertTrue(export.write(export.plan(budget), file).omitted().isEmpty());
        Adapter read = AdapterSource.read(file).getFirst().source().toAdapter("read", model);
        assertTrue(error(ours.toAdapter("ours", model), read) < 2e-3);
    }

    @Test
    void budgetsAreKeptAndSharedBetterThanEqualRanks() throws Exception {
        AdapterFile ours = adapter(MethodName.ATOMS);
        LowRankExport export = export(ours, new Budget.Error(0.5));
        Plan equal = export(ours, new Budget.Rank(4)).plan(new Budget.Rank(4));
        Plan size = export.plan(new Budget.Size(equal.bytes()));
        assertTrue(size.bytes() <= equal.bytes() && size.error() < equal.error(), size.text() + ", " + equal.text());
        Plan half = export.plan(new Budget.Error(0.5)), tenth = export.plan(new Budget.Error(0.1));
        assertTrue(half.error() <= 0.5 && tenth.error() <= 0.1 && half.bytes() < tenth.bytes(), tenth.text());
        assertTrue(half.advice().isPresent());
        assertTrue(tenth.advice().isEmpty());
        Path file = folder.resolve("locon.safetensors");
        export.write(size, file);
        try (SafetensorsFile written = SafetensorsFile.open(file)) {
            long factors = written.tensors().keySet().stream().filter(key -> key.endsWith("lora_up.weight")).count();
            // The marker by which InvokeAI knows the family is one more.
            assertEquals(size.ranks().stream().filter(rank -> rank > 0).count() + 1, factors);
            for (String key : written.tensors().keySet())
                if (key.endsWith(".lora_up.weight"))
                    assertEquals(written.info(key).shape().size(1),
                            written.read(key.replace(".lora_up.weight", ".alpha")).data()[0], key);
            assertEquals("networks.lora", written.metadata().get("ss_network_module"));
        }
    }

    @Test
    void refusesBudgetsThatCannotBeKeptAndAdaptersWithoutWeightChanges() throws Exception {
        AdapterFile ours = adapter(MethodName.ATOMS);
        LowRankExport narrow = export(ours, new Budget.Rank(1));
        assertThrows(Failure.Incompatible.class, () -> narrow.plan(new Budget.Error(1e-3)));
        assertThrows(Failure.Incompatible.class, () -> narrow.plan(new Budget.Size(10)));
        assertThrows(Failure.Incompatible.class, () -> export(adapter(MethodName.BITFIT), new Budget.Rank(1)));
        for (double error : new double[] {0, 1, Double.NaN})
            assertThrows(IllegalArgumentException.class, () -> new Budget.Error(error));
        assertThrows(IllegalArgumentException.class, () -> new Budget.Rank(0));
        try (var files = Files.list(folder)) {
            assertFalse(files.findAny().isPresent());
        }
    }
}
