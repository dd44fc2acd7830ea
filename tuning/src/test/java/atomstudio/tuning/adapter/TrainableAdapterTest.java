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
import java.nio.file.Files;
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
            "peft-dora/adapter_model.safetensors,dora", "lycoris-glora.safetensors,glora",
            "folder-lokr/adapter_model.safetensors,lokr", "peft-oft-exact/adapter_model.safetensors,oft",
            "peft-boft/adapter_model.safetensors,boft", "peft-boft-two/adapter_model.safetensors,boft",
            "peft-vera/adapter_model.safetensors,vera", "peft-glora/adapter_model.safetensors,glora-terms",
            "peft-glora-vector/adapter_model.safetensors,glora-terms"})
    void filesOfOtherLibrariesHaveTheSameWeightChangeAsOurMethod(String file, String method) throws Exception {
        Path path = GOLDENS.resolve(file);
        AdapterFile ours = TrainableAdapter.read(path, model);
        assertEquals(method, ours.method().name());
        Map<String, Tensor> expected = deltas(AdapterSource.read(path).getFirst().source()), found = deltas(ours);
        assertEquals(expected.keySet(), found.keySet());
        for (String key : expected.keySet()) assertClose(key, expected.get(key), found.get(key), 1e-5);
    }

    /// The kinds that files of LyCORIS and peft hold as they were trained.
    @ParameterizedTest
    @CsvSource({"DORA,,KOHYA", "GLORA,also=norm;text-encoder=yes,KOHYA", "OFT,side=output;block-size=4,KOHYA",
            "OFT,side=output;block-size=1/4;rescaled=yes;text-encoder=yes,KOHYA",
            "LOKR,rank=2;alpha=3;factor=4,KOHYA", "LOKR,rank=64,KOHYA", "LOHA,also=norm,KOHYA",
            "LOHA,rank=2;alpha=3;text-encoder=yes,KOHYA", "BITFIT,,KOHYA", "BITFIT,,DIFF", "NORM,,KOHYA",
            "OFT,block-size=4,PEFT_FOLDER", "BOFT,block-size=4,PEFT_FOLDER",
            "BOFT,block-size=4;butterfly-factors=3;rescaled=yes,PEFT_FOLDER", "IA3,,PEFT_FOLDER",
            "IA3,layers=conv,PEFT_FOLDER", "VERA,rank=3,PEFT_FOLDER", "LOKR,rank=2;factor=4,PEFT_FOLDER"})
    void exportedFilesGiveBackTheMethodAndItsChange(MethodName method, String settings, ExportFormat format)
            throws Exception {
        Map<String, String> chosen = new HashMap<>();
        if (settings != null)
            for (String setting : settings.split(";")) chosen.put(setting.split("=")[0], setting.split("=", 2)[1]);
        BaseModelHashes hashes = new BaseModelHashes(folder.resolve("hashes.json"));
        AdapterFile adapter = PerturbedAdapter.of(model, hashes, MethodSettings.parse(method.option(), chosen));
        Path path = folder.resolve(format.fileName("exported"));
        format.write(adapter, new ExportBaseModel(ModelReference.of(model.path()), hashes,
                TorchSettings.standard().withThreads(1)), path);
        Path file = Files.isDirectory(path) ? path.resolve("adapter_model.safetensors") : path;
        AdapterFile read = TrainableAdapter.read(file, model);
        double tolerance = format == ExportFormat.DIFF ? 1e-3 : 1e-4; // half precision
        assertEquals(adapter.method().combinedName(), read.method().combinedName());
        Map<String, Tensor> expected = deltas(adapter), found = deltas(read);
        assertEquals(expected.keySet(), found.keySet());
        for (String key : expected.keySet()) assertClose(key, expected.get(key), found.get(key), tolerance);
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
    @CsvSource({"lycoris.safetensors,the same on every layer", "counted.safetensors,expected one adapter",
            "lycoris-oft.safetensors,shares and sizes of blocks", "lycoris-boft.safetensors,butterfly factors",
            "lycoris-ia3.safetensors,method ia3 scales the outputs",
            "peft-oft/adapter_model.safetensors,Cayley-Neumann series that is too short",
            "peft-ia3/adapter_model.safetensors,conv2: scales inputs"})
    void otherFilesAreRefusedByName(String file, String reason) {
        Failure failure = assertThrows(Failure.Incompatible.class,
                () -> TrainableAdapter.read(GOLDENS.resolve(file), model));
        assertTrue(failure.getMessage().contains(reason), failure.getMessage());
    }

    /// peft's default: 5 terms of the Cayley-Neumann series, which are rotations for the small Q of a trained adapter.
    @Test
    void rotationsOfAShortSeriesAreRead() throws Exception {
        String layer = "base_model.model.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q.";
        long blocks = model.trainableLayers()
                .stream()
                .filter(each -> each.name().equals("down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"))
                .findFirst()
                .orElseThrow()
                .fanIn() / 8;
        Path file = write(Map.of(layer + "oft_R.weight",
                Tensor.generate(Shape.of(blocks, 28), i -> 0.01 * Math.sin(1 + 7.3 * i))));
        AdapterFile read = TrainableAdapter.read(file, model);
        assertEquals(MethodName.OFT, read.method().choice());
        assertEquals("8", read.method().value(MethodSetting.BLOCK_SIZE));
        Map<String, Tensor> expected = deltas(AdapterSource.read(file).getFirst().source()), found = deltas(read);
        for (String key : expected.keySet()) assertClose(key, expected.get(key), found.get(key), 1e-4);
    }

    /// LyCORIS' IA³ does not scale biases, which these layers do not have.
    @Test
    void scalesOfLycorisAreRead() throws Exception {
        Tensor scale = Tensor.generate(Shape.of(128, 1), i -> 0.1 * Math.sin(i));
        Path file = write(Map.of(LINEAR.replace("to_q", "to_k") + ".weight", scale,
                LINEAR.replace("to_q", "to_k") + ".on_input", Tensor.zeros(Shape.of())));
        AdapterFile read = TrainableAdapter.read(file, model);
        assertEquals(MethodName.IA3, read.method().choice());
        assertClose("l", scale.map(w -> w + 1).reshape(Shape.of(128)),
                read.values().get("down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_k.l"), 1e-6);
    }

    /// Biases beside another kind belong to no method.
    @Test
    void biasesOfALoraAreNotDropped() throws Exception {
        Map<String, Tensor> tensors = new HashMap<>();
        addLora(tensors, LINEAR.replace("to_q", "to_out_0"), 4, 2);
        tensors.put(LINEAR.replace("to_q", "to_out_0") + ".diff_b", Tensor.filled(Shape.of(128), 1));
        Path file = write(tensors);
        String message = assertThrows(Failure.Incompatible.class, () -> TrainableAdapter.read(file, model))
                .getMessage();
        assertTrue(message.contains("the same on every layer"), message);
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
        assertTrue(assertThrows(Failure.Unreadable.class, () -> TrainableAdapter.read(noRank, model)).getMessage()
                .contains("found an empty tensor"));
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
