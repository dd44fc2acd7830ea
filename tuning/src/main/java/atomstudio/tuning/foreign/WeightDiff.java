package atomstudio.tuning.foreign;

import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.Map;

/// W + ΔW, all of it in the file.
record WeightDiff() implements Adaptation {
    @Override public Map<String, Shape> parameterShapes(Layer layer) {
        return Map.of("weight", layer.weightShape());
    }

    @Override public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters, T adapterWeight) {
        return new LayerWeights<>(ops.add(base.weight(), ops.multiply(parameters.get("weight"), adapterWeight)), base.bias());
    }
}
