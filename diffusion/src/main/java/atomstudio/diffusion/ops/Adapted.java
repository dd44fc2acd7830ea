package atomstudio.diffusion.ops;

import atomstudio.diffusion.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/// A checkpoint with adapters over it. Each adapter computes its difference against the base, and the differences add;
/// rows that adapters append to a table follow one another, in the adapters' order.
public record Adapted<T>(Ops<T> ops, Layers<T> base, List<Bound<T>> adapters) implements Layers<T> {
    /// An adaptation with a carrier's numbers: its slots of each layer, and its strength of shape (1).
    public record Bound<T>(Adaptation form, Function<Layer, Slots<T>> slots, T strength) {
        boolean touches(Layer layer) {
            return !form.shapes(layer).isEmpty();
        }

        Affine<T> effective(Ops<T> ops, Layer layer, Affine<T> base) {
            return form.effective(ops, layer, base, slots.apply(layer), strength);
        }

        /// The same for the only adapter of a layer: the change of one that maps channels is left to those who use it.
        Affine<T> alone(Ops<T> ops, Layer layer, Affine<T> base) {
            if (!layer.maps() || !form.changesWeight(layer)) return effective(ops, layer, base);
            Slots<T> theta = slots.apply(layer);
            return form.mixing(ops, layer, theta, strength).map(mixing -> new Affine<>(base.weight(), base.bias(), mixing))
                    .orElseGet(() -> new Affine<>(base.weight(), base.bias(), null, () -> form.effective(ops, layer, base, theta, strength)));
        }
    }

    @Override public Affine<T> get(Layer layer) {
        Affine<T> plain = base.get(layer);
        List<Bound<T>> touching = adapters.stream().filter(adapter -> adapter.touches(layer)).toList();
        if (touching.size() == 1) return touching.getFirst().alone(ops, layer, plain);
        return settled(layer, plain, touching);
    }

    private Affine<T> settled(Layer layer, Affine<T> plain, List<Bound<T>> touching) {
        Affine<T> tuned = null;
        List<Bound<T>> appending = new ArrayList<>();
        for (Bound<T> adapter : touching) {
            if (appends(adapter.form, layer)) {
                appending.add(adapter);
            } else {
                Affine<T> next = adapter.effective(ops, layer, plain);
                tuned = tuned == null ? next : plus(tuned, next, plain);
            }
        }
        for (Bound<T> adapter : appending) tuned = adapter.effective(ops, layer, tuned == null ? plain : tuned);
        return tuned == null ? plain : tuned;
    }

    /// Whether the layer's weight has more rows with the adaptation than without.
    private static boolean appends(Adaptation form, Layer layer) {
        if (layer.kind() != Layer.Kind.EMBEDDING) return false;
        Map<String, Shape> shapes = form.shapes(layer);
        Affine<Shape> tuned = form.effective(new ShapeOps(), layer, new Affine<>(layer.weight(), null), shapes::get, Shape.of(1));
        return tuned.weight().size(0) > layer.weight().size(0);
    }

    private Affine<T> plus(Affine<T> tuned, Affine<T> next, Affine<T> plain) {
        T weight = ops.add(tuned.weight(), minus(next.weight(), plain.weight()));
        T bias = next.bias();
        if (bias == null) return new Affine<>(weight, tuned.bias());
        T change = plain.bias() == null ? bias : minus(bias, plain.bias());
        return new Affine<>(weight, tuned.bias() == null ? change : ops.add(tuned.bias(), change));
    }

    private T minus(T a, T b) {
        return ops.add(a, ops.scale(b, -1));
    }
}
