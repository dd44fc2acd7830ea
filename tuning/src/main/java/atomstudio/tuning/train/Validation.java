package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.tuning.data.Dataset;
import atomstudio.tuning.data.PreparedPhotos;
import atomstudio.tuning.measure.ClipEmbedding;
import atomstudio.tuning.measure.ClipMetrics;
import atomstudio.tuning.torch.TrainingBatch;
import java.util.List;
import java.util.Optional;

/// How good the numbers are on something that they were not trained on. Lower is better.
sealed interface Validation {
    /// Steps from one validation to the next where no preview interval is given. Not a share of all steps, since
    /// these may grow.
    int DEFAULT_INTERVAL = 25;
    /// Pictures from which on one is held out.
    int MIN_PHOTOS = 5;
    /// Validations without a better one after which a run may end early.
    int PATIENCE = 4;

    /// What is measured, in words.
    String description();

    /// @param preview the picture made with these numbers, where one was made
    double evaluate(float[] parameters, Optional<RgbImage> preview) throws Failure;

    /// The loss of a picture that is held out, at fixed timesteps and noise.
    record HeldOut(Dataset heldOut, EvaluationLoss loss) implements Validation {
        private static final int TIMESTEPS = 8;

        @FunctionalInterface
        interface EvaluationLoss {
            double lossAt(float[] parameters, TrainingBatch batch) throws Failure;
        }

        @Override
        public String description() {
            return "loss of a picture held out";
        }

        @Override
        public double evaluate(float[] parameters, Optional<RgbImage> preview) throws Failure {
            double sum = 0;
            int batchSize = heldOut.sampling().batchSize();
            for (int from = 0; from < TIMESTEPS; from += batchSize) {
                int count = Math.min(batchSize, TIMESTEPS - from);
                sum += count * loss.lossAt(parameters, heldOut.fixedBatch(from, count, TIMESTEPS));
            }
            return sum / TIMESTEPS;
        }
    }

    /// What a preview picture lacks.
    record PreviewScored(ImageScore score) implements Validation {
        @Override
        public String description() {
            return "1 - " + score.name();
        }

        @Override
        public double evaluate(float[] parameters, Optional<RgbImage> preview) throws Failure {
            return 1 - score.score(preview.orElseThrow());
        }
    }

    /// Scores a picture of the subject; higher is better, 1 the most.
    interface ImageScore {
        String name();

        double score(RgbImage image) throws Failure;
    }

    /// Scores a picture by how much it is like the subject's pictures, times how well it shows its prompt: either
    /// alone is easily had at the cost of the other.
    record ClipImageScore(ClipMetrics metrics, List<ClipEmbedding> photoEmbeddings, ClipEmbedding promptEmbedding)
            implements Validation.ImageScore {
        /// Empty where the model lacks an encoder.
        /// @param prompt with the class in the subject's place
        static Optional<Validation.ImageScore> of(DiffusionModel model, Engine engine, PreparedPhotos photos,
                String prompt) throws Failure {
            Optional<ClipMetrics> metrics = ClipMetrics.of(model, engine);
            if (metrics.isEmpty()) return Optional.empty();
            Optional<ClipEmbedding> promptEmbedding = metrics.get().embedPrompt(prompt);
            if (promptEmbedding.isEmpty()) return Optional.empty();
            List<ClipEmbedding> photoEmbeddings = metrics.get()
                    .embedImages(photos.photos().stream().map(PreparedPhotos.PreparedPhoto::image).toList());
            return Optional.of(new ClipImageScore(metrics.get(), photoEmbeddings, promptEmbedding.get()));
        }

        @Override
        public String name() {
            return "likeness × alignment by " + metrics.encoderName();
        }

        @Override
        public double score(RgbImage image) throws Failure {
            ClipEmbedding embedding = metrics.embedImage(image);
            return photoEmbeddings.stream().mapToDouble(embedding::cosine).average().orElseThrow()
                    * embedding.cosine(promptEmbedding);
        }
    }
}
