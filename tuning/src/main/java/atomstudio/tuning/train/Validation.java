package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.picture.RgbImage;
import atomstudio.tuning.torch.TrainingBatch;
import java.util.Optional;

/// How good the numbers are on something that they were not trained on. Lower is better.
sealed interface Validation {
    /// Steps from one validation to the next where no preview interval is given. Not a share of all steps, since these may grow.
    int EVERY = 25;
    /// Pictures from which on one is held out.
    int ENOUGH = 5;
    /// Validations without a better one after which a run may end early.
    int PATIENCE = 4;

    /// What is measured, in words.
    String measure();

    /// @param preview the picture made with these numbers, where one was made
    double at(float[] numbers, Optional<RgbImage> preview) throws Failure;

    /// The loss of a picture that is held out, at fixed timesteps and noise.
    record HeldOut(Dataset picture, Loss loss) implements Validation {
        private static final int TIMESTEPS = 8;

        @FunctionalInterface
        interface Loss {
            double of(float[] numbers, TrainingBatch batch) throws Failure;
        }

        @Override public String measure() {
            return "loss of a picture held out";
        }

        @Override public double at(float[] numbers, Optional<RgbImage> preview) throws Failure {
            double sum = 0;
            int most = picture.drawing().batch();
            for (int from = 0; from < TIMESTEPS; from += most) {
                int count = Math.min(most, TIMESTEPS - from);
                sum += count * loss.of(numbers, picture.fixed(from, count, TIMESTEPS));
            }
            return sum / TIMESTEPS;
        }
    }

    /// What a preview picture lacks.
    record Scored(PictureScore score) implements Validation {
        @Override public String measure() {
            return "1 - " + score.name();
        }

        @Override public double at(float[] numbers, Optional<RgbImage> preview) throws Failure {
            return 1 - score.of(preview.orElseThrow());
        }
    }

    /// Scores a picture of the subject; higher is better, 1 the most.
    interface PictureScore {
        String name();

        double of(RgbImage picture) throws Failure;
    }
}
