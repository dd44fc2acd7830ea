package atomstudio.tuning.export;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.method.LayerSelector;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.torch.TorchSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExtractionTest {
    private static final TorchSettings TORCH = TorchSettings.standard().withThreads(1);
    @TempDir
    static Path shared;
    @TempDir
    Path folder;
    private static DiffusionModel model;

    @BeforeAll
    static void makeModel() throws Exception {
        model = TinyModel.make(shared.resolve("model"), "sd1");
    }

    private BaseModelHashes hashes() {
        return new BaseModelHashes(folder.resolve("hashes.json"));
    }

    /// The base model with an adapter merged in, in float32.
    private DiffusionModel tuned(AdapterFile adapter, String name) throws Failure {
        Path path = folder.resolve(name);
        new MergedExport(model, List.of(new WeightedAdapter(adapter.toAdapter("", model), 1)),
                MergedExport.Precision.FLOAT32, TORCH).writeFolder(path);
        return DiffusionModel.open(path);
    }

    private AdapterFile adapter(String method, String rank) throws Failure {
        return PerturbedAdapter.of(model, hashes(),
                MethodSettings.parse(method, method.equals("atoms") ? Map.of() : Map.of("rank", rank)));
    }

    private Extraction extract(DiffusionModel tuned, Extraction.Form form) throws Failure {
        return Extraction.of(model, tuned, form, hashes(), TORCH);
    }

    private static Extraction.Form lora(int rank) {
        return new Extraction.Form.LowRank(rank, LayerSelector.parse("*,text_model.*"));
    }

    @Test
    void atomsOfAMergedModelAreFoundAgain() throws Exception {
        AdapterFile adapter = adapter("atoms", "");
        Extraction extraction = extract(tuned(adapter, "tuned"), new Extraction.Form.Atoms());
        assertEquals(1, extraction.share(), 1e-6);
        assertEquals(adapter.base().hash(), extraction.adapter().base().hash());
        for (String key : adapter.values().keySet())
            assertClose(key, adapter.values().get(key), extraction.adapter().values().get(key), 1e-3);
    }

    /// The whole of a LoRA of the same rank, less of a lower one, and a part of it as atoms.
    @Test
    void explainedShareFollowsTheRank() throws Exception {
        DiffusionModel tuned = tuned(adapter("locon", "3"), "tuned");
        Extraction whole = extract(tuned, lora(3)), part = extract(tuned, lora(1)),
                atoms = extract(tuned, new Extraction.Form.Atoms());
        assertEquals(1, whole.share(), 1e-5);
        assertTrue(part.share() > 0.3 && part.share() < 0.999, "share " + part.share());
        assertTrue(atoms.share() > 0 && atoms.share() < part.share(), "share " + atoms.share());
        Extraction again = extract(tuned(whole.adapter(), "again"), lora(3));
        assertEquals(whole.layers().size(), again.layers().size());
        for (int i = 0; i < whole.layers().size(); i++)
            assertEquals(whole.layers().get(i).squaredNorm(), again.layers().get(i).squaredNorm(),
                    1e-3 * whole.layers().get(i).squaredNorm());
    }

    @Test
    void modelThatDiffersOnlyInBiasesIsRefused() throws Exception {
        DiffusionModel tuned = tuned(PerturbedAdapter.of(model, hashes(), MethodSettings.parse("bitfit", Map.of())),
                "tuned");
        assertTrue(assertThrows(Failure.Incompatible.class, () -> extract(tuned, lora(2))).getMessage()
                .contains("found equal ones"));
    }

    @Test
    void otherArchitecturesAndEqualModelsAreRefused() throws Exception {
        DiffusionModel other = TinyModel.make(folder.resolve("other"), "sd2");
        assertTrue(assertThrows(Failure.Incompatible.class, () -> extract(other, lora(2))).getMessage()
                .contains("choose two models of one architecture"));
        assertTrue(assertThrows(Failure.Incompatible.class, () -> extract(model, new Extraction.Form.Atoms()))
                .getMessage()
                .contains("found equal ones"));
    }

    @Test
    void otherPrecisionKeepsNamesMetadataAndValues() throws Exception {
        Path source = folder.resolve("source.safetensors"), half = folder.resolve("half.safetensors");
        Tensor values = Tensor.generate(Shape.of(3, 5), i -> Math.sin(1 + 7.3 * i));
        SafetensorsWriter.write(source, Map.of("a", values), Map.of("title", "x", "sshs_model_hash", "0"));
        assertEquals(15, TensorPrecision.convert(source, half, MergedExport.Precision.HALF));
        try (SafetensorsFile file = SafetensorsFile.open(half)) {
            assertEquals(Map.of("title", "x"), file.metadata());
            assertEquals("F16", file.info("a").dtype().toString());
            assertClose("a", values, file.read("a"), 5e-4);
        }
        values.data()[2] = Float.NaN;
        SafetensorsWriter.write(source, Map.of("a", values), Map.of());
        Path gone = folder.resolve("gone.safetensors");
        assertTrue(assertThrows(Failure.Unreadable.class,
                () -> TensorPrecision.convert(source, gone, MergedExport.Precision.HALF)).getMessage().contains("NaN"));
        values.data()[2] = 1e5f;
        SafetensorsWriter.write(source, Map.of("a", values), Map.of());
        assertTrue(assertThrows(Failure.Incompatible.class,
                () -> TensorPrecision.convert(source, gone, MergedExport.Precision.HALF)).getMessage()
                .contains("too large for half precision"));
        assertFalse(Files.exists(gone));
    }
}
