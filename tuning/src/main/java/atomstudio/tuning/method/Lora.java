package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.List;

/// Low-rank updates: W + (α/r) · B · A with A (r, Ci) initialized Kaiming uniform and B (Co, r) zero. On a convolution
/// A has the kernel size and B is 1×1.
/// Source: Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models", equation 3; convolutions as in
/// LyCORIS' LoCon.
public record Lora(int rank, double alpha) implements TuningMethod {
    public Lora {
        new RankScale(rank, alpha);
    }

    /// With α = r.
    public Lora(int rank) {
        this(rank, rank);
    }

    @Override
    public String name() {
        return "lora";
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        if (!layer.isProjection()) return List.of();
        RankScale scale = new RankScale(rank, alpha);
        return List.of(ParameterSpec.kaimingUniform("A", scale.downShape(layer)),
                ParameterSpec.zeros("B", scale.upShape(layer)));
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        T scaledB = ops.scale(ops.multiply(parameters.get("B"), adapterWeight), alpha / rank);
        T b = ops.reshape(scaledB, Shape.of(layer.weightShape().size(0), rank));
        T a = ops.reshape(parameters.get("A"), Shape.of(rank, layer.fanIn()));
        return ScaledDelta.addToWeight(ops, layer, base, ops.matmul(b, a));
    }
}
