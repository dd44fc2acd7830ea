package atomstudio.diffusion.ops;

import atomstudio.diffusion.tensor.Shape;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Layers without numbers: writes down every layer that a network asks for, in the order of asking.
public final class DryRun implements Layers<Shape> {
    private final Map<String, Layer> asked = new LinkedHashMap<>();

    /// A pass through a network on tensors that are only their shapes.
    @FunctionalInterface
    public interface Pass {
        void run(Ops<Shape> ops, Layers<Shape> layers);
    }

    /// Every layer that some passes ask for, in the order of asking.
    public static List<Layer> layers(Pass... passes) {
        DryRun run = new DryRun();
        for (Pass pass : passes) pass.run(new ShapeOps(), run);
        return run.layers();
    }

    @Override public Affine<Shape> get(Layer layer) {
        asked.put(layer.name(), layer);
        return new Affine<>(layer.weight(), layer.biased() ? layer.biasShape() : null);
    }

    public List<Layer> layers() {
        return List.copyOf(asked.values());
    }

    /// Numbers in all layers together.
    public static long parameters(List<Layer> layers) {
        return layers.stream().mapToLong(Layer::parameters).sum();
    }

    /// Weight and bias tensors in all layers together.
    public static long tensors(List<Layer> layers) {
        return layers.stream().mapToLong(layer -> layer.biased() ? 2 : 1).sum();
    }
}
