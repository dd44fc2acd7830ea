package atomstudio.tuning.adapter;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Conditioning;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.file.Sha256;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.LdmKeys;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.DType;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.export.ExportBaseModel;
import atomstudio.tuning.export.ExportFormat;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.torch.GradMode;
import atomstudio.tuning.torch.Torch;
import atomstudio.tuning.torch.TorchEngine;
import atomstudio.tuning.torch.TorchScope;
import atomstudio.tuning.torch.TorchSettings;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
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

/// Compares adapters of other programs with the weights that those programs, or their formulas, give
/// (goldens/foreign/make.py).
class ExternalAdapterTest {
    private static final Path FOLDER = Path.of("src/test/resources/goldens/foreign");
    private static final Shape TO_K_SHAPE = Shape.of(128, 128);
    private static final String TO_K = "lora_unet_up_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k";
    private static final String PROJ_IN = "lora_unet_up_blocks_1_attentions_0_proj_in";
    @TempDir
    Path folder;
    private static DiffusionModel model;

    @BeforeAll
    static void open() throws Exception {
        model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
    }

    @ParameterizedTest @ValueSource(strings = {"kohya", "peft", "processor", "lycoris", "counted"})
    void weightsMatchTheOriginalProgram(String name) throws Exception {
        AdapterSource source = AdapterSource.read(FOLDER.resolve(name + ".safetensors")).getFirst().source();
        source.requireFits(model);
        try (SafetensorsFile golden = SafetensorsFile.open(FOLDER.resolve(name + ".expected.safetensors"))) {
            Map<String, Tensor> whole = deltas(source.toAdapter(name, model), 1);
            assertEquals(new TreeSet<>(golden.tensors().keySet()), whole.keySet());
            for (String key : whole.keySet()) assertClose(key, golden.read(key), whole.get(key), 1e-4);
            Map<String, Tensor> half = deltas(source.toAdapter(name, model), 0.5);
            for (String key : half.keySet()) assertClose(key, golden.read(key).scaled(0.5), half.get(key), 1e-4);
        }
    }

    /// α is in the header or in a configuration next to the file (goldens/foreign/make_alpha.py).
    @ParameterizedTest @CsvSource({"header,header.safetensors", "unprefixed,unprefixed.safetensors",
            "folder-lora,folder-lora/adapter_model.safetensors", "folder-loha,folder-loha/adapter_model.safetensors",
            "folder-lokr,folder-lokr/adapter_model.safetensors"})
    void configuredAlphaMatchesPeft(String name, String file) throws Exception {
        AdapterSource source = AdapterSource.read(FOLDER.resolve(file)).getFirst().source();
        try (SafetensorsFile golden = SafetensorsFile.open(FOLDER.resolve(name + ".expected.safetensors"))) {
            Map<String, Tensor> whole = deltas(source.toAdapter(name, model), 1);
            assertEquals(new TreeSet<>(golden.tensors().keySet()), whole.keySet());
            for (String key : whole.keySet()) assertClose(key, golden.read(key), whole.get(key), 1e-4);
        }
        Path attached = Files.write(folder.resolve("attached.safetensors"), source.toBytes(DType.F32));
        Map<String, Tensor> again = deltas(AdapterSource.read(attached).getFirst().source().toAdapter(name, model), 1);
        deltas(source.toAdapter(name, model), 1)
                .forEach((key, delta) -> assertEquals(delta, again.get(key),
                        "the attached file gives the same weights"));
    }

    /// Files of current programs; each delta is compared by its product with three columns
    /// (goldens/foreign/make_dialects.py).
    @ParameterizedTest @ValueSource(strings = {"transformers5", "te1", "raw", "wrapper", "sgm", "old"})
    void currentConventionsMatchTheirPrograms(String name) throws Exception {
        AdapterSource source = AdapterSource.read(FOLDER.resolve(name + ".safetensors")).getFirst().source();
        assertEquals(List.of(), source.warnings(model));
        try (SafetensorsFile golden = SafetensorsFile.open(FOLDER.resolve(name + ".probed.safetensors"))) {
            Map<String, Tensor> found = deltas(source.toAdapter(name, model), 1);
            assertEquals(new TreeSet<>(golden.tensors().keySet()), found.keySet());
            for (String key : found.keySet())
                assertClose(key, golden.read(key),
                        golden.info(key).shape().rank() == 1 ? found.get(key) : probed(found.get(key)), 2e-5);
        }
    }

    /// Kinds beyond LoRA, LoHa and LoKr, as the libraries that write them compute the change
    /// (goldens/foreign/make_kinds.py and make_vera.py).
    @ParameterizedTest
    @ValueSource(strings = {"lycoris-dora", "lycoris-oft", "lycoris-boft", "lycoris-glora", "lycoris-ia3",
            "diffusers-dora", "peft-dora", "peft-oft", "peft-oft-exact", "peft-oft-shared", "peft-boft",
            "peft-boft-two", "peft-ia3", "peft-vera", "peft-glora",
            "peft-glora-vector"})
    void kindsMatchTheirLibraries(String name) throws Exception {
        Path file = FOLDER
                .resolve(name.startsWith("peft-") ? name + "/adapter_model.safetensors" : name + ".safetensors");
        AdapterSource source = AdapterSource.read(file).getFirst().source();
        assertEquals(List.of(), source.warnings(model));
        Adapter adapter = source.toAdapter(name, model);
        Map<String, Tensor> whole = deltas(adapter, 1);
        try (SafetensorsFile golden = SafetensorsFile.open(FOLDER.resolve(name + ".probed.safetensors"))) {
            assertEquals(new TreeSet<>(golden.tensors().keySet()), whole.keySet());
            for (String key : whole.keySet())
                assertClose(key, golden.read(key),
                        golden.info(key).shape().rank() == 1 ? whole.get(key) : probed(whole.get(key)), 5e-5);
        }
        Map<String, Tensor> half = deltas(adapter, 0.5);
        for (String key : half.keySet()) assertClose(key, whole.get(key).scaled(0.5), half.get(key), 1e-4);
        Path attached = Files.write(folder.resolve("attached.safetensors"), source.toBytes(DType.F32));
        assertEquals(adapter.parameters(),
                AdapterSource.read(attached).getFirst().source().toAdapter(name, model).parameters(),
                "the attached file needs no configuration");
    }

    /// A delta (Co, …) times three columns sin(1 + 7.3 i).
    private static Tensor probed(Tensor delta) {
        int rows = Math.toIntExact(delta.shape().size(0)), inner = delta.data().length / rows;
        Tensor probe = random(inner, 3), product = Tensor.zeros(Shape.of(rows, 3));
        for (int i = 0; i < rows; i++) for (int j = 0; j < 3; j++) {
            double sum = 0;
            for (int k = 0; k < inner; k++) sum += (double) delta.data()[i * inner + k] * probe.data()[3 * k + j];
            product.data()[3 * i + j] = (float) sum;
        }
        return product;
    }

    @Test
    void alphaInTheHeaderEqualsScaledTensors() throws Exception {
        Map<String, Tensor> header = deltas(
                AdapterSource.read(Shared.file("cases/lora-alpha-in-header/half-with-alpha-8.safetensors"))
                        .getFirst()
                        .source()
                        .toAdapter("a", model),
                1);
        Map<String, Tensor> same = deltas(
                AdapterSource.read(Shared.file("cases/lora-alpha-in-header/same.safetensors"))
                        .getFirst()
                        .source()
                        .toAdapter("b", model),
                1);
        assertEquals(same.keySet(), header.keySet());
        for (String key : same.keySet()) assertClose(key, same.get(key), header.get(key), 1e-6);
    }

    /// Other programs identify an adapter by the bytes after the header, in their order in the file.
    @ParameterizedTest @ValueSource(strings = {"kohya.safetensors", "lycoris.safetensors",
            "folder-lora/adapter_model.safetensors"})
    void fileHashIsThatOfTheBytesAfterTheHeader(String name) throws Exception {
        Path file = FOLDER.resolve(name);
        byte[] bytes = Files.readAllBytes(file);
        int header = Math.toIntExact(8 + ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong());
        assertEquals(Sha256.of(Arrays.copyOfRange(bytes, header, bytes.length)),
                AdapterSource.read(file).getFirst().fileHash().orElseThrow());
    }

    @Test
    void hashDependsOnAlpha() throws Exception {
        Map<String, Tensor> tensors = Map.of("unet.mid_block.attentions.0.proj_in.lora_A.weight",
                Tensor.zeros(Shape.of(2, 3)), "unet.mid_block.attentions.0.proj_in.lora_B.weight",
                Tensor.filled(Shape.of(3, 2), 1));
        List<String> hashes = new ArrayList<>();
        for (String alpha : List.of("2", "3", "4")) {
            Path file = folder.resolve(alpha + ".safetensors");
            SafetensorsWriter.write(file, tensors,
                    Map.of("lora_adapter_metadata", "{\"unet.lora_alpha\":" + alpha + "}"));
            hashes.add(assertInstanceOf(ExternalAdapter.class, AdapterSource.read(file).getFirst().source()).hash());
        }
        assertEquals(3, new TreeSet<>(hashes).size());
        Path wrong = folder.resolve("wrong.safetensors");
        SafetensorsWriter.write(wrong, tensors, Map.of("lora_adapter_metadata", "{\"unet.lora_alpha\":\"many\"}"));
        String message = assertThrows(Failure.Unreadable.class, () -> AdapterSource.read(wrong)).getMessage();
        assertTrue(message.startsWith(wrong + ": metadata lora_adapter_metadata: lora_alpha"), message);
    }

    @Test
    void veraOfRankZeroIsRejected() throws Exception {
        Path file = folder.resolve("vera.safetensors");
        SafetensorsWriter.write(file, Map.of(TO_K + ".vera_lambda_b", Tensor.zeros(Shape.of(128)),
                TO_K + ".vera_lambda_d", Tensor.zeros(Shape.of(0)), "base_model.vera_A", Tensor.zeros(Shape.of(0, 128)),
                "base_model.vera_B", Tensor.zeros(Shape.of(128, 0))), Map.of());
        String message = assertThrows(Failure.Unreadable.class, () -> AdapterSource.read(file)).getMessage();
        assertTrue(message.contains(": expected at least one value, found an empty tensor"), message);
    }

    @Test
    void veraWithoutItsProjectionsIsRejected() throws Exception {
        Path file = folder.resolve("vera.safetensors");
        SafetensorsWriter.write(file, Map.of(TO_K + ".vera_lambda_b", Tensor.zeros(Shape.of(128)),
                TO_K + ".vera_lambda_d", Tensor.zeros(Shape.of(4))), Map.of());
        String message = assertThrows(Failure.Incompatible.class,
                () -> AdapterSource.read(file).getFirst().source().requireFits(model)).getMessage();
        assertTrue(message.contains("save it with save_projection=True"), message);
    }

    @ParameterizedTest
    @CsvSource({"oft_r,an OFT adapter of peft before 0.14", "hra_u,an HRA adapter",
            "lora_E,an AdaLoRA adapter", "lora_B.bias,a LoRA with biases",
            "gralora_A,an adapter of another method of peft", "hira_A,an adapter of another method of peft"})
    void rejectsUnsupportedKindsByName(String number, String kind) throws Exception {
        Path file = folder.resolve("kind.safetensors");
        for (Map<String, Tensor> beside : List.of(Map.of(TO_K + ".lora_down.weight", Tensor.zeros(Shape.of(2, 128))),
                Map.of("x.weight", Tensor.zeros(Shape.of(2))))) {
            Map<String, Tensor> tensors = new HashMap<>(beside);
            tensors.put(TO_K + "." + number, Tensor.zeros(Shape.of(2, 3)));
            SafetensorsWriter.write(file, tensors, Map.of());
            String rejected = assertThrows(Failure.Incompatible.class, () -> AdapterSource.read(file)).getMessage();
            assertTrue(rejected.startsWith(file + ": is " + kind + ", which is not supported"), rejected);
        }
    }

    @ParameterizedTest
    @CsvSource({"lokr_w1,8,lokr_w1: expected a matrix", "lokr_w1,0;0,expected", "alpha,2,alpha: expected one number",
            "lokr_w2_b,3,expected"})
    void rejectsWrongShapes(String number, String shape, String message) throws Exception {
        Map<String, Tensor> tensors = new HashMap<>(
                Map.of(TO_K + ".lokr_w1", Tensor.zeros(Shape.of(8, 8)), TO_K + ".lokr_w2_a",
                        Tensor.zeros(Shape.of(16, 2)), TO_K + ".lokr_w2_b", Tensor.zeros(Shape.of(2, 16))));
        tensors.put(TO_K + "." + number,
                Tensor.zeros(Shape.of(Arrays.stream(shape.split(";")).mapToLong(Long::parseLong).toArray())));
        Path file = folder.resolve("shapes.safetensors");
        SafetensorsWriter.write(file, tensors, Map.of());
        String rejected = assertThrows(Failure.class,
                () -> AdapterSource.read(file).getFirst().source().requireFits(model)).getMessage();
        assertTrue(rejected.startsWith(file.toString()) && rejected.contains(message), rejected);
    }

    @ParameterizedTest @ValueSource(strings = {"unet:99999999999:down", "text_encoder:2147483648:up",
            "unet:9999999999999999999999999:up", "lora_unet_down_blocks_99999999999_attentions_0_proj_in.alpha"})
    void rejectsKeysWithHugeIndices(String name) throws Exception {
        Path file = folder.resolve("huge.safetensors");
        SafetensorsWriter.write(file,
                Map.of(name, Tensor.zeros(Shape.of(2, 3)), "unet:0:up", Tensor.zeros(Shape.of(2, 3))), Map.of());
        String rejected = assertThrows(Failure.class,
                () -> AdapterSource.read(file).getFirst().source().requireFits(model)).getMessage();
        assertTrue(rejected.contains(name), rejected);
    }

    /// Deltas of the weights and biases that an adapter changes.
    private static Map<String, Tensor> deltas(Adapter adapter, double adapterWeight) throws Failure {
        Map<String, Tensor> deltas = new TreeMap<>();
        try (Torch torch = Torch.open(Device.CPU, TorchSettings.standard().withThreads(1));
                Checkpoint unet = model.openCheckpoint(Component.UNET);
                Checkpoint text = model.openCheckpoint(Component.TEXT_ENCODER);
                TorchScope scope = torch.scope(GradMode.OFF)) {
            for (Layer layer : model.trainableLayers()) {
                Map<String, Shape> shapes = adapter.adaptation().parameterShapes(layer);
                if (shapes.isEmpty()) continue;
                shapes.forEach((parameter, shape) -> assertEquals(shape,
                        adapter.parameters().get(layer.name() + "." + parameter).shape()));
                Checkpoint weights = layer.component().equals(Component.TEXT_ENCODER) ? text : unet;
                LayerWeights<NDArray> base = new LayerWeights<>(torch.array(weights.read(layer.weightKey())),
                        layer.hasBias() ? torch.array(weights.read(layer.biasKey())) : null);
                LayerWeights<NDArray> adapted = adapter.adaptation()
                        .effective(torch.ops(), layer, base,
                                parameter -> torch.array(adapter.parameters().get(layer.name() + "." + parameter)),
                                torch.array(Tensor.filled(Shape.of(1), (float) adapterWeight)));
                deltas.put(layer.weightKey(), torch.tensor(adapted.weight().sub(base.weight())));
                if (adapted.bias() != null && base.bias() != null)
                    deltas.put(layer.biasKey(), torch.tensor(adapted.bias().sub(base.bias())));
            }
        }
        deltas.values().removeIf(delta -> Arrays.equals(delta.data(), new float[delta.data().length]));
        return deltas;
    }

    @ParameterizedTest @ValueSource(strings = {"lycoris", "lycoris-dora", "lycoris-boft", "lycoris-glora", "peft-ia3"})
    void bothEnginesAgree(String name) throws Exception {
        Path file = FOLDER
                .resolve(name.startsWith("peft-") ? name + "/adapter_model.safetensors" : name + ".safetensors");
        WeightedAdapter applied = new WeightedAdapter(
                AdapterSource.read(file).getFirst().source().toAdapter(name, model), 0.7);
        Tensor latents = random(1, 4, 8, 8), context = random(1, 5, model.unet().crossAttentionDim());
        try (Engine onnx = OnnxEngine.open(model, Device.CPU, 1);
                Engine torch = TorchEngine.open(model, Device.CPU, TorchSettings.standard().withThreads(1))
                        .networks()) {
            Tensor expected = torch.noisePredictor()
                    .predict(latents, new float[] {321}, Conditioning.of(context), List.of(applied));
            assertClose("UNet", expected,
                    onnx.noisePredictor()
                            .predict(latents, new float[] {321}, Conditioning.of(context), List.of(applied)),
                    5e-5);
            int[][] ids = {new int[model.textEncoder().maxTokens()]};
            assertClose("text encoder", torch.textEncoder().encode(ids, 1, List.of(applied)),
                    onnx.textEncoder().encode(ids, 1, List.of(applied)), 5e-5);
        }
    }

    private static Tensor random(long... sizes) {
        Tensor tensor = Tensor.zeros(Shape.of(sizes));
        for (int i = 0; i < tensor.data().length; i++) tensor.data()[i] = (float) Math.sin(1 + 7.3 * i);
        return tensor;
    }

    @ParameterizedTest @EnumSource(value = ExportFormat.class, names = {"KOHYA", "PEFT"})
    void exportsRoundTrip(ExportFormat format) throws Exception {
        MethodSettings settings = MethodSettings.parse("locon",
                Map.of("rank", "2", "alpha", "3", "text-encoder", "yes"));
        ParameterLayout layout = ParameterLayout.of(settings.method(), model.trainableLayers());
        float[] values = random(layout.size()).data();
        for (int i = 0; i < values.length; i++) values[i] *= 0.05f;
        AdapterFile ours = new AdapterFile(settings, new BaseModel("model", "0"), new Trigger("sks", "thing"),
                new AdapterFile.TrainingSummary(1, 1, 1), AdaptedLayer.of(settings.method(), model.trainableLayers()),
                layout.fromVector(values));
        format.write(
                ours, new ExportBaseModel(ModelReference.of(model.path()),
                        new BaseModelHashes(folder.resolve("hashes.json")), TorchSettings.standard()),
                folder.resolve("file.safetensors"));
        AdapterSource read = AdapterSource.read(folder.resolve("file.safetensors")).getFirst().source();
        assertInstanceOf(ExternalAdapter.class, read);
        Map<String, Tensor> expected = deltas(ours.toAdapter("ours", model), 1),
                found = deltas(read.toAdapter("read", model), 1);
        assertEquals(expected.keySet(), found.keySet());
        for (String key : expected.keySet()) assertClose(key, expected.get(key), found.get(key), 1e-5);
    }

    @Test
    void readsBundledEmbeddings() throws Exception {
        List<AdapterSource.NamedAdapter> found = AdapterSource.read(FOLDER.resolve("counted.safetensors"));
        assertEquals(List.of("counted", "<s1>"), found.stream().map(AdapterSource.NamedAdapter::name).toList());
        assertEquals("<s1>", assertInstanceOf(EmbeddingFile.class, found.get(1).source()).word());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_down.weight|2,96|"
                    + "is a LoRA for Stable Diffusion XL "
                    + "(it has lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_down.weight (2,96))",
            "text_encoder_2.text_model.encoder.layers.0.mlp.fc1.lora_A.weight|2,96|Stable Diffusion XL",
            "lora_unet_input_blocks_4_1_transformer_blocks_9_attn1_to_k.lora_down.weight|2,96|Stable Diffusion XL",
            "diffusion_model.label_emb.0.0.lora_down.weight|2,96|Stable Diffusion XL",
            "bundle_emb.word.clip_g|2,1280|Stable Diffusion XL",
            "lora_unet_double_blocks_0_img_attn_proj.lora_down.weight|2,96|is a LoRA for a transformer",
            TO_K + ".dora_scale|2,96|dora_scale: expected (128), found (2,96)",
            TO_K + ".vera_lambda_b|2|expected parameters of one kind, found LoRA and VeRA",
            TO_K + ".oft_blocks|2,4,4|expected parameters of one kind, found LoRA and OFT",
            PROJ_IN + ".oft_blocks|2,4,4|expected blocks of 128 channels in 1 stage, found 2 blocks of 4",
            PROJ_IN + ".oft_blocks|2,4|oft_blocks: expected square blocks, found (2,4)",
            PROJ_IN + ".oft_blocks|8,64,2,2|expected blocks of 128 channels in 8 stages, found 64 blocks of 2",
            PROJ_IN + ".oft_R.weight|4,5|oft_R.weight: expected rows of b(b−1)/2 elements, found (4,5)",
            PROJ_IN + ".dora_scale|128,1,1,1|no change of a weight to decompose",
            PROJ_IN + ".a1.weight|128,2,1,1|and no a2.weight",
            PROJ_IN + ".weight|1,128,1,1|and no on_input",
            PROJ_IN + ".ia3_l|1,128,1,1|ia3_l: expected feedforward_modules in adapter_config.json",
            TO_K + ".lora_A.one.weight|2,128|are the same parameter of one layer",
            TO_K + ".diff|128,128|expected parameters of one kind, found LoRA and full weight diffs",
            TO_K + ".lora_down.weight|2,999|expected two factors of (128,128), found (2,999) and (128,2)",
            TO_K + ".lora_down.weight|2,768|is a LoRA for Stable Diffusion 1.x",
            TO_K + ".lora_down.weight|2,1024|is a LoRA for Stable Diffusion 2.x",
            TO_K + ".lora_down.weight|2,2048|is a LoRA for Stable Diffusion XL"})
    void rejectsFilesThatDoNotFit(String key, String shape, String message) throws Exception {
        Map<String, Tensor> tensors = new HashMap<>(
                pair(TO_K + ".lora_down.weight", TO_K + ".lora_up.weight", TO_K_SHAPE));
        tensors.put(key, Tensor.zeros(Shape.of(Arrays.stream(shape.split(",")).mapToLong(Long::parseLong).toArray())));
        Path file = folder.resolve("strange.safetensors");
        SafetensorsWriter.write(file, tensors, Map.of());
        Failure rejected = assertThrows(Failure.class,
                () -> AdapterSource.read(file).getFirst().source().requireFits(model));
        assertTrue(rejected.getMessage().startsWith(file.toString()) && rejected.getMessage().contains(message),
                rejected.getMessage());
    }

    private static Map<String, Tensor> pair(String down, String up, Shape weight) {
        return Map.of(down, random(2, weight.size(1)), up, random(weight.size(0), 2));
    }

    /// Some layers in every convention; each changes the model as with sd-scripts' keys.
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "text|lora_te_text_model_encoder_layers_1_self_attn_q_proj|lora_down.weight|lora_up.weight",
            "text|lora_te1_text_model_encoder_layers_1_self_attn_q_proj|lora_down.weight|lora_up.weight",
            "text|lora_te_encoder_layers_1_self_attn_q_proj|lora_down.weight|lora_up.weight",
            "text|lora_te1_encoder_layers_1_self_attn_q_proj|lora_down.weight|lora_up.weight",
            "text|lycoris_text_model_encoder_layers_1_self_attn_q_proj|lora_down.weight|lora_up.weight",
            "text|lycoris_encoder_layers_1_self_attn_q_proj|lora_down.weight|lora_up.weight",
            "text|text_encoder.text_model.encoder.layers.1.self_attn.q_proj|lora_A.weight|lora_B.weight",
            "text|text_encoder.encoder.layers.1.self_attn.q_proj|lora_A.weight|lora_B.weight",
            "text|text_encoder.encoder.layers.1.self_attn.q_proj|lora_linear_layer.down.weight|"
                    + "lora_linear_layer.up.weight",
            "text|base_model.model.encoder.layers.1.self_attn.q_proj|lora_A.my-word_2.weight|lora_B.my-word_2.weight",
            "text|base_model.model.text_model.encoder.layers.1.self_attn.q_proj|lora_A.default.weight|"
                    + "lora_B.default.weight",
            "text|encoder.layers.1.self_attn.q_proj|lora_A.weight|lora_B.weight",
            "text|text_encoders.clip_l.transformer.text_model.encoder.layers.1.self_attn.q_proj|lora_down.weight|"
                    + "lora_up.weight",
            "text|text_encoders.clip_h.transformer.text_model.encoder.layers.1.self_attn.q_proj|lora_down.weight|"
                    + "lora_up.weight",
            "text|clip_l.text_model.encoder.layers.1.self_attn.q_proj|lora_down.weight|lora_up.weight",
            "text|text_encoder.text_model.encoder.layers.1.self_attn.to_q_|lora.down.weight|lora.up.weight",
            "text|text_model.encoder.layers.1.self_attn.to_q_|lora.down.weight|lora.up.weight",
            "out|lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_out_0|lora_down.weight|"
                    + "lora_up.weight",
            "out|lora_unet_input_blocks_3_1_transformer_blocks_0_attn1_to_out_0|lora_down.weight|lora_up.weight",
            "out|lycoris_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_out_0|lora_down.weight|"
                    + "lora_up.weight",
            "out|diffusion_model.input_blocks.3.1.transformer_blocks.0.attn1.to_out.0|lora_up.weight|lora_down.weight",
            "out|diffusion_model.input_blocks.3.1.transformer_blocks.0.attn1.to_out.0|lora_A.weight|lora_B.weight",
            "out|unet.input_blocks.3.1.transformer_blocks.0.attn1.to_out.0|lora_down.weight|lora_up.weight",
            "out|input_blocks.3.1.transformer_blocks.0.attn1.to_out.0|lora_A.weight|lora_B.weight",
            "out|unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_out.0|lora.down.weight|lora.up.weight",
            "out|unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.processor.to_out_|lora.down.weight|"
                    + "lora.up.weight",
            "out|unet.base_model.model.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_out.0|"
                    + "lora_A.weight|lora_B.weight",
            "out|base_model.model.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_out.0|"
                    + "lora_A.default_0.weight|lora_B.default_0.weight",
            "out|down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_out.0|lora_A.weight|lora_B.weight"})
    void allConventionsFindTheSameLayer(String layer, String name, String first, String second) throws Exception {
        String kohya = layer.equals("text") ? "lora_te_text_model_encoder_layers_1_self_attn_q_proj"
                : "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_out_0";
        Map<String, Tensor> expected = pair(kohya + ".lora_down.weight", kohya + ".lora_up.weight", TO_K_SHAPE);
        String between = name.endsWith("_") ? "" : ".";
        boolean upFirst = first.startsWith("lora_up");
        Map<String, Tensor> given = pair(name + between + (upFirst ? second : first),
                name + between + (upFirst ? first : second), TO_K_SHAPE);
        assertEquals(values("expected", expected), values("given", given));
    }

    /// Parameters of an adapter with these tensors, keyed `LAYER.PARAMETER`.
    private Map<String, Tensor> values(String name, Map<String, Tensor> tensors) throws Failure {
        Path file = folder.resolve(name + ".safetensors");
        SafetensorsWriter.write(file, tensors, Map.of());
        AdapterSource source = AdapterSource.read(file).getFirst().source();
        assertEquals(List.of(), source.warnings(model));
        return new TreeMap<>(source.toAdapter(name, model).parameters());
    }

    /// LoRA in OneTrainer's COMFY form: (α/r) · B · A in linear layers, convolutions and the text encoder, with names
    /// of the original code and α beside `lora_A` and `lora_B`.
    @Test
    void oneTrainersComfyFormIsLoraByItsFormula() throws Exception {
        Map<String, Shape> weights = Map.of("diffusion_model.input_blocks.3.1.transformer_blocks.0.attn1.to_out.0",
                TO_K_SHAPE, "diffusion_model.input_blocks.1.0.in_layers.2", Shape.of(64, 64, 3, 3),
                "diffusion_model.out.2", Shape.of(4, 64, 3, 3),
                "text_encoders.clip_l.transformer.text_model.encoder.layers.1.self_attn.q_proj", TO_K_SHAPE);
        Map<String, String> layers = Map.of(
                "diffusion_model.input_blocks.3.1.transformer_blocks.0.attn1.to_out.0",
                "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_out.0.weight",
                "diffusion_model.input_blocks.1.0.in_layers.2", "down_blocks.0.resnets.0.conv1.weight",
                "diffusion_model.out.2", "conv_out.weight",
                "text_encoders.clip_l.transformer.text_model.encoder.layers.1.self_attn.q_proj",
                "text_model.encoder.layers.1.self_attn.q_proj.weight");
        Map<String, Tensor> tensors = new HashMap<>(), expected = new TreeMap<>();
        weights.forEach((name, weight) -> {
            boolean isKernel = weight.rank() == 4;
            int outputs = (int) weight.size(0), inputs = (int) (weight.elements() / outputs);
            Tensor down = random(2, inputs), up = random(outputs, 2);
            tensors.put(name + ".lora_A.weight", isKernel ? down.reshape(weight.with(0, 2)) : down);
            tensors.put(name + ".lora_B.weight", isKernel ? up.reshape(Shape.of(outputs, 2, 1, 1)) : up);
            tensors.put(name + ".alpha", Tensor.filled(Shape.of(), 3));
            expected.put(layers.get(name), Tensor.generate(weight, i -> 3 / 2.0
                    * (up.data()[i / inputs * 2] * down.data()[i % inputs]
                            + up.data()[i / inputs * 2 + 1] * down.data()[inputs + i % inputs])));
        });
        Path file = folder.resolve("comfy.safetensors");
        SafetensorsWriter.write(file, tensors, Map.of());
        AdapterSource source = AdapterSource.read(file).getFirst().source();
        assertEquals(List.of(), source.warnings(model));
        Map<String, Tensor> found = deltas(source.toAdapter("comfy", model), 1);
        found.values().removeIf(delta -> delta.squaredNorm() == 0);
        assertEquals(expected.keySet(), found.keySet());
        for (String key : expected.keySet()) assertClose(key, expected.get(key), found.get(key), 1e-5);
    }

    /// The factor order of LyCORIS before 2.0, and OneTrainer's scaled OFT.
    @Test
    void olderFormsGiveTheSameParameters() throws Exception {
        Map<String, Tensor> glora = Map.of(TO_K + ".a1.weight", random(128, 2), TO_K + ".a2.weight", random(2, 128),
                TO_K + ".b1.weight", random(128, 2), TO_K + ".b2.weight", random(2, 128), TO_K + ".alpha", random(1));
        Map<String, Tensor> oldOrder = Map.of(TO_K + ".a2.weight", random(128, 2), TO_K + ".a1.weight", random(2, 128),
                TO_K + ".b2.weight", random(128, 2), TO_K + ".b1.weight", random(2, 128), TO_K + ".alpha", random(1));
        assertEquals(values("expected", glora), values("old", oldOrder));
        Map<String, Tensor> plain = Map.of(TO_K + ".oft_R.weight", random(16, 28).scaled(0.1));
        Map<String, Tensor> scaled = Map.of(TO_K + ".oft_R.weight", random(16, 28).scaled(0.1 * Math.sqrt(28)),
                TO_K + ".oft_R.scaled_oft", Tensor.filled(Shape.of(), 1));
        Map<String, Tensor> expected = values("plain", plain);
        values("scaled", scaled).forEach((key, value) -> assertClose(key, expected.get(key), value, 1e-6));
    }

    /// Every layer of a UNet of the Stable Diffusion 1 layout by its LDM key.
    @Test
    void everyLayerHasItsLdmKey() throws Exception {
        Map<String, Tensor> expected = new HashMap<>(), original = new HashMap<>(), dotted = new HashMap<>();
        LdmKeys.FromDiffusers names = new LdmKeys.FromDiffusers(
                model.layers(Component.UNET).stream().map(Layer::name).toList());
        Set<String> blocks = new TreeSet<>();
        for (Layer layer : model.layers(Component.UNET)) {
            Tensor delta = random(layer.weightShape().sizes());
            String own = names.ldmKey(layer.name());
            expected.put("lora_unet_" + layer.name().replace('.', '_') + ".diff", delta);
            original.put("lora_unet_" + own.replace('.', '_') + ".diff", delta);
            dotted.put("diffusion_model." + own + ".diff", delta);
            blocks.add(own.split("\\.")[0]);
        }
        assertEquals(Set.of("input_blocks", "middle_block", "out", "output_blocks", "time_embed"), blocks);
        assertEquals(values("expected", expected), values("original", original));
        assertEquals(values("expected", expected), values("dotted", dotted));
    }

    @ParameterizedTest
    @CsvSource({"lora-te1,te1", "lora-original-names,comfy", "lora-original-names,underscores",
            "lora-lycoris-prefix,lycoris", "lora-old-diffusers-text,old", "lora-peft-default,default",
            "lora-with-bundled-embedding,bundle", "lora-one-foreign-tensor,projection", "lora-one-foreign-tensor,step"})
    void samplesMatchTheirSdScriptsVersions(String folder, String name) throws Exception {
        AdapterSource same = AdapterSource.read(Shared.file("cases/" + folder + "/same.safetensors"))
                .getFirst()
                .source();
        AdapterSource source = AdapterSource.read(Shared.file("cases/" + folder + "/" + name + ".safetensors"))
                .getFirst()
                .source();
        assertEquals(same.toAdapter("a", model).parameters(), source.toAdapter("a", model).parameters());
    }

    @Test
    void readsFp8() throws Exception {
        AdapterSource source = AdapterSource.read(Shared.file("cases/lora-fp8/fp8.safetensors")).getFirst().source();
        assertEquals(3, deltas(source.toAdapter("fp8", model), 1).size());
    }

    @ParameterizedTest
    @CsvSource({"global_step,", "lora_te_text_projection.lora_down.weight,lora_te_text_projection.lora_up.weight",
            "text_encoder.text_projection.lora_A.weight,", "bundle_emb.word.clip_l_out,",
            "lora_unet_somewhere.alpha,", "else.weight,"})
    void ignoresUnmatchedTensorsWithAWarning(String one, String another) throws Exception {
        Map<String, Tensor> tensors = new HashMap<>(
                pair(TO_K + ".lora_down.weight", TO_K + ".lora_up.weight", TO_K_SHAPE));
        Map<String, Tensor> expected = values("expected", tensors);
        for (String key : Arrays.asList(one, another)) if (key != null) tensors.put(key, random(2, 128));
        Path file = folder.resolve("with.safetensors");
        SafetensorsWriter.write(file, tensors, Map.of());
        AdapterSource source = AdapterSource.read(file).getFirst().source();
        assertEquals(expected, new TreeMap<>(source.toAdapter("a", model).parameters()));
        String warning = String.join("\n", source.warnings(model));
        assertTrue(warning.startsWith(file + ": " + model.name() + " has no layer for ") && warning.contains(one)
                && (another == null || warning.contains(another)), warning);
    }

    @Test
    void rejectsFilesWithMostlyUnmatchedLayers() throws Exception {
        Map<String, Tensor> tensors = new HashMap<>(
                pair(TO_K + ".lora_down.weight", TO_K + ".lora_up.weight", TO_K_SHAPE));
        for (String layer : List.of("lora_unet_a", "lora_unet_b")) tensors.put(layer + ".hada_w1_a", random(2, 2));
        Path file = folder.resolve("mostly.safetensors");
        SafetensorsWriter.write(file, tensors, Map.of());
        String message = assertThrows(Failure.Incompatible.class,
                () -> AdapterSource.read(file).getFirst().source().requireFits(model)).getMessage();
        assertTrue(message
                .startsWith(file + ": is a LoRA with LoHa and does not fit " + model.name() + ", 2 of 3 layers differ:")
                && message.contains("lora_unet_a.hada_w1_a: the model has no such layer"), message);
    }

    /// Keys of A1111, OneTrainer, and diffusers within A1111's.
    @ParameterizedTest @ValueSource(strings = {"string_to_param.*", "clip_l", "emb_params", "<blob>"})
    void readsBundledEmbeddingsByWord(String rows) throws Exception {
        Map<String, Tensor> tensors = new HashMap<>(
                pair(TO_K + ".lora_down.weight", TO_K + ".lora_up.weight", TO_K_SHAPE));
        Map<String, Tensor> expected = values("expected", tensors);
        tensors.put("bundle_emb.blob." + rows, random(2, 128));
        tensors.put("bundle_emb.blob.string_to_token.*", random(1));
        Path file = folder.resolve("bundle.safetensors");
        SafetensorsWriter.write(file, tensors, Map.of());
        List<AdapterSource.NamedAdapter> found = AdapterSource.read(file);
        assertEquals(List.of("bundle", "blob"), found.stream().map(AdapterSource.NamedAdapter::name).toList());
        assertEquals(expected, new TreeMap<>(found.getFirst().source().toAdapter("a", model).parameters()));
        assertEquals(List.of(), found.getFirst().source().warnings(model));
        EmbeddingFile word = assertInstanceOf(EmbeddingFile.class, found.get(1).source());
        assertEquals("blob", word.word());
        assertEquals(random(2, 128), word.rows());
        tensors.keySet().removeIf(key -> !key.startsWith("bundle_emb"));
        SafetensorsWriter.write(file, tensors, Map.of());
        assertEquals(List.of("blob"),
                AdapterSource.read(file).stream().map(each -> each.source().triggerWords()).toList(),
                "an embedding alone");
    }

    @Test
    void recognizesPublishedFiles() throws Exception {
        Path loras = Shared.file("data/loras");
        try (var files = Files.list(loras)) {
            for (Path file : files.filter(each -> each.toString().endsWith(".safetensors")).toList()) {
                List<AdapterSource.NamedAdapter> found = AdapterSource.read(file);
                ExternalAdapter adapter = assertInstanceOf(ExternalAdapter.class, found.getFirst().source());
                assertTrue(adapter.layerCount() == 128 || adapter.layerCount() == 192,
                        file + ": " + adapter.layerCount());
                Failure rejected = assertThrows(Failure.Incompatible.class, () -> adapter.requireFits(model));
                assertTrue(rejected.getMessage().contains("layers differ"), rejected.getMessage());
                assertEquals(found.size() - 1,
                        found.stream()
                                .map(AdapterSource.NamedAdapter::name)
                                .filter(name -> name.startsWith("<"))
                                .collect(Collectors.toSet())
                                .size());
            }
        }
    }
}
