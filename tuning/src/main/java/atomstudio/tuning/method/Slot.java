package atomstudio.tuning.method;

import atomstudio.diffusion.ops.AdapterParameters;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.function.Supplier;

/// Numbers that a method brings for one layer: their name within the layer, shape, whether training changes them, and how they start.
public record Slot(String name, Shape shape, Role role, Start start) {
    /// DERIVED: neither trained nor stored, but made anew from the base weight and the layer's frozen slots.
    public enum Role { TRAINED, FROZEN, DERIVED }

    /// The numbers before training.
    @FunctionalInterface
    public interface Start {
        Tensor numbers(Origin origin);
    }

    /// What numbers may start from: the layer's base weight, read when it is asked for; random numbers that belong to this slot alone;
    /// the token ids of the class word, for textual inversion; and the frozen slots of the layer that come before this one.
    public record Origin(Supplier<Tensor> weight, Noise random, List<Integer> classTokens, AdapterParameters<Tensor> frozen) {
        public Origin {
            classTokens = List.copyOf(classTokens);
        }

        public Tensor base() {
            return weight.get();
        }
    }

    static Slot zero(String name, Shape shape) {
        return new Slot(name, shape, Role.TRAINED, origin -> Tensor.zeros(shape));
    }

    static Slot one(String name, Shape shape) {
        return new Slot(name, shape, Role.TRAINED, origin -> Tensor.filled(shape, 1));
    }

    static Slot normal(String name, Shape shape, double deviation) {
        return new Slot(name, shape, Role.TRAINED, origin -> normals(shape, origin.random(), deviation));
    }

    /// Kaiming uniform with a = √5: within ±√(6 / ((1 + a²) · n)) = ±1/√n, n the numbers of a row. Source: He et al. 2015, equation 14.
    static Slot kaiming(String name, Shape shape) {
        return new Slot(name, shape, Role.TRAINED, origin -> kaiming(shape, origin.random()));
    }

    static Slot trained(String name, Shape shape, Start start) {
        return new Slot(name, shape, Role.TRAINED, start);
    }

    static Slot frozen(String name, Shape shape, Start start) {
        return new Slot(name, shape, Role.FROZEN, start);
    }

    static Slot derived(String name, Shape shape, Start start) {
        return new Slot(name, shape, Role.DERIVED, start);
    }

    public boolean trained() {
        return role == Role.TRAINED;
    }

    private static Tensor normals(Shape shape, Noise random, double deviation) {
        float[] numbers = random.normals(Math.toIntExact(shape.elements()));
        for (int i = 0; i < numbers.length; i++) numbers[i] *= (float) deviation;
        return new Tensor(shape, numbers);
    }

    private static Tensor kaiming(Shape shape, Noise random) {
        Tensor uniform = Tensor.zeros(shape);
        double bound = 1 / Math.sqrt((double) shape.elements() / shape.size(0));
        for (int i = 0; i < uniform.data().length; i++) uniform.data()[i] = (float) ((2 * random.uniform(i) - 1) * bound);
        return uniform;
    }
}
