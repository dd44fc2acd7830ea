package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelComponent;
import atomstudio.diffusion.model.NetworkLayers;
import atomstudio.diffusion.ops.LayerRecorder;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.torch.SamplingMemory;
import atomstudio.tuning.torch.TrainingStepMemory;

/// How many bytes a run will hold at the most.
interface MemoryEstimate {
    long bytes();

    /// How that was found, in words.
    String source();

    /// What weights, activations, derived numbers and the trained numbers' companions come to, with previews and the pictures of the class, by a dry run, before anything is computed.
    record Predicted(long bytes) implements MemoryEstimate {
        /// Java, PyTorch's libraries and what they allocate for themselves.
        private static final long PROGRAM = 400L << 20;
        /// Vectors as long as the trained numbers: themselves, their gradient here and there, an optimizer's moments, the last good ones.
        private static final int COMPANIONS = 8;

        static Predicted of(RunInfo info, DiffusionModel model, ParameterLayout layout, Computing computing) throws Failure {
            RunInfo.Training training = info.training();
            long side = training.size() / model.vae().downsamplingFactor();
            long weights = LayerRecorder.parameterCount(NetworkLayers.of(model.unet())) * switch (computing.precision()) {
                case FP32 -> 4;
                case BF16 -> 6;                                                 // the copies, and what they are made from
            };
            long step = new TrainingStepMemory(model, layout, computing.activations(), computing.precision()).bytes(training.batch(), side, side);
            if (Vocabulary.parts(layout).contains(ModelComponent.TEXT_ENCODER)) weights += text(model);
            long numbers = Float.BYTES * (COMPANIONS * (long) layout.size() + layout.derivedElementCount());
            Watching watching = Watching.of(info, model);
            if (!watching.samples()) return new Predicted(PROGRAM + weights + step + numbers);
            SamplingMemory sampling = new SamplingMemory(model, layout);
            long latent = model.defaultImageSize() / model.vae().downsamplingFactor();
            weights += sampling.weights();
            if (watching.validated() == Watching.Validated.BY_SCORE) weights += towers(model);
            return new Predicted(PROGRAM + weights + numbers + Math.max(step, sampling.activations(latent, latent)));
        }

        private static long text(DiffusionModel model) {
            return Float.BYTES * LayerRecorder.parameterCount(NetworkLayers.of(model.textEncoder()));
        }

        /// CLIP's two encoders, which score previews.
        private static long towers(DiffusionModel model) throws Failure {
            long vision = model.imageEncoder().map(tower -> Float.BYTES * LayerRecorder.parameterCount(NetworkLayers.of(tower.network()))).orElse(0L);
            return vision + text(model);
        }

        @Override public String source() {
            return "what a dry run of one step counts";
        }
    }

    /// What was held at the most while a few of the run's steps were done.
    record Measured(int steps, long bytes) implements MemoryEstimate {
        @Override public String source() {
            return "the most that " + steps + " measured steps held";
        }
    }
}
