package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// A model's safety checker: pictures whose embedding is too near to one of some concepts should not be shown. The concepts are published as
/// embeddings alone; what they stand for is not.
/// Source: diffusers, StableDiffusionSafetyChecker.forward; Rando et al. 2022, "Red-Teaming the Stable Diffusion Safety Filter".
/// @param tower   what makes embeddings of pictures
/// @param special concepts that, once near, make the others count as nearer
public record SafetyChecker(VisionTower tower, Concepts special, Concepts concepts) {
    private static final double CARE = 0.01;

    /// Directions (N,P), and how near (cosine) each may be (N).
    public record Concepts(Tensor directions, Tensor thresholds) {
        /// How far past its threshold an embedding is for one of them, to three decimals, as the reference rounds it.
        private double past(float[] embedding, int concept, double care) {
            int width = embedding.length;
            double dot = 0;
            double one = 0;
            double other = 0;
            for (int i = 0; i < width; i++) {
                double direction = directions.data()[concept * width + i];
                dot += embedding[i] * direction;
                one += (double) embedding[i] * embedding[i];
                other += direction * direction;
            }
            double cosine = dot / Math.max(Math.sqrt(one) * Math.sqrt(other), Double.MIN_NORMAL);
            return Math.rint((cosine - thresholds.data()[concept] + care) * 1000) / 1000;
        }

        private boolean near(float[] embedding, double care) {
            for (int concept = 0; concept < thresholds.data().length; concept++) {
                if (past(embedding, concept, care) > 0) return true;
            }
            return false;
        }
    }

    /// The model's own; empty where it has none. Reads a few numbers, not the tower's.
    /// @throws Failure when there is one that is damaged or of a kind that cannot be run
    static Optional<SafetyChecker> of(ModelFolder model) throws Failure {
        Path folder = model.folder().resolve("safety_checker");
        if (!Files.isRegularFile(folder.resolve("config.json"))) return Optional.empty();
        VisionTower tower = VisionTower.ofSafetyChecker(model);
        try (Checkpoint weights = tower.checkpoint()) {
            int width = tower.network().projected();
            return Optional.of(new SafetyChecker(tower, concepts(weights, "special_care_embeds", width), concepts(weights, "concept_embeds", width)));
        }
    }

    private static Concepts concepts(Checkpoint weights, String name, int width) throws Failure {
        String thresholds = name + "_weights";
        for (String key : new String[] {name, thresholds}) {
            if (!weights.has(key)) throw new Failure.Incompatible(weights.folder() + ": " + key + ": expected the concepts of a safety checker, found nothing");
        }
        Shape found = weights.info(name).shape();
        if (found.rank() != 2 || found.size(1) != width || !weights.info(thresholds).shape().equals(Shape.of(found.size(0)))) {
            throw new Failure.Incompatible(weights.folder() + ": " + name + ": expected (concepts," + width + ") and a threshold each, found " + found + " and " + weights.info(thresholds).shape());
        }
        return new Concepts(weights.read(name), weights.read(thresholds));
    }

    /// Whether a picture of this embedding (P) should not be shown.
    public boolean unsafe(float[] embedding) {
        return concepts.near(embedding, special.near(embedding, 0) ? CARE : 0);
    }
}
