package atomstudio.tuning.foreign;

import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.Map;

/// W + up · down, the product in the weight's shape.
record LowRankProduct(int rank, long rows, long columns) implements Adaptation {
    Shape upShape() {
        return Shape.of(rows, rank);
    }

    Shape downShape() {
        return Shape.of(rank, columns);
    }

    @Override public Map<String, Shape> parameterShapes(Layer layer) {
        return Map.of("down", downShape(), "up", upShape());
    }

    @Override public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters, T adapterWeight) {
        T delta = ops.matmul(ops.multiply(parameters.get("up"), adapterWeight), parameters.get("down"));
        return new LayerWeights<>(ops.add(base.weight(), ops.reshape(delta, layer.weightShape())), base.bias());
    }
}
