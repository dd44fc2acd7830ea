package atomstudio.tuning.foreign;

import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.Map;

/// W + w1 ⊗ w2 with whole factors: w1 (outputs, inputs), w2 (blockOutputs, blockColumns), the kernel within w2's columns.
record Kronecker(long outputs, long inputs, long blockOutputs, long blockColumns) implements Adaptation {
    Shape first() {
        return Shape.of(outputs, inputs);
    }

    Shape second() {
        return Shape.of(blockOutputs, blockColumns);
    }

    @Override public Map<String, Shape> parameterShapes(Layer layer) {
        return Map.of("w1", first(), "w2", second());
    }

    @Override public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> theta, T strength) {
        T w1 = ops.reshape(ops.multiply(theta.get("w1"), strength), Shape.of(outputs, 1, inputs, 1));
        T change = ops.multiply(w1, ops.reshape(theta.get("w2"), Shape.of(1, blockOutputs, 1, blockColumns)));
        return new LayerWeights<>(ops.add(base.weight(), ops.reshape(change, layer.weightShape())), base.bias());
    }
}
