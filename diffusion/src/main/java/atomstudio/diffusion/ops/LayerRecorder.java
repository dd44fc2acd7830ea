package atomstudio.diffusion.ops;

import atomstudio.diffusion.tensor.Shape;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Lists a network's layers: a weight source without values that records every requested layer.
public final class LayerRecorder implements WeightSource<Shape> {
    private final Map<String, Layer> recorded = new LinkedHashMap<>();

    /// A forward pass of a network on shapes.
    @FunctionalInterface
    public interface ForwardPass {
        void run(Ops<Shape> ops, WeightSource<Shape> layers);
    }

    /// The layers that some forward passes use, in order of first use.
    public static List<Layer> layers(ForwardPass... passes) {
        LayerRecorder recorder = new LayerRecorder();
        for (ForwardPass pass : passes) pass.run(new ShapeOps(), recorder);
        return recorder.layers();
    }

    @Override
    public LayerWeights<Shape> get(Layer layer) {
        recorded.put(layer.path(), layer);
        return new LayerWeights<>(layer.weightShape(), layer.hasBias() ? layer.biasShape() : null);
    }

    public List<Layer> layers() {
        return List.copyOf(recorded.values());
    }
}
