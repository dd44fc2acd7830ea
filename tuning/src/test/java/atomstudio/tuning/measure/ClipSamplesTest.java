package atomstudio.tuning.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ClipSamplesTest {
    private final Random random = new Random(3);

    private ClipEmbedding embedding() {
        float[] vector = new float[8];
        for (int i = 0; i < vector.length; i++) vector[i] = (float) random.nextGaussian();
        return ClipEmbedding.of(vector);
    }

    private List<ClipEmbedding> embeddings(int count) {
        List<ClipEmbedding> result = new ArrayList<>();
        for (int i = 0; i < count; i++) result.add(embedding());
        return result;
    }

    private static double mean(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
    }

    /// With as many images of every prompt, the means of the images' values are the gallery's metrics.
    @Test
    void valuesOfImagesAverageToTheScores() {
        List<ClipScores.PromptSamples> gallery = new ArrayList<>();
        for (int prompt = 0; prompt < 3; prompt++)
            gallery.add(new ClipScores.PromptSamples(embeddings(4), Optional.of(embedding())));
        List<ClipEmbedding> photos = embeddings(5);
        ClipScores scores = ClipScores.of("e", photos, gallery);
        ClipSamples samples = ClipSamples.of(scores, photos, gallery);
        assertEquals(12, samples.likeness().size());
        assertEquals(scores.likeness().orElseThrow(), mean(samples.likeness()), 1e-9);
        assertEquals(scores.diversity().orElseThrow(), mean(samples.diversity()), 1e-9);
        assertEquals(scores.alignment().orElseThrow(), mean(samples.alignment()), 1e-9);
    }

    @Test
    void absentMetricsHaveNoValues() {
        List<ClipScores.PromptSamples> gallery = List.of(
                new ClipScores.PromptSamples(embeddings(1), Optional.of(embedding())),
                new ClipScores.PromptSamples(embeddings(1), Optional.empty()));
        ClipSamples samples = ClipSamples.of(ClipScores.of("e", List.of(), gallery), List.of(), gallery);
        assertEquals(List.of(), samples.likeness());
        assertEquals(List.of(), samples.diversity(), "one image per prompt");
        assertEquals(List.of(), samples.alignment(), "a prompt without an embedding");
    }

    @Test
    void intervalsThatOverlapAreNoClearDifference() {
        BootstrapInterval low = new BootstrapInterval(0.4, 0.3, 0.5);
        assertFalse(new BootstrapInterval(0.55, 0.5, 0.6).isAbove(low));
        assertTrue(new BootstrapInterval(0.55, 0.51, 0.6).isAbove(low));
        assertFalse(low.isAbove(new BootstrapInterval(0.55, 0.51, 0.6)));
    }
}
