package atomstudio.tuning.torch;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Conditioning;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.SliceableAttention;
import atomstudio.diffusion.engine.TileDecoder;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.onnx.OnnxSettings;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.ChannelAtoms;
import atomstudio.tuning.method.CounterRng;
import atomstudio.tuning.method.FilterAtoms;
import atomstudio.tuning.method.Lora;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.Oft;
import atomstudio.tuning.method.ParallelAdapter;
import atomstudio.tuning.method.SerialAdapter;
import atomstudio.tuning.method.TuningMethod;
import atomstudio.tuning.setting.Setting;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// PyTorch and ONNX Runtime agree on every network, with and without adapters.
class EnginesAgreeTest {
    private static final double TOLERANCE = 2e-5;
    private static DiffusionModel model;
    private static Engine torch;
    private static Engine onnx;
    private static Engine live;
    private static Engine folding;
    private static Engine half;
    private static List<Engine> halfGraphs;
    private static final Tensor LATENTS = ReferenceOps.random(1, 1, 4, 8, 8);
    private static final float[] TIMESTEPS = {321};

    @BeforeAll
    static void open() throws Exception {
        model = DiffusionModel.open(TinyModel.reference("sd1"));
        torch = TorchEngine.open(model, Device.CPU, TorchSettings.standard().withThreads(1)).networks();
        onnx = OnnxEngine.open(model, Device.CPU, 1);
        live = OnnxEngine.open(model, Device.CPU, 1, new OnnxSettings(0, OnnxSettings.AdapterMode.RUNTIME));
        folding = TorchEngine.openForSampling(model, Device.CPU, TorchSettings.standard().withThreads(1),
                ComputeDtype.FP32);
        half = TorchEngine.openForSampling(model, Device.CPU, TorchSettings.standard().withThreads(1),
                ComputeDtype.BF16);
        halfGraphs = List.of(
                OnnxEngine.open(model, Device.CPU, 1,
                        new OnnxSettings(0, OnnxSettings.AdapterMode.FUSED, OnnxSettings.UNetPrecision.FLOAT16)),
                OnnxEngine.open(model, Device.CPU, 1, new OnnxSettings(1 << 20, OnnxSettings.AdapterMode.RUNTIME,
                        OnnxSettings.UNetPrecision.FLOAT16)));
    }

    @AfterAll
    static void close() {
        torch.close();
        onnx.close();
        live.close();
        folding.close();
        half.close();
        halfGraphs.forEach(Engine::close);
    }

    static List<TuningMethod> methods() throws Failure {
        List<TuningMethod> methods = new ArrayList<>(
                List.of(new ChannelAtoms(4, 5), new Oft(Oft.Side.INPUT, new Oft.BlockSpec(Oft.BlockSpec.Unit.SIZE, 4)),
                        new Oft(Oft.Side.OUTPUT, new Oft.BlockSpec(Oft.BlockSpec.Unit.SIZE, 4)),
                        new Oft(Oft.Side.OUTPUT, new Oft.BlockSpec(Oft.BlockSpec.Unit.COUNT, 1))));
        for (String fewer : List.of("atoms", "overcomplete"))
            methods.add(MethodSettings.parse(fewer, Map.of("atoms", "4", "layers", "conv")).method());
        for (String everywhere : List.of("lora", "loha", "lokr", "oft", "boft", "dora", "glora", "ia3", "vera"))
            methods.add(MethodSettings.parse(everywhere, Map.of("layers", "linear,conv")).method());
        methods.add(MethodSettings.parse("lora", Map.of("init", "pissa", "scaling", "rank-stabilized")).method());
        methods.add(MethodSettings.parse("t-lora", Map.of("orthogonal", Setting.YES)).method());
        for (String branches : List.of("serial-adapter", "parallel-adapter"))
            methods.add(MethodSettings.parse(branches, Map.of("combine-with", "atoms")).method());
        for (MethodName choice : MethodName.values()) {
            if (choice != MethodName.TEXTUAL_INVERSION) methods.add(MethodSettings.of(choice).method());
        }
        return methods;
    }

    @ParameterizedTest @MethodSource("methods")
    void agreeOnEveryMethodAndAdapterWeight(TuningMethod method) throws Exception {
        Tensor context = ReferenceOps.random(2, 1, 5, model.unet().crossAttentionDim());
        Tensor base = torch.noisePredictor().predict(LATENTS, TIMESTEPS, Conditioning.of(context), List.of());
        for (double adapterWeight : new double[] {0, 0.7, 2}) {
            List<WeightedAdapter> applied = List.of(new WeightedAdapter(adapter(method, 1), adapterWeight));
            Tensor expected = torch.noisePredictor().predict(LATENTS, TIMESTEPS, Conditioning.of(context), applied);
            Tensor folded = onnx.noisePredictor().predict(LATENTS, TIMESTEPS, Conditioning.of(context), applied);
            assertClose(method + " at " + adapterWeight, expected, folded, TOLERANCE);
            assertClose(method + " multiplied in or live, at " + adapterWeight,
                    live.noisePredictor().predict(LATENTS, TIMESTEPS, Conditioning.of(context), applied), folded, 1e-5);
            assertClose(method + " multiplied in by PyTorch, at " + adapterWeight, expected,
                    folding.noisePredictor().predict(LATENTS, TIMESTEPS, Conditioning.of(context), applied), 1e-5);
            Tensor rounded = half.noisePredictor().predict(LATENTS, TIMESTEPS, Conditioning.of(context), applied);
            assertClose(method + " in bfloat16, at " + adapterWeight, expected, rounded, 0.1);
            assertNotEquals(expected, rounded);
            for (Engine graph : adapterWeight == 0.7 ? halfGraphs : List.<Engine>of()) {
                Tensor inHalf = graph.noisePredictor().predict(LATENTS, TIMESTEPS, Conditioning.of(context), applied);
                assertClose(method + " in float16, at " + adapterWeight, expected, inHalf, 0.02);
                assertNotEquals(expected, inHalf);
            }
            if (adapterWeight == 0) assertClose("weight 0 is the base model", base, expected, 1e-5);
            else assertNotEquals(base, expected);
        }
    }

    /// At every rank, also with other adapters.
    @ParameterizedTest @ValueSource(strings = {Setting.NO, Setting.YES})
    void agreeOnRanksByTimestep(String orthogonal) throws Exception {
        Tensor context = ReferenceOps.random(2, 1, 5, model.unet().crossAttentionDim());
        TuningMethod method = MethodSettings.parse("t-lora",
                Map.of("layers", "linear", "rank", "4", "min-rank", "1", "orthogonal", orthogonal)).method();
        List<WeightedAdapter> applied = List.of(new WeightedAdapter(adapter(method, 1), 0.7),
                new WeightedAdapter(adapter(new FilterAtoms(9), 1), 0.7));
        for (float timestep : new float[] {999, 700, 333.4f, 333.2f, 0}) {
            Tensor expected = torch.noisePredictor()
                    .predict(LATENTS, new float[] {timestep}, Conditioning.of(context), applied);
            for (Engine engine : List.of(onnx, live, folding))
                assertClose(engine + " at " + timestep, expected, engine.noisePredictor()
                        .predict(LATENTS, new float[] {timestep}, Conditioning.of(context), applied), TOLERANCE);
        }
    }

    @Test
    void fusingAnotherAdapterDoesNotAffectTheNext() throws Exception {
        Tensor context = ReferenceOps.random(2, 1, 5, model.unet().crossAttentionDim());
        List<List<WeightedAdapter>> looks = new ArrayList<>(List.of(List.of()));
        for (double adapterWeight : new double[] {1, 0.5})
            for (TuningMethod method : List.of(new FilterAtoms(9), new Lora(2)))
                looks.add(List.of(new WeightedAdapter(adapter(method, 1), adapterWeight)));
        for (Engine engine : List.of(onnx, live, folding)) {
            List<Tensor> first = new ArrayList<>();
            for (List<WeightedAdapter> look : looks)
                first.add(engine.noisePredictor().predict(LATENTS, TIMESTEPS, Conditioning.of(context), look));
            for (int i = looks.size() - 1; i >= 0; i--)
                assertEquals(first.get(i),
                        engine.noisePredictor().predict(LATENTS, TIMESTEPS, Conditioning.of(context), looks.get(i)),
                        engine + " " + looks.get(i));
            for (int i = 1; i < first.size(); i++) assertNotEquals(first.getFirst(), first.get(i));
        }
    }

    @Test
    void agreesForChunkedBlocks() throws Exception {
        Tensor wide = ReferenceOps.random(3, 1, 4, 32, 32);
        Tensor context = ReferenceOps.random(2, 1, 5, model.unet().crossAttentionDim());
        try (Engine mapped = OnnxEngine.open(model, Device.CPU, 1,
                new OnnxSettings(0, OnnxSettings.AdapterMode.FUSED))) {
            for (List<WeightedAdapter> applied : List.of(List.<WeightedAdapter>of(),
                    List.of(new WeightedAdapter(
                            adapter(MethodSettings.parse("lora", Map.of("layers", "linear,conv")).method(), 1),
                            0.7)),
                    List.of(new WeightedAdapter(adapter(new SerialAdapter(3), 1), 0.7),
                            new WeightedAdapter(adapter(new FilterAtoms(9), 1), 0.7),
                            new WeightedAdapter(adapter(new ParallelAdapter(3, 0.5), 1), 1)))) {
                Tensor expected = onnx.noisePredictor().predict(wide, TIMESTEPS, Conditioning.of(context), applied);
                assertClose("in parts", expected,
                        mapped.noisePredictor().predict(wide, TIMESTEPS, Conditioning.of(context), applied), 1e-5);
                assertClose("in chunks, live adapters", expected,
                        live.noisePredictor().predict(wide, TIMESTEPS, Conditioning.of(context), applied),
                        1e-5);
            }
            Tensor whole = mapped.noisePredictor().predict(wide, TIMESTEPS, Conditioning.of(context), List.of());
            assertTrue(assertInstanceOf(SliceableAttention.class, mapped.noisePredictor()).enableAttentionSlicing());
            assertClose("in slices", whole,
                    mapped.noisePredictor().predict(wide, TIMESTEPS, Conditioning.of(context), List.of()), 1e-5);
        }
    }

    @Test
    void agreeOnSeveralAdapters() throws Exception {
        Tensor context = ReferenceOps.random(2, 1, 5, model.unet().crossAttentionDim());
        List<WeightedAdapter> applied = List.of(new WeightedAdapter(adapter(new FilterAtoms(9), 1), 1),
                new WeightedAdapter(adapter(new FilterAtoms(4), 2), 0.5),
                new WeightedAdapter(adapter(new Lora(2), 3), 1.5),
                new WeightedAdapter(adapter(new SerialAdapter(4), 4), 0.8),
                new WeightedAdapter(adapter(new SerialAdapter(2), 5), 0.5));
        assertClose("five", torch.noisePredictor().predict(LATENTS, TIMESTEPS, Conditioning.of(context), applied),
                onnx.noisePredictor().predict(LATENTS, TIMESTEPS, Conditioning.of(context), applied), TOLERANCE);
        List<WeightedAdapter> opposed = List.of(applied.getFirst(),
                new WeightedAdapter(applied.getFirst().adapter(), -1));
        assertClose("an adapter and its opposite",
                torch.noisePredictor().predict(LATENTS, TIMESTEPS, Conditioning.of(context), List.of()),
                torch.noisePredictor().predict(LATENTS, TIMESTEPS, Conditioning.of(context), opposed), TOLERANCE);
    }

    @Test
    void agreeOnTheDecoderInTiles() throws Exception {
        int level = model.vae().levels() - 1;
        TileDecoder expectedDecoder = assertInstanceOf(TileDecoder.class, torch.autoencoder());
        TileDecoder foundDecoder = assertInstanceOf(TileDecoder.class, onnx.autoencoder());
        Tensor features = expectedDecoder.decodeHead(LATENTS, level);
        assertClose("head", features, foundDecoder.decodeHead(LATENTS, level), TOLERANCE);
        List<LayerWeights<Tensor>> norms = new ArrayList<>();
        while (norms.size() <= model.vae().normCount(level)) {
            Tensor expected = expectedDecoder.decodeTile(features, level, norms);
            assertClose(norms.size() + " norms", expected, foundDecoder.decodeTile(features, level, norms), TOLERANCE);
            Shape channels = Shape.of(1, expected.shape().size(1), 1, 1);
            norms.add(new LayerWeights<>(Tensor.filled(channels, 0.5f), Tensor.filled(channels, 0.1f)));
        }
    }

    private static Adapter adapter(TuningMethod method, long seed) {
        return adapter(model, method, seed);
    }

    static Adapter adapter(DiffusionModel model, TuningMethod method, long seed) {
        Map<String, Tensor> values = new HashMap<>();
        for (Layer layer : model.unet().layers()) {
            for (Map.Entry<String, Shape> slot : method.parameterShapes(layer).entrySet()) {
                String key = layer.name() + "." + slot.getKey();
                float[] parameters = new CounterRng(seed, key).normals((int) slot.getValue().elements());
                for (int i = 0; i < parameters.length; i++)
                    parameters[i] = 0.1f * parameters[i]
                            + (slot.getKey().equals("g") || slot.getKey().equals("gamma") ? 1 : 0);
                values.put(key, new Tensor(slot.getValue(), parameters));
            }
        }
        return new Adapter("random", "hash " + method + seed, method, values);
    }
}
