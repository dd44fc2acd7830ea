package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.torch.ComputeDtype;
import atomstudio.tuning.torch.DenoisingLoss;
import atomstudio.tuning.torch.DenoisingLossOptions;
import atomstudio.tuning.torch.DenoisingLossOptions.Checkpointing;
import atomstudio.tuning.torch.TorchEngine;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// How a run's gradients are computed, and why where that was found by trying.
record Computing(Checkpointing activations, ComputeDtype precision, Optional<String> reason) {
    /// Networks of more parameters have feed-forward blocks whose activations are worth computing again.
    private static final long LARGE = 100_000_000;
    /// How much faster bfloat16 must be to be worth its rounding.
    private static final double WORTH = 1.15;
    /// In a training state: whether its steps were taken in bfloat16.
    static final String HALF = "half";

    /// What is trained, for a trial.
    record Trial(TorchEngine engine, ParameterLayout layout, Map<String, Tensor> constants, Passes passes, TrainingState state) {}

    /// A run that goes on computes as it did; one that begins with `auto` tries both precisions on its own first step.
    static Computing of(Recipe recipe, DiffusionModel model, Device device, Trial trial) throws Failure {
        Checkpointing activations = activations(recipe, model);
        return switch (recipe.running().precision()) {
            case FP32 -> new Computing(activations, ComputeDtype.FP32, Optional.empty());
            case BF16 -> new Computing(activations, ComputeDtype.BF16, Optional.empty());
            case AUTO -> {
                double before = trial.state.scalar(HALF, -1);
                if (before >= 0) yield new Computing(activations, before > 0 ? ComputeDtype.BF16 : ComputeDtype.FP32, Optional.empty());
                if (!ComputeDtype.hasHardwareBf16(device)) yield new Computing(activations, ComputeDtype.FP32, Optional.of("computed in fp32: " + without(device) + " has no units for bf16"));
                yield tried(activations, trial);
            }
        };
    }

    private static String without(Device device) {
        return switch (device) {
            case CPU -> "this processor";
            case CUDA -> "this graphics processor";
        };
    }

    /// What is known before anything is tried: `auto` counts as float32, which takes more.
    static Computing expected(Recipe recipe, DiffusionModel model) {
        ComputeDtype precision = recipe.running().precision() == Recipe.Precision.BF16 ? ComputeDtype.BF16 : ComputeDtype.FP32;
        return new Computing(activations(recipe, model), precision, Optional.empty());
    }

    private static Checkpointing activations(Recipe recipe, DiffusionModel model) {
        return recipe.has(Recipe.Feature.CHECKPOINTING) ? Checkpointing.FULL : Tuning.parameters(model) > LARGE ? Checkpointing.SELECTIVE : Checkpointing.NONE;
    }

    private static Computing tried(Checkpointing activations, Trial trial) throws Failure {
        return chosen(activations, seconds(trial, activations, ComputeDtype.FP32), seconds(trial, activations, ComputeDtype.BF16));
    }

    /// @param full seconds of a step in float32, and half those in bfloat16; infinity where memory is too small for it
    static Computing chosen(Checkpointing activations, double full, double half) {
        ComputeDtype better = full > WORTH * half ? ComputeDtype.BF16 : ComputeDtype.FP32;
        return new Computing(activations, better, Optional.of("computed in " + better.name().toLowerCase(Locale.ROOT) + ": in fp32 a step " + took(full) + ", in bf16 it " + took(half)));
    }

    private static String took(double seconds) {
        return Double.isInfinite(seconds) ? "does not fit in memory" : String.format(Locale.ROOT, "took %.3g s", seconds);
    }

    /// Of the second gradient: the first one converts weights and allocates.
    private static double seconds(Trial trial, Checkpointing activations, ComputeDtype precision) throws Failure {
        try (DenoisingLoss differentiation = trial.engine.denoisingLoss(new DenoisingLossOptions(trial.layout, trial.constants, activations, precision))) {
            trial.passes.gradient(differentiation::gradient, trial.state.numbers(), 0);
            long start = System.nanoTime();
            trial.passes.gradient(differentiation::gradient, trial.state.numbers(), 0);
            return (System.nanoTime() - start) / 1e9;
        } catch (Failure.OutOfMemory e) {
            return Double.POSITIVE_INFINITY;
        }
    }

    /// The state with what was chosen in it, so that a run that goes on need not choose again.
    TrainingState into(TrainingState state) {
        return state.with(Map.of(HALF, precision == ComputeDtype.BF16 ? 1.0 : 0.0));
    }

    Computing inFloat32() {
        return new Computing(activations, ComputeDtype.FP32, Optional.empty());
    }

    DenoisingLossOptions input(ParameterLayout layout, Map<String, Tensor> constants) {
        return new DenoisingLossOptions(layout, constants, activations, precision);
    }
}
