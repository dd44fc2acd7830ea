package atomstudio.tuning.foreign;

import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.Map;

/// W + w1 ⊗ w2 with whole factors: w1 (outputs, inputs), w2 (blockOutputs, blockColumns), the kernel within w2's columns.
record KroneckerProduct(long outputs, long inputs, long blockOutputs, long blockColumns) implements Adaptation {
    Shape w1Shape() {
        return Shape.of(outputs, inputs);
    }

    Shape w2Shape() {
        return Shape.of(blockOutputs, blockColumns);
    }

    @Override public Map<String, Shape> parameterShapes(Layer layer) {
        return Map.of("w1", w1Shape(), "w2", w2Shape());
    }

    @Override public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters, T adapterWeight) {
        T w1 = ops.reshape(ops.multiply(parameters.get("w1"), adapterWeight), Shape.of(outputs, 1, inputs, 1));
        T delta = ops.multiply(w1, ops.reshape(parameters.get("w2"), Shape.of(1, blockOutputs, 1, blockColumns)));
        return new LayerWeights<>(ops.add(base.weight(), ops.reshape(delta, layer.weightShape())), base.bias());
    }
}
