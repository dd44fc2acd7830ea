package atomstudio.tuning.torch;

import atomstudio.diffusion.net.Classifier;
import atomstudio.diffusion.ops.AdaptedWeights;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.torch.MemoryAccount.Use;
import atomstudio.tuning.torch.Tape.Variable;
import java.util.List;

/// Peak bytes of the activations and effective weights of one training step of a classifier, counted by a dry run of
/// the forward and backward pass. Workspace of PyTorch's kernels is not included.
public record ClassifierStepMemory(Classifier network, ParameterLayout layout,
        DenoisingLossOptions.Checkpointing checkpointing) {
    public long bytes(int batch, int imageSize) {
        MemoryAccount account = new MemoryAccount();
        MemoryOps memory = new MemoryOps(account, ComputeDtype.FP32);
        Tape<Use> tape = new Tape<>(memory);
        Differentiated<Use> ops = new Differentiated<>(memory, tape, checkpointing);
        AdaptedWeights.BoundAdapter<Variable<Use>> bound = new AdaptedWeights.BoundAdapter<>(layout.method(),
                layer -> slot -> Variable
                        .trainable(Use.persistent(layout.method().parameterShapes(layer).get(slot))),
                SamplingMemory.frozen(Shape.of(1)));
        Variable<Use> output = network.logits(ops, new AdaptedWeights<>(ops, SamplingMemory::frozen, List.of(bound)),
                SamplingMemory.frozen(Shape.of(batch, network.imageChannels(), imageSize, imageSize)));
        tape.backward(output, memory.scale(output.array(), 1));
        return account.peak();
    }
}
