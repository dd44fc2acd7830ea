package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import java.util.List;

/// A method on the layers with kernels larger than 1×1, in a UNet the 3×3 convolutions.
record SpatialKernels(TuningMethod method) implements LayerwiseMethod {
    @Override
    public String name() {
        return method.name();
    }

    @Override
    public TuningMethod methodFor(Layer layer) {
        return method.methodFor(layer);
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        return layer.kernelSize() > 1 ? method.parameterSpecs(layer) : List.of();
    }
}
