package atomstudio.tuning.adapter;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Applied;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.model.NamedModel;
import atomstudio.diffusion.model.Part;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.ops.Affine;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.DType;
import atomstudio.diffusion.tensor.Safetensors;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.export.Base;
import atomstudio.tuning.export.ExportFormat;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.SlotLayout;
import atomstudio.tuning.torch.Recording;
import atomstudio.tuning.torch.Torch;
import atomstudio.tuning.torch.TorchEngine;
import atomstudio.tuning.torch.TorchScope;
import atomstudio.tuning.torch.TorchSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Against files in other programs' dialects and the weights that those programs, or their formulas, make of them (goldens/foreign/make.py).
class ForeignAdapterTest {
    private static final Path FOLDER = Path.of("src/test/resources/goldens/foreign");
    private static final String TO_K = "lora_unet_up_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k";
    @TempDir Path folder;
    private static ModelFolder model;

    @BeforeAll static void open() throws Exception {
        model = ModelFolder.open(Shared.root().resolve("assets/default-model"));
    }

    @ParameterizedTest @ValueSource(strings = {"kohya", "peft", "processor", "lycoris", "counted"}) void changesTheWeightsAsTheProgramThatItIsForWould(String name) throws Exception {
        AdapterSource source = AdapterSource.read(FOLDER.resolve(name + ".safetensors")).getFirst().source();
        source.check(model);
        try (Safetensors golden = Safetensors.open(FOLDER.resolve(name + ".expected.safetensors"))) {
            Map<String, Tensor> whole = changes(source.adapter(name, model), 1);
            assertEquals(new TreeSet<>(golden.tensors().keySet()), whole.keySet());
            for (String key : whole.keySet()) assertClose(key, golden.read(key), whole.get(key), 1e-4);
            Map<String, Tensor> half = changes(source.adapter(name, model), 0.5);
            for (String key : half.keySet()) assertClose(key, scaled(golden.read(key), 0.5f), half.get(key), 1e-4);
        }
    }

    /// α stands in the header or in a file beside the tensors (goldens/foreign/make_alpha.py).
    @ParameterizedTest @CsvSource({"header,header.safetensors", "unprefixed,unprefixed.safetensors", "folder-lora,folder-lora/adapter_model.safetensors", "folder-loha,folder-loha/adapter_model.safetensors", "folder-lokr,folder-lokr/adapter_model.safetensors"})
    void anAlphaBesideTheTensorsCountsAsInPeft(String name, String file) throws Exception {
        AdapterSource source = AdapterSource.read(FOLDER.resolve(file)).getFirst().source();
        try (Safetensors golden = Safetensors.open(FOLDER.resolve(name + ".expected.safetensors"))) {
            Map<String, Tensor> whole = changes(source.adapter(name, model), 1);
            assertEquals(new TreeSet<>(golden.tensors().keySet()), whole.keySet());
            for (String key : whole.keySet()) assertClose(key, golden.read(key), whole.get(key), 1e-4);
        }
        Path carried = Files.write(folder.resolve("carried.safetensors"), source.bytes(DType.F32));
        Map<String, Tensor> again = changes(AdapterSource.read(carried).getFirst().source().adapter(name, model), 1);
        changes(source.adapter(name, model), 1).forEach((key, change) -> assertEquals(change, again.get(key), "what a picture carries acts alike"));
    }

    @Test void aLoraWithItsAlphaInTheHeaderIsTheSameWithItMultipliedIn() throws Exception {
        Map<String, Tensor> header = changes(AdapterSource.read(Shared.file("cases/lora-alpha-in-header/half-with-alpha-8.safetensors")).getFirst().source().adapter("a", model), 1);
        Map<String, Tensor> same = changes(AdapterSource.read(Shared.file("cases/lora-alpha-in-header/same.safetensors")).getFirst().source().adapter("b", model), 1);
        assertEquals(same.keySet(), header.keySet());
        for (String key : same.keySet()) assertClose(key, same.get(key), header.get(key), 1e-6);
    }

    @Test void anotherAlphaIsAnotherAdapter() throws Exception {
        Map<String, Tensor> tensors = Map.of("unet.mid_block.attentions.0.proj_in.lora_A.weight", Tensor.zeros(Shape.of(2, 3)), "unet.mid_block.attentions.0.proj_in.lora_B.weight", Tensor.filled(Shape.of(3, 2), 1));
        List<String> hashes = new ArrayList<>();
        for (String alpha : List.of("2", "3", "4")) {
            Path file = folder.resolve(alpha + ".safetensors");
            SafetensorsWriter.write(file, tensors, Map.of("lora_adapter_metadata", "{\"unet.lora_alpha\":" + alpha + "}"));
            hashes.add(assertInstanceOf(ForeignAdapter.class, AdapterSource.read(file).getFirst().source()).hash());
        }
        assertEquals(3, new TreeSet<>(hashes).size());
        Path wrong = folder.resolve("wrong.safetensors");
        SafetensorsWriter.write(wrong, tensors, Map.of("lora_adapter_metadata", "{\"unet.lora_alpha\":\"many\"}"));
        String message = assertThrows(Failure.Unreadable.class, () -> AdapterSource.read(wrong)).getMessage();
        assertTrue(message.startsWith(wrong + ": metadata lora_adapter_metadata: lora_alpha"), message);
    }

    @ParameterizedTest
    @CsvSource({"dora_scale,a DoRA adapter", "oft_blocks,an OFT adapter", "a1.weight,a GLoRA adapter", "on_input,an IA³ adapter", "lora_E,an AdaLoRA adapter", "lora_B.bias,a LoRA with biases"})
    void aKindThatCannotBeReadIsNamed(String number, String kind) throws Exception {
        Path file = folder.resolve("kind.safetensors");
        for (Map<String, Tensor> beside : List.of(Map.of(TO_K + ".lora_down.weight", Tensor.zeros(Shape.of(2, 128))), Map.of("x.weight", Tensor.zeros(Shape.of(2))))) {
            Map<String, Tensor> tensors = new HashMap<>(beside);
            tensors.put(TO_K + "." + number, Tensor.zeros(Shape.of(2, 3)));
            SafetensorsWriter.write(file, tensors, Map.of());
            String refused = assertThrows(Failure.Incompatible.class, () -> AdapterSource.read(file)).getMessage();
            assertTrue(refused.startsWith(file + ": is " + kind + ", which cannot be read"), refused);
        }
    }

    @ParameterizedTest
    @CsvSource({"lokr_w1,8,lokr_w1: expected a matrix", "lokr_w1,0;0,expected", "alpha,2,alpha: expected one number", "lokr_w2_b,3,expected"})
    void tensorsOfOtherShapesAreRefusedByTheirLayer(String number, String shape, String message) throws Exception {
        Map<String, Tensor> tensors = new HashMap<>(Map.of(TO_K + ".lokr_w1", Tensor.zeros(Shape.of(8, 8)), TO_K + ".lokr_w2_a", Tensor.zeros(Shape.of(16, 2)), TO_K + ".lokr_w2_b", Tensor.zeros(Shape.of(2, 16))));
        tensors.put(TO_K + "." + number, Tensor.zeros(Shape.of(Arrays.stream(shape.split(";")).mapToLong(Long::parseLong).toArray())));
        Path file = folder.resolve("shapes.safetensors");
        SafetensorsWriter.write(file, tensors, Map.of());
        String refused = assertThrows(Failure.Incompatible.class, () -> AdapterSource.read(file).getFirst().source().check(model)).getMessage();
        assertTrue(refused.startsWith(file.toString()) && refused.contains(message), refused);
    }

    @ParameterizedTest @ValueSource(strings = {"unet:99999999999:down", "text_encoder:2147483648:up", "unet:9999999999999999999999999:up", "lora_unet_down_blocks_99999999999_attentions_0_proj_in.alpha"})
    void namesWithHugeNumbersAreRefusedByName(String name) throws Exception {
        Path file = folder.resolve("huge.safetensors");
        SafetensorsWriter.write(file, Map.of(name, Tensor.zeros(Shape.of(2, 3)), "unet:0:up", Tensor.zeros(Shape.of(2, 3))), Map.of());
        String refused = assertThrows(Failure.class, () -> AdapterSource.read(file).getFirst().source().check(model)).getMessage();
        assertTrue(refused.contains(name), refused);
    }

    /// Weights and biases that an adapter changes, minus the base model's.
    private static Map<String, Tensor> changes(Adapter adapter, double strength) throws Failure {
        Map<String, Tensor> changes = new TreeMap<>();
        try (Torch torch = Torch.open(Device.CPU, TorchSettings.standard().withThreads(1)); Checkpoint unet = model.checkpoint(Part.UNET); Checkpoint text = model.checkpoint(Part.TEXT); TorchScope scope = torch.scope(Recording.OFF)) {
            for (Layer layer : model.tunable()) {
                Map<String, Shape> shapes = adapter.form().shapes(layer);
                if (shapes.isEmpty()) continue;
                shapes.forEach((slot, shape) -> assertEquals(shape, adapter.values().get(layer.name() + "." + slot).shape()));
                Checkpoint weights = Part.ofTunable(layer.name()) == Part.TEXT ? text : unet;
                Affine<NDArray> base = new Affine<>(torch.array(weights.read(layer.weightKey())), layer.biased() ? torch.array(weights.read(layer.biasKey())) : null);
                Affine<NDArray> tuned = adapter.form().effective(torch.ops(), layer, base, slot -> torch.array(adapter.values().get(layer.name() + "." + slot)), torch.array(Tensor.filled(Shape.of(1), (float) strength)));
                changes.put(layer.weightKey(), torch.tensor(tuned.weight().sub(base.weight())));
                if (tuned.bias() != null && base.bias() != null) changes.put(layer.biasKey(), torch.tensor(tuned.bias().sub(base.bias())));
            }
        }
        changes.values().removeIf(change -> Arrays.equals(change.data(), new float[change.data().length]));
        return changes;
    }

    private static Tensor scaled(Tensor tensor, float by) {
        float[] data = tensor.data().clone();
        for (int i = 0; i < data.length; i++) data[i] *= by;
        return new Tensor(tensor.shape(), data);
    }

    @Test void bothEnginesUseItAlike() throws Exception {
        Applied applied = new Applied(AdapterSource.read(FOLDER.resolve("lycoris.safetensors")).getFirst().source().adapter("lycoris", model), 0.7);
        Tensor latents = random(1, 4, 8, 8), context = random(1, 5, model.unet().contextWidth());
        try (OnnxEngine onnx = OnnxEngine.open(model, Device.CPU, 1); TorchEngine torch = TorchEngine.open(model, Device.CPU, TorchSettings.standard().withThreads(1))) {
            Tensor expected = torch.predict(latents, new float[] {321}, context, List.of(applied));
            assertClose("UNet", expected, onnx.predict(latents, new float[] {321}, context, List.of(applied)), 5e-5);
            int[][] ids = {new int[model.text().tokens()]};
            assertClose("text encoder", torch.encodeText(ids, 1, List.of(applied)), onnx.encodeText(ids, 1, List.of(applied)), 5e-5);
        }
    }

    private static Tensor random(long... sizes) {
        Tensor tensor = Tensor.zeros(Shape.of(sizes));
        for (int i = 0; i < tensor.data().length; i++) tensor.data()[i] = (float) Math.sin(1 + 7.3 * i);
        return tensor;
    }

    @ParameterizedTest @EnumSource(value = ExportFormat.class, names = {"KOHYA", "PEFT"}) void whatThisProgramExportsForOthersReadsBackAsTheSameChange(ExportFormat format) throws Exception {
        MethodSettings settings = MethodSettings.parse("locon", Map.of("rank", "2", "alpha", "3", "text-encoder", "yes"));
        SlotLayout layout = SlotLayout.of(settings.method(), model.tunable());
        float[] numbers = random(layout.size()).data();
        for (int i = 0; i < numbers.length; i++) numbers[i] *= 0.05f;
        AdapterFile ours = new AdapterFile(settings, new BaseModel("model", "0"), new Trigger("sks", "thing"), new AdapterFile.Training(1, 1, 1), TunedLayer.of(settings.method(), model.tunable()), layout.values(numbers));
        format.write(ours, new Base(NamedModel.at(model.folder()), new BaseHashes(folder.resolve("hashes.json")), TorchSettings.standard()), folder.resolve("file.safetensors"));
        AdapterSource read = AdapterSource.read(folder.resolve("file.safetensors")).getFirst().source();
        assertInstanceOf(ForeignAdapter.class, read);
        Map<String, Tensor> expected = changes(ours.adapter("ours", model), 1), found = changes(read.adapter("read", model), 1);
        assertEquals(expected.keySet(), found.keySet());
        for (String key : expected.keySet()) assertClose(key, expected.get(key), found.get(key), 1e-5);
    }

    @Test void wordsInTheSameFileAreEmbeddingsBesideIt() throws Exception {
        List<AdapterSource.Found> found = AdapterSource.read(FOLDER.resolve("counted.safetensors"));
        assertEquals(List.of("counted", "<s1>"), found.stream().map(AdapterSource.Found::name).toList());
        assertEquals("<s1>", assertInstanceOf(EmbeddingFile.class, found.get(1).source()).word());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "lora_te1_text_model_encoder_layers_0_mlp_fc1.lora_down.weight|2,96|Stable Diffusion XL",
        "lora_unet_input_blocks_4_1_proj_in.lora_down.weight|2,96|Stable Diffusion XL",
        "lora_unet_somewhere.lora_down.weight|2,96|lora_unet_somewhere.lora_down.weight: the model has no such layer",
        TO_K + ".dora_scale|2,96|is a DoRA adapter",
        TO_K + ".lora_down.weight|2,999|expected two factors of (128,128), found (2,999) and (128,2)",
        "else.weight|2,96|found else.weight (2,96) among them"})
    void whatDoesNotFitIsRefusedByName(String key, String shape, String message) throws Exception {
        Map<String, Tensor> tensors = new HashMap<>(Map.of(TO_K + ".lora_down.weight", Tensor.zeros(Shape.of(2, 128)), TO_K + ".lora_up.weight", Tensor.zeros(Shape.of(128, 2))));
        tensors.put(key, Tensor.zeros(Shape.of(Arrays.stream(shape.split(",")).mapToLong(Long::parseLong).toArray())));
        Path file = folder.resolve("strange.safetensors");
        SafetensorsWriter.write(file, tensors, Map.of());
        Failure refused = assertThrows(Failure.class, () -> AdapterSource.read(file).getFirst().source().check(model));
        assertTrue(refused.getMessage().startsWith(file.toString()) && refused.getMessage().contains(message), refused.getMessage());
    }

    @Test void realFilesOfTwoDialectsAreRecognized() throws Exception {
        Path loras = Shared.file("data/loras");
        try (var files = Files.list(loras)) {
            for (Path file : files.filter(each -> each.toString().endsWith(".safetensors")).toList()) {
                List<AdapterSource.Found> found = AdapterSource.read(file);
                ForeignAdapter adapter = assertInstanceOf(ForeignAdapter.class, found.getFirst().source());
                assertTrue(adapter.layers() == 128 || adapter.layers() == 192, file + ": " + adapter.layers());
                Failure refused = assertThrows(Failure.Incompatible.class, () -> adapter.check(model));
                assertTrue(refused.getMessage().contains("layers differ"), refused.getMessage());
                assertEquals(found.size() - 1, found.stream().map(AdapterSource.Found::name).filter(name -> name.startsWith("<")).collect(Collectors.toSet()).size());
            }
        }
    }
}
