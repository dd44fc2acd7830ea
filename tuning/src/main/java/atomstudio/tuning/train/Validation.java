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

/// A metric of the parameters on data that they were not trained on. Lower is better.
sealed interface Validation {
    /// Steps between validations without a preview interval. Not a share of all steps, since steps can be added.
    int DEFAULT_INTERVAL = 25;
    /// Number of photos from which one is held out.
    int MIN_PHOTOS = 5;
    /// Validations without improvement before early stopping.
    int PATIENCE = 4;

    /// The name of the metric.
    String description();

    /// @param preview generated with these parameters, if there is one
    double evaluate(float[] parameters, Optional<RgbImage> preview) throws Failure;

    /// The loss of a held-out photo at fixed timesteps and noise.
    record HeldOut(Dataset heldOut, EvaluationLoss loss) implements Validation {
        private static final int TIMESTEPS = 8;

        @FunctionalInterface
        interface EvaluationLoss {
            double lossAt(float[] parameters, TrainingBatch batch) throws Failure;
        }

        @Override
        public String description() {
            return "loss of a held-out photo";
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

    /// One minus the score of a preview.
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

    /// A score of an image of the subject, at most 1; higher is better.
    interface ImageScore {
        String name();

        double score(RgbImage image) throws Failure;
    }

    /// CLIP-I times CLIP-T: similarity to the photos times alignment with the prompt. Either alone can be high at the
    /// cost of the other.
    record ClipImageScore(ClipMetrics metrics, List<ClipEmbedding> photoEmbeddings, ClipEmbedding promptEmbedding)
            implements Validation.ImageScore {
        /// Empty if the model lacks an encoder.
        /// @param prompt with the class for the subject
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
