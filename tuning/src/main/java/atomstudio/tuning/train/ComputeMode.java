package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.TrainingEvent;
import atomstudio.tuning.run.TrainingState;
import atomstudio.tuning.torch.ComputeDtype;
import atomstudio.tuning.torch.DenoisingLoss;
import atomstudio.tuning.torch.DenoisingLossOptions;
import atomstudio.tuning.torch.DenoisingLossOptions.Checkpointing;
import atomstudio.tuning.torch.TorchEngine;
import atomstudio.tuning.torch.TrainingBatch;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/// How a run's gradients are computed: gradient checkpointing and precision.
/// @param reason why the precision was chosen, if by a trial
record ComputeMode(Checkpointing checkpointing, ComputeDtype computeDtype, Optional<String> reason) {
    /// Larger UNets have feed-forward blocks whose activations are worth recomputing.
    private static final long LARGE_MODEL_PARAMETERS = 100_000_000;
    /// Speedup from which bfloat16 is worth its rounding.
    private static final double MIN_SPEEDUP = 1.15;
    /// Key in a training state: whether its steps are computed in bfloat16.
    static final String BF16_KEY = "half";

    /// What a trial step needs.
    record PrecisionTrial(TorchEngine engine, ParameterLayout layout, Map<String, Tensor> frozenValues,
            GradientAccumulation accumulation, TrainingState state) {}

    /// A resumed run keeps its precision; with `auto` a new run times its first step in both.
    static ComputeMode of(TrainingConfig config, DiffusionModel model, Device device, PrecisionTrial trial)
            throws Failure {
        Checkpointing checkpointing = checkpointing(config, model);
        return switch (config.runtime().precision()) {
            case FP32 -> new ComputeMode(checkpointing, ComputeDtype.FP32, Optional.empty());
            case BF16 -> new ComputeMode(checkpointing, ComputeDtype.BF16, Optional.empty());
            case AUTO -> {
                double recorded = trial.state.scalar(BF16_KEY, -1);
                if (recorded >= 0)
                    yield new ComputeMode(checkpointing, recorded > 0 ? ComputeDtype.BF16 : ComputeDtype.FP32,
                            Optional.empty());
                if (!ComputeDtype.hasHardwareBf16(device))
                    yield new ComputeMode(checkpointing, ComputeDtype.FP32,
                            Optional.of("computed in fp32: " + deviceName(device) + " has no bf16 hardware"));
                if (!trial.engine.fitsInBf16())
                    yield new ComputeMode(checkpointing, ComputeDtype.FP32,
                            Optional.of("computed in fp32: the weights in bf16 do not fit in memory beside it"));
                yield benchmark(checkpointing, trial);
            }
        };
    }

    private static String deviceName(Device device) {
        return device.torchDevice().equals(Device.CUDA) ? "this GPU" : "this processor";
    }

    /// The mode before any trial: `auto` counts as float32, which needs more memory.
    static ComputeMode predicted(TrainingConfig config, DiffusionModel model) {
        ComputeDtype computeDtype = config.runtime().precision() == TrainingConfig.PrecisionMode.BF16
                ? ComputeDtype.BF16
                : ComputeDtype.FP32;
        return new ComputeMode(checkpointing(config, model), computeDtype, Optional.empty());
    }

    private static Checkpointing checkpointing(TrainingConfig config, DiffusionModel model) {
        return config.has(TrainingConfig.Feature.GRADIENT_CHECKPOINTING) ? Checkpointing.FULL
                : model.unetParameterCount() > LARGE_MODEL_PARAMETERS ? Checkpointing.SELECTIVE
                : Checkpointing.NONE;
    }

    private static ComputeMode benchmark(Checkpointing checkpointing, PrecisionTrial trial) throws Failure {
        return choose(checkpointing, stepSeconds(trial, checkpointing, ComputeDtype.FP32),
                stepSeconds(trial, checkpointing, ComputeDtype.BF16));
    }

    /// @param fp32Seconds seconds of a step in float32; infinity if it does not fit in memory
    /// @param bf16Seconds the same in bfloat16
    static ComputeMode choose(Checkpointing checkpointing, double fp32Seconds, double bf16Seconds) {
        ComputeDtype faster = fp32Seconds > MIN_SPEEDUP * bf16Seconds ? ComputeDtype.BF16 : ComputeDtype.FP32;
        return new ComputeMode(checkpointing, faster,
                Optional.of("computed in " + faster.name().toLowerCase(Locale.ROOT) + ": in fp32 a step "
                        + describeTime(fp32Seconds) + ", in bf16 it " + describeTime(bf16Seconds)));
    }

    private static String describeTime(double seconds) {
        return Double.isInfinite(seconds) ? "does not fit in memory"
                : String.format(Locale.ROOT, "took %.3g s", seconds);
    }

    /// Seconds of the second gradient, since the first one converts weights and allocates.
    private static double stepSeconds(PrecisionTrial trial, Checkpointing checkpointing, ComputeDtype computeDtype)
            throws Failure {
        try (DenoisingLoss denoisingLoss = trial.engine.denoisingLoss(
                new DenoisingLossOptions(trial.layout, trial.frozenValues, checkpointing, computeDtype))) {
            trial.accumulation.gradient(denoisingLoss::gradient, trial.state.parameters(), 0);
            long start = System.nanoTime();
            trial.accumulation.gradient(denoisingLoss::gradient, trial.state.parameters(), 0);
            return (System.nanoTime() - start) / 1e9;
        } catch (Failure.OutOfMemory e) {
            return Double.POSITIVE_INFINITY;
        }
    }

    /// The state with the chosen precision, for resuming.
    TrainingState recordedIn(TrainingState state) {
        return state.with(Map.of(BF16_KEY, computeDtype == ComputeDtype.BF16 ? 1.0 : 0.0));
    }

    ComputeMode withFp32() {
        return new ComputeMode(checkpointing, ComputeDtype.FP32, Optional.empty());
    }

    DenoisingLossOptions lossOptions(ParameterLayout layout, Map<String, Tensor> frozenValues) {
        return new DenoisingLossOptions(layout, frozenValues, checkpointing, computeDtype);
    }

    /// Computes a gradient again in float32 if it is not finite in bfloat16; emits a notice the first time.
    static final class Fp32Fallback implements Trainer.LossFunction {
        private final Trainer.LossFunction bf16;
        private final Trainer.LossFunction fp32;
        private final EventSink events;
        private final AtomicBoolean reported;

        Fp32Fallback(Trainer.LossFunction bf16, Trainer.LossFunction fp32, EventSink events) {
            this(bf16, fp32, events, new AtomicBoolean());
        }

        private Fp32Fallback(Trainer.LossFunction bf16, Trainer.LossFunction fp32, EventSink events,
                AtomicBoolean reported) {
            this.bf16 = bf16;
            this.fp32 = fp32;
            this.events = events;
            this.reported = reported;
        }

        @Override
        public Trainer.LossFunction atStep(int step) {
            return new Fp32Fallback(bf16.atStep(step), fp32.atStep(step), events, reported);
        }

        @Override
        public DenoisingLoss.Gradient gradient(float[] parameters, TrainingBatch batch) throws Failure {
            DenoisingLoss.Gradient gradient = bf16.gradient(parameters, batch);
            if (isFinite(gradient)) return gradient;
            if (!reported.getAndSet(true))
                events.emit(new TrainingEvent.Note(0,
                        "bf16 overflowed: batches with this problem are computed in fp32"));
            return fp32.gradient(parameters, batch);
        }

        private static boolean isFinite(DenoisingLoss.Gradient gradient) {
            double sum = gradient.loss();
            for (float number : gradient.vector()) sum += number;
            return Double.isFinite(sum);
        }
    }
}
