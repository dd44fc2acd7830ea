package atomstudio.tuning.torch;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import atomstudio.diffusion.engine.Conditioning;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.CounterRng;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Adapters of the text encoder: PyTorch and ONNX Runtime agree, and adapters of other networks do not change it.
class TextAdaptersTest {
    private static final double TOLERANCE = 2e-5;
    private static final String TABLE = "text_model.embeddings.token_embedding";
    private static DiffusionModel model;
    private static Engine torch;
    private static Engine onnx;

    /// Appends rows to the embedding: start + s · (rows − start).
    record Rows(int count) implements Adaptation {
        @Override
        public Map<String, Shape> parameterShapes(Layer layer) {
            Shape shape = Shape.of(count, layer.weightShape().size(-1));
            return layer.name().equals(TABLE) ? Map.of("start", shape, "rows", shape) : Map.of();
        }

        @Override
        public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> theta,
                T adapterWeight) {
            T start = theta.get("start");
            T change = ops.multiply(ops.add(theta.get("rows"), ops.scale(start, -1)), adapterWeight);
            return new LayerWeights<>(ops.concat(base.weight(), ops.add(start, change), 0), null);
        }
    }

    /// Adds a matrix to the query and value projections, optionally also the UNet's.
    private record Projections(String ends) implements Adaptation {
        @Override
        public Map<String, Shape> parameterShapes(Layer layer) {
            return layer.kind() == Layer.Kind.LINEAR && layer.name().endsWith(ends)
                    ? Map.of("delta", layer.weightShape())
                    : Map.of();
        }

        @Override
        public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> theta,
                T adapterWeight) {
            return new LayerWeights<>(ops.add(base.weight(), ops.multiply(theta.get("delta"), adapterWeight)),
                    base.bias());
        }
    }

    @BeforeAll
    static void open() throws Exception {
        model = DiffusionModel.open(TinyModel.reference("sd1"));
        torch = TorchEngine.open(model, Device.CPU, TorchSettings.standard().withThreads(1)).networks();
        onnx = OnnxEngine.open(model, Device.CPU, 1);
    }

    @AfterAll
    static void close() {
        torch.close();
        onnx.close();
    }

    private static WeightedAdapter applied(Adaptation form, long seed, double adapterWeight) {
        Map<String, Tensor> values = new HashMap<>();
        for (Layer layer : model.trainableLayers()) {
            form.parameterShapes(layer).forEach((slot, shape) -> {
                float[] parameters = new CounterRng(seed, layer.name() + slot).normals((int) shape.elements());
                for (int i = 0; i < parameters.length; i++) parameters[i] *= 0.2f;
                values.put(layer.name() + "." + slot, new Tensor(shape, parameters));
            });
        }
        return new WeightedAdapter(new Adapter("random", form + " " + seed, form, values), adapterWeight);
    }

    private static int[][] ids(int... own) {
        int[] ids = new int[model.textEncoder().maxTokens()];
        ids[0] = 998;
        java.util.Arrays.fill(ids, 1, ids.length, 999);
        System.arraycopy(own, 0, ids, 1, own.length);
        return new int[][] {ids};
    }

    private static Tensor agreed(int[][] ids, List<WeightedAdapter> adapters) throws Exception {
        Tensor expected = torch.textEncoder().encode(ids, 1, adapters);
        assertClose("last", expected, onnx.textEncoder().encode(ids, 1, adapters), TOLERANCE);
        assertClose("last but one", torch.textEncoder().encode(ids, 2, adapters),
                onnx.textEncoder().encode(ids, 2, adapters), TOLERANCE);
        return expected;
    }

    @ParameterizedTest @ValueSource(doubles = {0, 0.7, 2})
    void enginesAgreeOnAdaptedTextEncoder(double adapterWeight) throws Exception {
        Tensor tuned = agreed(ids(3, 4, 5), List.of(applied(new Projections("_proj"), 1, adapterWeight)));
        Tensor base = torch.textEncoder().encode(ids(3, 4, 5), 1, List.of());
        if (adapterWeight == 0) assertClose("weight 0 is the base model", base, tuned, 1e-5);
        else assertNotEquals(base, tuned);
    }

    @Test
    void rowsOfSeveralAdaptersAreAppendedInOrder() throws Exception {
        int next = model.textEncoder().vocabularySize();
        WeightedAdapter one = applied(new Rows(1), 1, 1);
        WeightedAdapter two = applied(new Rows(2), 2, 0.6);
        Tensor both = agreed(ids(3, next, next + 1, next + 2),
                List.of(one, applied(new Projections("v_proj"), 3, 1), two));
        assertNotEquals(both, agreed(ids(3, next, next + 1, next + 2), List.of(one, two)));
        assertEquals(torch.textEncoder().encode(ids(3, next), 1, List.of(one)),
                torch.textEncoder().encode(ids(3, next), 1, List.of(one, two)), "the first one's row is where it was");
        assertEquals(torch.textEncoder().encode(ids(3, next, next + 1), 1, List.of(two)),
                torch.textEncoder().encode(ids(3, next + 1, next + 2), 1, List.of(one, two)),
                "the second one's come after it");
    }

    @Test
    void atWeightZeroRowsAreTheirInitialization() throws Exception {
        int next = model.textEncoder().vocabularySize();
        WeightedAdapter row = applied(new Rows(1), 1, 0);
        Map<String, Tensor> started = new HashMap<>(row.adapter().parameters());
        started.put(TABLE + ".rows", started.get(TABLE + ".start"));
        Tensor start = agreed(ids(3, next),
                List.of(new WeightedAdapter(new Adapter("start", "start", new Rows(1), started), 1)));
        assertClose("strength 0", start, agreed(ids(3, next), List.of(row)), 1e-6);
        assertNotEquals(start, agreed(ids(3, next), List.of(new WeightedAdapter(row.adapter(), 1))));
    }

    @Test
    void adapterWithoutLayersInANetworkDoesNotChangeIt() throws Exception {
        WeightedAdapter unet = applied(new Projections("to_q"), 1, 1);
        WeightedAdapter text = applied(new Projections("q_proj"), 1, 1);
        assertEquals(torch.textEncoder().encode(ids(3), 1, List.of()),
                torch.textEncoder().encode(ids(3), 1, List.of(unet)));
        assertEquals(onnx.textEncoder().encode(ids(3), 1, List.of()),
                onnx.textEncoder().encode(ids(3), 1, List.of(unet)));
        Tensor latents = ReferenceOps.random(1, 1, 4, 8, 8);
        Tensor context = ReferenceOps.random(2, 1, 5, model.unet().crossAttentionDim());
        float[] timesteps = {321};
        assertEquals(torch.noisePredictor().predict(latents, timesteps, Conditioning.of(context), List.of()),
                torch.noisePredictor().predict(latents, timesteps, Conditioning.of(context), List.of(text)));
        assertEquals(onnx.noisePredictor().predict(latents, timesteps, Conditioning.of(context), List.of()),
                onnx.noisePredictor().predict(latents, timesteps, Conditioning.of(context), List.of(text)));
        assertNotEquals(onnx.noisePredictor().predict(latents, timesteps, Conditioning.of(context), List.of()),
                onnx.noisePredictor().predict(latents, timesteps, Conditioning.of(context), List.of(text, unet)));
    }
}
