package atomstudio.tuning.adapter;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.export.ExportBaseModel;
import atomstudio.tuning.export.ExportFormat;
import atomstudio.tuning.export.PerturbedAdapter;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.torch.AdapterDeltas;
import atomstudio.tuning.torch.TorchSettings;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Adapters of other programs as parameters of our methods.
class TrainableAdapterTest {
    private static final Path GOLDENS = Path.of("src/test/resources/goldens/foreign");
    private static final String LINEAR = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q";
    @TempDir
    Path folder;
    private static DiffusionModel model;

    @BeforeAll
    static void openModel() throws Exception {
        model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
    }

    static Map<String, Tensor> deltas(AdapterSource source) throws Failure {
        Map<String, Tensor> found = new TreeMap<>();
        try (AdapterDeltas deltas = AdapterDeltas.open(model, source.toAdapter("", model),
                TorchSettings.standard().withThreads(1))) {
            for (Layer layer : deltas.layers()) {
                found.put(layer.weightKey(), deltas.delta(layer).weight());
                Tensor bias = deltas.delta(layer).bias();
                if (bias != null) found.put(layer.biasKey(), bias);
            }
        }
        found.values().removeIf(delta -> delta.squaredNorm() == 0);
        return found;
    }

    @ParameterizedTest
    @CsvSource({"kohya.safetensors,lora", "te1.safetensors,locon", "peft.safetensors,locon", "old.safetensors,lora",
            "folder-lora/adapter_model.safetensors,lora", "folder-loha/adapter_model.safetensors,loha",
            "unprefixed.safetensors,lora", "header.safetensors,lora", "diffusers-dora.safetensors,dora",
            "peft-dora/adapter_model.safetensors,dora", "lycoris-glora.safetensors,glora"})
    void filesOfOtherLibrariesHaveTheSameWeightChangeAsOurMethod(String file, String method) throws Exception {
        Path path = GOLDENS.resolve(file);
        AdapterFile ours = TrainableAdapter.read(path, model);
        assertEquals(method, ours.method().name());
        Map<String, Tensor> expected = deltas(AdapterSource.read(path).getFirst().source()), found = deltas(ours);
        assertEquals(expected.keySet(), found.keySet());
        for (String key : expected.keySet()) assertClose(key, expected.get(key), found.get(key), 1e-5);
    }

    /// The kinds that LyCORIS' files hold as they were trained.
    @ParameterizedTest
    @CsvSource({"DORA,", "GLORA,", "OFT,side=output;block-size=4", "OFT,side=output;block-size=1/4"})
    void exportedFilesGiveBackTheMethodAndItsChange(MethodName method, String settings) throws Exception {
        Map<String, String> chosen = new HashMap<>();
        if (settings != null)
            for (String setting : settings.split(";")) chosen.put(setting.split("=")[0], setting.split("=", 2)[1]);
        BaseModelHashes hashes = new BaseModelHashes(folder.resolve("hashes.json"));
        AdapterFile adapter = PerturbedAdapter.of(model, hashes, MethodSettings.parse(method.option(), chosen));
        Path file = folder.resolve("exported.safetensors");
        ExportFormat.KOHYA.write(adapter, new ExportBaseModel(ModelReference.of(model.path()), hashes,
                TorchSettings.standard().withThreads(1)), file);
        AdapterFile read = TrainableAdapter.read(file, model);
        assertEquals(method, read.method().choice());
        Map<String, Tensor> expected = deltas(adapter), found = deltas(read);
        assertEquals(expected.keySet(), found.keySet());
        for (String key : expected.keySet()) assertClose(key, expected.get(key), found.get(key), 1e-4);
    }

    /// A file of ours, exported with other programs' keys, gives back the same parameters.
    @Test
    void rankAndAlphaFollowFromTheFile() throws Exception {
        Map<String, Tensor> tensors = new HashMap<>();
        addLora(tensors, LINEAR, 4, 2);
        addLora(tensors, LINEAR.replace("to_q", "to_k"), 4, 2);
        addLora(tensors, LINEAR.replace("to_q", "to_v"), 2, 1);
        AdapterFile ours = TrainableAdapter.read(write(tensors), model);
        assertEquals(4, ours.method().rank());
        assertEquals("2", ours.method().value(MethodSetting.ALPHA));
        assertTrue(ours.method().value(MethodSetting.RANK_PATTERN).endsWith("attn1.to_v=2"),
                ours.method().value(MethodSetting.RANK_PATTERN));
        assertEquals(MethodName.LORA, ours.method().choice());
        assertEquals(3, ours.layers().size());
        String name = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q";
        assertClose("A", tensors.get(LINEAR + ".lora_down.weight"), ours.values().get(name + ".A"), 0);
        assertClose("B", tensors.get(LINEAR + ".lora_up.weight"), ours.values().get(name + ".B"), 1e-6);
    }

    private static void addLora(Map<String, Tensor> tensors, String layer, int rank, double alpha) {
        long width = model.trainableLayers()
                .stream()
                .filter(each -> each.name().equals("down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"))
                .findFirst()
                .orElseThrow()
                .fanIn();
        tensors.put(layer + ".lora_down.weight", Tensor.generate(Shape.of(rank, width), i -> Math.sin(1 + i)));
        tensors.put(layer + ".lora_up.weight", Tensor.generate(Shape.of(width, rank), i -> Math.cos(1 + i)));
        tensors.put(layer + ".alpha", Tensor.filled(Shape.of(), (float) alpha));
    }

    private Path write(Map<String, Tensor> tensors) throws Failure {
        Path file = folder.resolve("file.safetensors");
        SafetensorsWriter.write(file, tensors, Map.of());
        return file;
    }

    @ParameterizedTest
    @CsvSource({"lycoris.safetensors,the same on every layer", "folder-lokr/adapter_model.safetensors,LoKr",
            "counted.safetensors,expected one adapter",
            "lycoris-oft.safetensors,expected OFT in one stage without limit"})
    void otherFilesAreRefusedByName(String file, String reason) {
        Failure failure = assertThrows(Failure.Incompatible.class,
                () -> TrainableAdapter.read(GOLDENS.resolve(file), model));
        assertTrue(failure.getMessage().contains(reason), failure.getMessage());
    }

    @Test
    void rankZeroAndNaNAreRefused() throws Exception {
        Map<String, Tensor> tensors = new HashMap<>();
        addLora(tensors, LINEAR, 4, 2);
        tensors.get(LINEAR + ".lora_up.weight").data()[3] = Float.NaN;
        Path notFinite = write(tensors);
        assertTrue(assertThrows(Failure.Unreadable.class, () -> TrainableAdapter.read(notFinite, model)).getMessage()
                .contains("NaN"));
        addLora(tensors, LINEAR, 0, 2);
        Path noRank = write(tensors);
        assertTrue(assertThrows(Failure.Incompatible.class, () -> TrainableAdapter.read(noRank, model)).getMessage()
                .contains("expected two factors"));
    }

    @Test
    void ownAdaptersKeepTheirSettings() throws Exception {
        AdapterFile adapter = PerturbedAdapter.of(model, new BaseModelHashes(folder.resolve("hashes.json")),
                MethodSettings.of(MethodName.ATOMS_AND_WORD));
        Path file = folder.resolve("own.safetensors");
        adapter.write(file);
        assertEquals(adapter.method(), TrainableAdapter.read(file, model).method());
    }
}
