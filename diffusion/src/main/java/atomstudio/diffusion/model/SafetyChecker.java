package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// A model's safety checker: flags images whose embedding is too similar to an unsafe concept. Only the embeddings of
/// the concepts are published, not their meaning.
/// Source: diffusers, StableDiffusionSafetyChecker.forward; Rando et al. 2022, "Red-Teaming the Stable Diffusion
/// Safety Filter".
/// @param specialCare concepts whose match lowers the thresholds of the others
public record SafetyChecker(ImageEncoder imageEncoder, Concepts specialCare, Concepts concepts) {
    private static final double SPECIAL_CARE_ADJUSTMENT = 0.01;

    /// Embeddings (N, P) and the thresholds (N) of their cosine similarity.
    public record Concepts(Tensor embeddings, Tensor thresholds) {
        /// Cosine similarity to a concept minus its threshold, rounded to three decimals as in diffusers.
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

    /// The model's safety checker; empty if it has none. Reads only the concepts, not the image encoder's weights.
    /// @throws Failure when it is damaged or not supported
    static Optional<SafetyChecker> of(DiffusionModel model) throws Failure {
        Path folder = model.path().resolve("safety_checker");
        if (!Files.isRegularFile(folder.resolve("config.json"))) return Optional.empty();
        ImageEncoder imageEncoder = ImageEncoder.ofSafetyChecker(model);
        try (Checkpoint weights = imageEncoder.file().open()) {
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
                    + ") and one threshold per concept, found " + found + " and "
                    + weights.info(thresholds).shape());
        }
        return new Concepts(weights.read(name), weights.read(thresholds));
    }

    /// Whether an image with this embedding (P) is flagged.
    public boolean isUnsafe(float[] embedding) {
        return concepts.isAnyAbove(embedding, specialCare.isAnyAbove(embedding, 0) ? SPECIAL_CARE_ADJUSTMENT : 0);
    }
}
