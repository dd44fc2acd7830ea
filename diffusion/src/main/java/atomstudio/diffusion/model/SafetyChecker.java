package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// A model's safety checker: pictures whose embedding is too near to one of some concepts should not be shown. The
/// concepts are published as embeddings alone; what they stand for is not.
/// Source: diffusers, StableDiffusionSafetyChecker.forward; Rando et al. 2022, "Red-Teaming the Stable Diffusion
/// Safety Filter".
/// @param imageEncoder   what makes embeddings of pictures
/// @param specialCare concepts that, once near, make the others count as nearer
public record SafetyChecker(ImageEncoder imageEncoder, Concepts specialCare, Concepts concepts) {
    private static final double SPECIAL_CARE_ADJUSTMENT = 0.01;

    /// Directions (N,P), and how near (cosine) each may be (N).
    public record Concepts(Tensor embeddings, Tensor thresholds) {
        /// How far past its threshold an embedding is for one of them, to three decimals, as the reference rounds it.
        private double score(float[] embedding, int concept, double adjustment) {
            int projectionDim = embedding.length;
            double dot = 0;
            double embeddingSquares = 0;
            double conceptSquares = 0;
            for (int i = 0; i < projectionDim; i++) {
                double value = embeddings.data()[concept * projectionDim + i];
                dot += embedding[i] * value;
                embeddingSquares += (double) embedding[i] * embedding[i];
                conceptSquares += value * value;
            }
            double cosine = dot / Math.max(Math.sqrt(embeddingSquares) * Math.sqrt(conceptSquares), Double.MIN_NORMAL);
            return Math.rint((cosine - thresholds.data()[concept] + adjustment) * 1000) / 1000;
        }

        private boolean isAnyAbove(float[] embedding, double adjustment) {
            for (int concept = 0; concept < thresholds.data().length; concept++) {
                if (score(embedding, concept, adjustment) > 0) return true;
            }
            return false;
        }
    }

    /// The model's own; empty where it has none. Reads a few numbers, not the tower's.
    /// @throws Failure when there is one that is damaged or of a kind that cannot be run
    static Optional<SafetyChecker> of(DiffusionModel model) throws Failure {
        Path folder = model.path().resolve("safety_checker");
        if (!Files.isRegularFile(folder.resolve("config.json"))) return Optional.empty();
        ImageEncoder imageEncoder = ImageEncoder.ofSafetyChecker(model);
        try (Checkpoint weights = imageEncoder.openCheckpoint()) {
            int projectionDim = imageEncoder.network().projectionDim();
            return Optional.of(new SafetyChecker(imageEncoder, concepts(weights, "special_care_embeds", projectionDim),
                    concepts(weights, "concept_embeds", projectionDim)));
        }
    }

    private static Concepts concepts(Checkpoint weights, String name, int projectionDim) throws Failure {
        String thresholds = name + "_weights";
        for (String key : new String[] {name, thresholds}) {
            if (!weights.has(key))
                throw new Failure.Incompatible(
                        weights.path() + ": " + key + ": expected the concepts of a safety checker, found nothing");
        }
        Shape found = weights.info(name).shape();
        if (found.rank() != 2 || found.size(1) != projectionDim
                || !weights.info(thresholds).shape().equals(Shape.of(found.size(0)))) {
            throw new Failure.Incompatible(weights.path() + ": " + name + ": expected (concepts," + projectionDim
                    + ") and a threshold each, found " + found + " and " + weights.info(thresholds).shape());
        }
        return new Concepts(weights.read(name), weights.read(thresholds));
    }

    /// Whether a picture of this embedding (P) should not be shown.
    public boolean isUnsafe(float[] embedding) {
        return concepts.isAnyAbove(embedding, specialCare.isAnyAbove(embedding, 0) ? SPECIAL_CARE_ADJUSTMENT : 0);
    }
}
