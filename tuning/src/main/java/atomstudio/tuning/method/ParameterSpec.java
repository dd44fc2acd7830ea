package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.function.Supplier;

/// A parameter tensor that a method adds to a layer: name within the layer, shape, role and initialization.
public record ParameterSpec(String name, Shape shape, Role role, Initializer initializer) {
    /// FROZEN: stored, not trained. DERIVED: not stored, recomputed from the base weight and the layer's frozen
    /// parameters.
    public enum Role { TRAINED, FROZEN, DERIVED }

    /// Computes the value before training.
    @FunctionalInterface
    public interface Initializer {
        Tensor initialize(InitContext context);
    }

    /// Inputs of an initialization.
    /// @param baseWeight  the layer's base weight, read on demand
    /// @param rng         a stream of this parameter's own
    /// @param classTokens token ids of the class word, for textual inversion
    /// @param frozen      the layer's frozen parameters that precede this one
    public record InitContext(Supplier<Tensor> baseWeight, CounterRng rng, List<Integer> classTokens,
            Adaptation.AdapterParameters<Tensor> frozen) {
        public InitContext {
            classTokens = List.copyOf(classTokens);
        }

        public Tensor readBaseWeight() {
            return baseWeight.get();
        }
    }

    static ParameterSpec zeros(String name, Shape shape) {
        return new ParameterSpec(name, shape, Role.TRAINED, context -> Tensor.zeros(shape));
    }

    static ParameterSpec ones(String name, Shape shape) {
        return new ParameterSpec(name, shape, Role.TRAINED, context -> Tensor.filled(shape, 1));
    }

    static ParameterSpec normal(String name, Shape shape, double std) {
        return new ParameterSpec(name, shape, Role.TRAINED, context -> normals(shape, context.rng(), std));
    }

    /// Kaiming uniform with a = √5: within ±√(6 / ((1 + a²) · n)) = ±1/√n, with n elements per row.
    /// Source: He et al. 2015, equation 14.
    static ParameterSpec kaimingUniform(String name, Shape shape) {
        return new ParameterSpec(name, shape, Role.TRAINED, context -> kaimingUniform(shape, context.rng()));
    }

    static ParameterSpec trained(String name, Shape shape, Initializer initializer) {
        return new ParameterSpec(name, shape, Role.TRAINED, initializer);
    }

    static ParameterSpec frozen(String name, Shape shape, Initializer initializer) {
        return new ParameterSpec(name, shape, Role.FROZEN, initializer);
    }

    static ParameterSpec derived(String name, Shape shape, Initializer initializer) {
        return new ParameterSpec(name, shape, Role.DERIVED, initializer);
    }

    public boolean isTrained() { return role == Role.TRAINED; }

    private static Tensor normals(Shape shape, CounterRng rng, double std) {
        return new Tensor(shape, rng.normals(Math.toIntExact(shape.elements()))).scaled((float) std);
    }

    private static Tensor kaimingUniform(Shape shape, CounterRng rng) {
        double bound = 1 / Math.sqrt((double) shape.elements() / shape.size(0));
        return Tensor.generate(shape, i -> (2 * rng.uniform(i) - 1) * bound);
    }
}
