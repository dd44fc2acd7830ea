package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.tuning.data.SubjectTokenizer;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.run.RunInfo;
import atomstudio.tuning.torch.GpuMemory;
import atomstudio.tuning.torch.ProcessMemory;
import atomstudio.tuning.torch.SamplingMemory;
import atomstudio.tuning.torch.TrainingStepMemory;

/// The peak memory of a run.
interface MemoryEstimate {
    long bytes();

    /// The part of it that need not be held on the CPU: pages of mapped files, and weights that can be converted at
    /// each use instead.
    long mappedBytes();

    /// How it was determined, in words.
    String source();

    /// Memory of weights, activations, derived values, parameters and optimizer state, and of previews and class
    /// images, counted by a dry run.
    record PredictedMemory(long bytes, long mappedBytes) implements MemoryEstimate {
        /// Java and PyTorch's libraries.
        private static final long PROCESS_BYTES = 400L << 20;
        /// The parameters, their gradient in Java and in PyTorch, the optimizer's moments, and the last good state.
        private static final int VECTORS_PER_PARAMETER = 8;

        static PredictedMemory of(RunInfo info, DiffusionModel model, ParameterLayout layout, ComputeMode computeMode)
                throws Failure {
            RunInfo.ResolvedConfig config = info.config();
            long trainingLatentSide = config.resolution() / model.vae().downsamplingFactor();
            long mapped = Float.BYTES * Layer.parameterCount(model.unet().layers());
            long weights = switch (computeMode.computeDtype()) {
                case FP32 -> mapped;
                case BF16 -> mapped + mapped / 2; // the float32 weights and bfloat16 copies
            };
            long step = new TrainingStepMemory(model, layout, computeMode.checkpointing(), computeMode.computeDtype())
                    .bytes(config.batchSize(), trainingLatentSide, trainingLatentSide);
            if (SubjectTokenizer.components(layout).contains(Component.TEXT_ENCODER))
                weights += textEncoderBytes(model);
            long parameterBytes = Float.BYTES
                    * (VECTORS_PER_PARAMETER * (long) layout.size() + layout.derivedElementCount());
            EvaluationPlan evaluationPlan = EvaluationPlan.of(info, model);
            if (!evaluationPlan.generatesImages())
                return new PredictedMemory(PROCESS_BYTES + weights + step + parameterBytes, mapped);
            SamplingMemory sampling = new SamplingMemory(model, layout);
            long latentSide = model.defaultImageSize() / model.vae().downsamplingFactor();
            weights += sampling.weights();
            if (evaluationPlan.validationKind() == EvaluationPlan.ValidationKind.BY_SCORE)
                weights += clipEncoderBytes(model);
            return new PredictedMemory(PROCESS_BYTES + weights + parameterBytes
                    + Math.max(step, sampling.activations(latentSide, latentSide)), mapped);
        }

        private static long textEncoderBytes(DiffusionModel model) {
            return Float.BYTES * Layer.parameterCount(model.textEncoder().layers());
        }

        /// CLIP's image and text encoder, which score previews.
        private static long clipEncoderBytes(DiffusionModel model) throws Failure {
            long imageEncoderBytes = model.imageEncoder()
                    .map(encoder -> Float.BYTES * Layer.parameterCount(encoder.network().layers()))
                    .orElse(0L);
            return imageEncoderBytes + textEncoderBytes(model);
        }

        @Override
        public String source() {
            return "counted by a dry run of one step";
        }
    }

    /// The peak over a few steps of the run.
    record MeasuredMemory(int steps, long bytes, long mappedBytes) implements MemoryEstimate {
        @Override
        public String source() {
            return "measured over " + steps + " steps";
        }
    }

    /// The memory of the machine or the GPU.
    record DeviceMemory(Device device) {
        /// Bytes available to a run; 0 if unknown.
        long limit() {
            return isGpu() ? GpuMemory.total() : ProcessMemory.limit();
        }

        /// Peak bytes so far.
        long peak() {
            return isGpu() ? GpuMemory.used() : ProcessMemory.peakResident();
        }

        private boolean isGpu() { return device.torchDevice().equals(Device.CUDA); }

        /// Bytes that have to be there for a run.
        long needed(MemoryEstimate estimate) {
            return isGpu() ? estimate.bytes() : estimate.bytes() - estimate.mappedBytes();
        }

        /// False if the limit is unknown.
        boolean isTooSmallFor(MemoryEstimate estimate) {
            long limit = limit();
            return limit > 0 && needed(estimate) > limit;
        }
    }
}
