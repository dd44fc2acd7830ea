package atomstudio.tuning.foreign;

import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.Map;

/// W + up · down, the product in the weight's shape.
record Product(int rank, long rows, long columns) implements Adaptation {
    Shape up() {
        return Shape.of(rows, rank);
    }

    Shape down() {
        return Shape.of(rank, columns);
    }

    @Override public Map<String, Shape> parameterShapes(Layer layer) {
        return Map.of("down", down(), "up", up());
    }

    @Override public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> theta, T strength) {
        T change = ops.matmul(ops.multiply(theta.get("up"), strength), theta.get("down"));
        return new LayerWeights<>(ops.add(base.weight(), ops.reshape(change, layer.weightShape())), base.bias());
    }
}
