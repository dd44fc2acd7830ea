package atomstudio.tuning.measure;

import java.util.List;

/// Where a picture or a text lies in an encoder's space: a direction, kept at length 1.
/// The array is shared, not copied: whoever makes an embedding hands the array over.
public record ClipEmbedding(float[] unitVector) {
    /// The direction of a vector of any length but 0.
    public static ClipEmbedding of(float[] vector) {
        double sumOfSquares = 0;
        for (float value : vector) sumOfSquares += (double) value * value;
        if (!(sumOfSquares > 0) || Double.isInfinite(sumOfSquares))
            throw new IllegalArgumentException(
                    "embedding: expected a vector with a direction, found one whose length is "
                            + Math.sqrt(sumOfSquares));
        float[] direction = new float[vector.length];
        for (int i = 0; i < vector.length; i++) direction[i] = (float) (vector[i] / Math.sqrt(sumOfSquares));
        return new ClipEmbedding(direction);
    }

    /// −1 for opposite, 1 for equal directions.
    public double cosine(ClipEmbedding other) {
        if (unitVector.length != other.unitVector.length) {
            throw new IllegalArgumentException("cosine: embeddings of " + unitVector.length + " and "
                    + other.unitVector.length + " numbers are of different encoders");
        }
        double sum = 0;
        for (int i = 0; i < unitVector.length; i++) sum += (double) unitVector[i] * other.unitVector[i];
        return sum;
    }

    /// The mean over all pairs of one of ours and one of theirs.
    static double meanCosine(List<ClipEmbedding> left, List<ClipEmbedding> right) {
        double sum = 0;
        for (ClipEmbedding one : left) for (ClipEmbedding other : right) sum += one.cosine(other);
        return sum / left.size() / right.size();
    }
}
