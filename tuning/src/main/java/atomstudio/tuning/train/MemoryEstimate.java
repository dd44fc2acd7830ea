package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelComponent;
import atomstudio.diffusion.model.NetworkLayers;
import atomstudio.diffusion.ops.LayerRecorder;
import atomstudio.tuning.data.SubjectTokenizer;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.run.RunInfo;
import atomstudio.tuning.torch.GpuMemory;
import atomstudio.tuning.torch.ProcessMemory;
import atomstudio.tuning.torch.SamplingMemory;
import atomstudio.tuning.torch.TrainingStepMemory;

/// How many bytes a run will hold at the most.
interface MemoryEstimate {
    long bytes();

    /// How that was found, in words.
    String source();

    /// What weights, activations, derived numbers and the trained numbers' companions come to, with previews and the
    /// pictures of the class, by a dry run, before anything is computed.
    record PredictedMemory(long bytes) implements MemoryEstimate {
        /// Java, PyTorch's libraries and what they allocate for themselves.
        private static final long PROCESS_BYTES = 400L << 20;
        /// Vectors as long as the trained numbers: themselves, their gradient here and there, an optimizer's moments,
        /// the last good ones.
        private static final int VECTORS_PER_PARAMETER = 8;

        static PredictedMemory of(RunInfo info, DiffusionModel model, ParameterLayout layout, ComputeMode computeMode)
                throws Failure {
            RunInfo.ResolvedConfig config = info.config();
            long trainingLatentSide = config.resolution() / model.vae().downsamplingFactor();
            long weights = LayerRecorder.parameterCount(NetworkLayers.of(model.unet()))
                    * switch (computeMode.computeDtype()) {
                        case FP32 -> 4;
                        case BF16 -> 6; // the copies, and what they are made from
                    };
            long step = new TrainingStepMemory(model, layout, computeMode.checkpointing(), computeMode.computeDtype())
                    .bytes(config.batchSize(), trainingLatentSide, trainingLatentSide);
            if (SubjectTokenizer.components(layout).contains(ModelComponent.TEXT_ENCODER))
                weights += textEncoderBytes(model);
            long parameterBytes = Float.BYTES
                    * (VECTORS_PER_PARAMETER * (long) layout.size() + layout.derivedElementCount());
            EvaluationPlan evaluationPlan = EvaluationPlan.of(info, model);
            if (!evaluationPlan.generatesImages())
                return new PredictedMemory(PROCESS_BYTES + weights + step + parameterBytes);
            SamplingMemory sampling = new SamplingMemory(model, layout);
            long latentSide = model.defaultImageSize() / model.vae().downsamplingFactor();
            weights += sampling.weights();
            if (evaluationPlan.validationKind() == EvaluationPlan.ValidationKind.BY_SCORE)
                weights += clipEncoderBytes(model);
            return new PredictedMemory(PROCESS_BYTES + weights + parameterBytes
                    + Math.max(step, sampling.activations(latentSide, latentSide)));
        }

        private static long textEncoderBytes(DiffusionModel model) {
            return Float.BYTES * LayerRecorder.parameterCount(NetworkLayers.of(model.textEncoder()));
        }

        /// CLIP's two encoders, which score previews.
        private static long clipEncoderBytes(DiffusionModel model) throws Failure {
            long imageEncoderBytes = model.imageEncoder()
                    .map(encoder -> Float.BYTES * LayerRecorder.parameterCount(NetworkLayers.of(encoder.network())))
                    .orElse(0L);
            return imageEncoderBytes + textEncoderBytes(model);
        }

        @Override
        public String source() {
            return "what a dry run of one step counts";
        }
    }

    /// What was held at the most while a few of the run's steps were done.
    record MeasuredMemory(int steps, long bytes) implements MemoryEstimate {
        @Override
        public String source() {
            return "the most that " + steps + " measured steps held";
        }
    }

    /// Memory that steps on a device are held in: the machine's, or the graphics processor's.
    record DeviceMemory(Device device) {
        /// Bytes that a run can have in all; 0 where nobody says.
        long limit() {
            return switch (device) {
                case CPU -> ProcessMemory.limit();
                case CUDA -> GpuMemory.total();
            };
        }

        /// The most that was held so far.
        long peak() {
            return switch (device) {
                case CPU -> ProcessMemory.peakResident();
                case CUDA -> GpuMemory.used();
            };
        }

        /// Whether so much is known not to fit.
        boolean isTooSmallFor(long needed) {
            long limit = limit();
            return limit > 0 && needed > limit;
        }
    }
}
