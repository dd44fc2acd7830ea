package atomstudio.tuning.method;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;

/// Numbers that a method brings for one layer: their name within the layer, shape, whether training changes them, and how they start.
public record Slot(String name, Shape shape, Role role, Start start) {
    public enum Role { TRAINED, FROZEN }

    /// The numbers before training, from the layer's base weight and a source of random numbers that belongs to this slot alone.
    @FunctionalInterface
    public interface Start {
        Tensor numbers(Tensor base, Noise random);
    }

    static Slot zero(String name, Shape shape) {
        return new Slot(name, shape, Role.TRAINED, (base, random) -> Tensor.zeros(shape));
    }

    static Slot frozen(String name, Shape shape, Start start) {
        return new Slot(name, shape, Role.FROZEN, start);
    }

    public boolean trained() {
        return role == Role.TRAINED;
    }
}
