package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerCall;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.Map;

/// T-LoRA with components that are independent from the start, so that masking some does not change the others:
/// y + α/r · (P · (S ⊙ m(t) ⊙ Q x) − P0 · (S0 ⊙ m(t) ⊙ Q0 x)). Q0, S0 and P0 are the last r singular vectors and values
/// of a random matrix. Q = Q0 + ΔQ, S = S0 + ΔS and P = P0 + ΔP, with the differences trained from zero. Files store
/// both.
///
/// Singular vectors of a matrix of normal numbers are uniformly distributed and independent of its singular values, so
/// that no large matrix is decomposed.
/// Source: Soboleva et al. 2025, "T-LoRA" (arXiv 2507.05964), section 4.2, and the authors' code (`ortho_lora`).
public record OrthogonalTLora(int rank, double alpha, int minRank) implements BranchMethod {
    private static final String MASK = "mask";

    public OrthogonalTLora {
        new TLora(rank, alpha, minRank);
    }

    @Override
    public String name() {
        return "t-lora-orthogonal";
    }

    /// No more components than the smaller side has.
    private int width(Layer layer) {
        Shape shape = layer.weightShape();
        return (int) Math.min(rank, Math.min(shape.size(0), shape.size(1)));
    }

    private Tensor mask(Layer layer, float... timesteps) {
        return new TLora(rank, alpha, minRank).mask(width(layer), timesteps);
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        if (layer.kind() != Layer.Kind.LINEAR) return List.of();
        int width = width(layer), outputs = Math.toIntExact(layer.weightShape().size(0)),
                inputs = Math.toIntExact(layer.weightShape().size(1));
        Shape q = Shape.of(width, inputs), p = Shape.of(outputs, width), s = Shape.of(width);
        return List.of(
                ParameterSpec.frozen("Q0", q, context -> SingularVectors.ofRandom(inputs, width, context.rng())),
                ParameterSpec.frozen("S0", s, context -> SingularVectors
                        .lastValuesOfRandom(inputs, outputs, width, context.rng())
                        .scaled(1.0 / rank)),
                ParameterSpec.frozen("P0", p, context -> {
                    float[] rows = SingularVectors.ofRandom(outputs, width, context.rng()).data();
                    return Tensor.generate(p, i -> rows[i % width * outputs + i / width]);
                }),
                ParameterSpec.zeros("dQ", q), ParameterSpec.zeros("dS", s), ParameterSpec.zeros("dP", p),
                ParameterSpec.derived(MASK, Shape.of(1, 1, width), _ -> mask(layer, 0)));
    }

    @Override
    public Map<String, Tensor> atTimesteps(Layer layer, float[] timesteps) {
        return layer.kind() == Layer.Kind.LINEAR ? Map.of(MASK, mask(layer, timesteps)) : Map.of();
    }

    @Override
    public <T> T branch(Ops<T> ops, LayerCall<T> call, AdapterParameters<T> parameters, T adapterWeight) {
        T q = parameters.get("Q0"), s = parameters.get("S0"), p = parameters.get("P0");
        T trained = product(ops, call, List.of(ops.add(q, parameters.get("dQ")), ops.add(s, parameters.get("dS")),
                ops.add(p, parameters.get("dP")), parameters.get(MASK)), adapterWeight);
        T start = product(ops, call, List.of(q, s, p, parameters.get(MASK)), adapterWeight);
        return ops.add(trained, ops.scale(start, -1));
    }

    /// @param factors Q, S, P and the mask
    private <T> T product(Ops<T> ops, LayerCall<T> call, List<T> factors, T adapterWeight) {
        T hidden = ops.linear(call.input(), new LayerWeights<>(factors.get(0), null)), mask = factors.get(3);
        long width = ops.shape(mask).size(2);
        if (ops.shape(hidden).rank() == 2) mask = ops.reshape(mask, Shape.of(ops.shape(mask).size(0), width));
        T scaled = ops.multiply(factors.get(2), ops.reshape(factors.get(1), Shape.of(1, width)));
        return ops.linear(ops.multiply(hidden, mask),
                new LayerWeights<>(ops.multiply(ops.scale(scaled, alpha / rank), adapterWeight), null));
    }
}
