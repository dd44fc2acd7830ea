package atomstudio.diffusion.ops;

import atomstudio.diffusion.tensor.Shape;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Layers without numbers: writes down every layer that a network asks for, in the order of asking.
public final class LayerRecorder implements WeightSource<Shape> {
    private final Map<String, Layer> recorded = new LinkedHashMap<>();

    /// A pass through a network on tensors that are only their shapes.
    @FunctionalInterface
    public interface ForwardPass {
        void run(Ops<Shape> ops, WeightSource<Shape> layers);
    }

    /// Every layer that some passes ask for, in the order of asking.
    public static List<Layer> layers(ForwardPass... passes) {
        LayerRecorder recorder = new LayerRecorder();
        for (ForwardPass pass : passes) pass.run(new ShapeOps(), recorder);
        return recorder.layers();
    }

    @Override
    public LayerWeights<Shape> get(Layer layer) {
        recorded.put(layer.name(), layer);
        return new LayerWeights<>(layer.weightShape(), layer.hasBias() ? layer.biasShape() : null);
    }

    public List<Layer> layers() {
        return List.copyOf(recorded.values());
    }

    /// Numbers in all layers together.
    public static long parameterCount(List<Layer> layers) {
        return layers.stream().mapToLong(Layer::parameterCount).sum();
    }

    /// Weight and bias tensors in all layers together.
    public static long tensorCount(List<Layer> layers) {
        return layers.stream().mapToLong(layer -> layer.hasBias() ? 2 : 1).sum();
    }
}
