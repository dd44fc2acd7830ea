package atomstudio.tuning.torch;

import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.AdaptedWeights;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.torch.MemoryAccount.Use;
import atomstudio.tuning.torch.Tape.Variable;
import java.util.List;

/// Peak bytes of the activations and effective weights of one training step, counted by a dry run of the forward
/// and backward pass. Workspace of PyTorch's kernels is not included.
public record TrainingStepMemory(DiffusionModel model, ParameterLayout layout,
        DenoisingLossOptions.Checkpointing checkpointing, ComputeDtype computeDtype) {
    /// @param height of the latents
    /// @param width  of the latents
    public long bytes(int batch, long height, long width) {
        MemoryAccount account = new MemoryAccount();
        MemoryOps memory = new MemoryOps(account, computeDtype);
        Tape<Use> tape = new Tape<>(memory);
        Differentiated<Use> ops = new Differentiated<>(memory, tape, checkpointing);
        AdaptedWeights.BoundAdapter<Variable<Use>> bound = new AdaptedWeights.BoundAdapter<>(layout.method(),
                this::parameters, SamplingMemory.frozen(Shape.of(1)));
        Variable<Use> context = SamplingMemory.frozen(
                Shape.of(batch, model.textEncoder().maxTokens(), model.unet().crossAttentionDim()));
        if (trainsTextEncoder()) {
            // In float32 and without checkpointing.
            Differentiated<Use> text = new Differentiated<>(new MemoryOps(account, ComputeDtype.FP32), tape,
                    DenoisingLossOptions.Checkpointing.NONE);
            context = model.textEncoder()
                    .encode(text, new AdaptedWeights<>(text, SamplingMemory::frozen, List.of(bound)),
                            SamplingMemory.frozen(Shape.of(batch, model.textEncoder().maxTokens())), 0);
        }
        Shape latents = Shape.of(batch, model.unet().channels().in(), height, width);
        Variable<Use> output = model.unet()
                .forward(ops, new AdaptedWeights<>(ops, SamplingMemory::frozen, List.of(bound)), input(ops, latents),
                        input(ops, Shape.of(batch, model.unet().timeProjection().dim())),
                        ops.toActivationDtype(context));
        tape.backward(output, memory.scale(output.array(), 1));
        return account.peak();
    }

    private static Variable<Use> input(Differentiated<Use> ops, Shape shape) {
        return ops.toActivationDtype(SamplingMemory.frozen(shape));
    }

    private boolean trainsTextEncoder() {
        return layout.trained()
                .stream()
                .anyMatch(entry -> entry.layer().component().equals(Component.TEXT_ENCODER));
    }

    private Adaptation.AdapterParameters<Variable<Use>> parameters(Layer layer) {
        return slot -> Variable.trainable(Use.persistent(layout.method().parameterShapes(layer).get(slot)));
    }
}
