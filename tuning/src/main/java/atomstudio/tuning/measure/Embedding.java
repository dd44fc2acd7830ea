package atomstudio.tuning.measure;

import java.util.List;

/// Where a picture or a text lies in an encoder's space: a direction, kept at length 1.
/// The array is shared, not copied: whoever makes an embedding hands the array over.
public record Embedding(float[] direction) {
    /// The direction of a vector of any length but 0.
    public static Embedding of(float[] vector) {
        double squares = 0;
        for (float number : vector) squares += (double) number * number;
        if (!(squares > 0) || Double.isInfinite(squares)) throw new IllegalArgumentException("embedding: expected a vector with a direction, found one whose length is " + Math.sqrt(squares));
        float[] direction = new float[vector.length];
        for (int i = 0; i < vector.length; i++) direction[i] = (float) (vector[i] / Math.sqrt(squares));
        return new Embedding(direction);
    }

    /// −1 for opposite, 1 for equal directions.
    public double cosine(Embedding other) {
        if (direction.length != other.direction.length) {
            throw new IllegalArgumentException("cosine: embeddings of " + direction.length + " and " + other.direction.length + " numbers are of different encoders");
        }
        double sum = 0;
        for (int i = 0; i < direction.length; i++) sum += (double) direction[i] * other.direction[i];
        return sum;
    }

    /// The mean over all pairs of one of ours and one of theirs.
    static double meanCosine(List<Embedding> ours, List<Embedding> theirs) {
        double sum = 0;
        for (Embedding one : ours) for (Embedding other : theirs) sum += one.cosine(other);
        return sum / ours.size() / theirs.size();
    }
}
