package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import java.util.List;

/// A method on a classifier's backbone, with its head trained in full.
/// @param head path of the head's layer
public record TrainedHead(TuningMethod backbone, String head) implements LayerwiseMethod {
    private static final TuningMethod FULL = new FullFineTuning();

    @Override
    public String name() {
        return backbone.name();
    }

    @Override
    public TuningMethod methodFor(Layer layer) {
        return layer.path().equals(head) ? FULL : backbone.methodFor(layer);
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        return (layer.path().equals(head) ? FULL : backbone).parameterSpecs(layer);
    }
}
