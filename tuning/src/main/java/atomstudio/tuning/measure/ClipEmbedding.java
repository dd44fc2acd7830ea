package atomstudio.tuning.measure;

import java.util.List;

/// A normalized CLIP embedding of an image or a text. The array is shared, not copied.
public record ClipEmbedding(float[] unitVector) {
    /// Normalizes a vector.
    /// @throws IllegalArgumentException for a vector of norm 0 or infinity
    public static ClipEmbedding of(float[] vector) {
        double sumOfSquares = 0;
        for (float value : vector) sumOfSquares += (double) value * value;
        if (!(sumOfSquares > 0) || Double.isInfinite(sumOfSquares))
            throw new IllegalArgumentException(
                    "embedding: expected a vector with a finite norm above 0, found one of norm "
                            + Math.sqrt(sumOfSquares));
        float[] unitVector = new float[vector.length];
        for (int i = 0; i < vector.length; i++) unitVector[i] = (float) (vector[i] / Math.sqrt(sumOfSquares));
        return new ClipEmbedding(unitVector);
    }

    /// Cosine similarity, −1 to 1.
    public double cosine(ClipEmbedding other) {
        if (unitVector.length != other.unitVector.length) {
            throw new IllegalArgumentException("cosine: embeddings of " + unitVector.length + " and "
                    + other.unitVector.length + " elements are of different encoders");
        }
        double sum = 0;
        for (int i = 0; i < unitVector.length; i++) sum += (double) unitVector[i] * other.unitVector[i];
        return sum;
    }

    /// Mean cosine over all pairs.
    static double meanCosine(List<ClipEmbedding> left, List<ClipEmbedding> right) {
        double sum = 0;
        for (ClipEmbedding one : left) for (ClipEmbedding other : right) sum += one.cosine(other);
        return sum / left.size() / right.size();
    }
}
