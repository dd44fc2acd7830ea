package atomstudio.diffusion.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FusedWeightsTest {
    @Test
    void evictsCachedWeightsBeforeFusingNewOnes() throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.own("goldens/nets/sd1/model"));
        Layer layer = model.layers(Component.UNET).getFirst();
        AddedWeight adaptation = new AddedWeight(layer.name());
        long bytes = Float.BYTES * layer.weightShape().elements();
        Adapter adapter = new Adapter("plus", "00", adaptation,
                Map.of(layer.name() + ".w", Tensor.filled(layer.weightShape(), 1)));
        // Fusing fails without parameters: what is cached after the failure was cached during fusing.
        Adapter empty = new Adapter("empty", "01", adaptation, Map.of());
        OnnxRuntime runtime = OnnxRuntime.open(Device.CPU, 1);
        try (Checkpoint weights = model.openCheckpoint(Component.UNET);
                FusedWeights small = new FusedWeights(model.layers(Component.UNET), weights, bytes);
                FusedWeights large = new FusedWeights(model.layers(Component.UNET), weights, 2 * bytes)) {
            for (FusedWeights fused : List.of(small, large))
                fused.inputs(runtime, List.of(new WeightedAdapter(adapter, 1)));
            assertEquals(List.of(bytes, bytes), List.of(small.cachedBytes(), large.cachedBytes()));
            for (FusedWeights fused : List.of(small, large))
                assertThrows(Failure.class, () -> fused.inputs(runtime, List.of(new WeightedAdapter(empty, 1))));
            assertEquals(List.of(0L, bytes), List.of(small.cachedBytes(), large.cachedBytes()));
            var half = large.inputs(runtime, List.of(new WeightedAdapter(adapter, 0.5)));
            assertSame(half, large.inputs(runtime, List.of(new WeightedAdapter(adapter, 0.5))), "fused once");
            assertEquals(2 * bytes, large.cachedBytes());
        }
    }

    /// An adapter that adds a constant to the first layer's weight.
    static Adapter addedWeight(DiffusionModel model, float value) {
        Layer layer = model.layers(Component.UNET).getFirst();
        return new Adapter("plus " + value, "plus" + value, new AddedWeight(layer.name()),
                Map.of(layer.name() + ".w", Tensor.filled(layer.weightShape(), value)));
    }

    private record AddedWeight(String target) implements Adaptation {
        @Override
        public Map<String, Shape> parameterShapes(Layer layer) {
            return layer.name().equals(target) ? Map.of("w", layer.weightShape()) : Map.of();
        }

        @Override
        public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base,
                AdapterParameters<T> parameters,
                T adapterWeight) {
            return new LayerWeights<>(ops.add(base.weight(), ops.multiply(parameters.get("w"), adapterWeight)),
                    base.bias());
        }
    }
}
