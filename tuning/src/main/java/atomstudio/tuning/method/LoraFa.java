package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import java.util.List;

/// LoRA of which only B is trained: W + (α/r) · B · A with A as initialized. Files store both, as those of LoRA.
/// Source: Zhang et al. 2023, "LoRA-FA: Memory-efficient Low-rank Adaptation for Large Language Models Fine-tuning",
/// section 3.2, with the run's optimizer. peft's `create_lorafa_optimizer` also multiplies B's gradient by (A·Aᵀ)⁻¹, as
/// later versions of the paper do.
public record LoraFa(int rank, double alpha) implements TuningMethod {
    public LoraFa {
        new RankScale(rank, alpha);
    }

    /// The method of the same formula that also trains A.
    public Lora lora() {
        return new Lora(rank, alpha);
    }

    @Override
    public String name() {
        return lora().name();
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        return lora().parameterSpecs(layer)
                .stream()
                .map(spec -> spec.name().equals("A") ? ParameterSpec.frozen("A", spec.shape(), spec.initializer())
                        : spec)
                .toList();
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        return lora().effective(ops, layer, base, parameters, adapterWeight);
    }
}
