package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerCall;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.Map;

/// LoRA of linear layers whose rank falls with the noise: y + α/r · B · (m(t) ⊙ A x). The mask m(t) keeps the first
/// r(t) = ⌊(T − t)/T · (r − r_min)⌋ + r_min of the r components, since those of noisy timesteps overfit first. A
/// batch has one mask per sample.
/// Source: Soboleva et al. 2025, "T-LoRA: Single Image Diffusion Model Customization Without Overfitting"
/// (arXiv 2507.05964), section 4.1; [OrthogonalTLora] is that of section 4.2.
public record TLora(int rank, double alpha, int minRank) implements BranchMethod {
    private static final String MASK = "mask";
    /// T, of Stable Diffusion's training.
    private static final int TIMESTEPS = 1000;

    public TLora {
        new RankScale(rank, alpha);
        if (minRank < 1 || minRank > rank)
            throw new IllegalArgumentException("min-rank: expected 1 to " + rank + ", the rank, found " + minRank);
    }

    @Override
    public String name() {
        return "t-lora";
    }

    /// The mask of a file's adapter is that of timestep 0.
    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        if (layer.kind() != Layer.Kind.LINEAR) return List.of();
        return List.of(ParameterSpec.kaimingUniform("A", Shape.of(rank, layer.weightShape().size(1))),
                ParameterSpec.zeros("B", Shape.of(layer.weightShape().size(0), rank)),
                ParameterSpec.derived(MASK, Shape.of(1, 1, rank), _ -> mask(0)));
    }

    /// r(t).
    int rankAt(double timestep) {
        return (int) Math.floor((TIMESTEPS - timestep) / TIMESTEPS * (rank - minRank)) + minRank;
    }

    private Tensor mask(float... timesteps) {
        return mask(rank, timesteps);
    }

    /// A row for each sample.
    /// @param width components of the layer
    Tensor mask(int width, float... timesteps) {
        return Tensor.generate(Shape.of(timesteps.length, 1, width),
                i -> i % width < rankAt(timesteps[i / width]) ? 1 : 0);
    }

    @Override
    public Map<String, Tensor> atTimesteps(Layer layer, float[] timesteps) {
        return layer.kind() == Layer.Kind.LINEAR ? Map.of(MASK, mask(timesteps)) : Map.of();
    }

    @Override
    public <T> T branch(Ops<T> ops, LayerCall<T> call, AdapterParameters<T> parameters, T adapterWeight) {
        T hidden = ops.linear(call.input(), new LayerWeights<>(parameters.get("A"), null)), mask = parameters.get(MASK);
        if (ops.shape(hidden).rank() == 2) mask = ops.reshape(mask, Shape.of(ops.shape(mask).size(0), rank));
        T b = ops.multiply(ops.scale(parameters.get("B"), alpha / rank), adapterWeight);
        return ops.linear(ops.multiply(hidden, mask), new LayerWeights<>(b, null));
    }
}
