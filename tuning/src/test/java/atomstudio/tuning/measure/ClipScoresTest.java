package atomstudio.tuning.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class ClipScoresTest {
    private static final ClipEmbedding EAST = ClipEmbedding.of(new float[] {3, 0});
    private static final ClipEmbedding NORTH = ClipEmbedding.of(new float[] {0, 0.5f});
    private static final ClipEmbedding NORTH_EAST = ClipEmbedding.of(new float[] {2, 2});
    private static final double HALF = Math.sqrt(0.5);

    @Test
    void likenessIsTheMeanCosineOfImagesAndPhotos() {
        ClipScores found = ClipScores.of("e", List.of(EAST, NORTH), List.of(samples(EAST), samples(NORTH_EAST)));
        assertEquals((1 + 0 + HALF + HALF) / 4, found.likeness().orElseThrow(), 1e-6);
        assertEquals("e", found.encoder());
    }

    @Test
    void diversityIsTheMeanDistanceWithinPrompts() {
        List<ClipScores.PromptSamples> gallery = List.of(samples(EAST, NORTH, NORTH_EAST), samples(EAST, EAST),
                samples(NORTH));
        double first = (1 + (1 - HALF) + (1 - HALF)) / 3;
        assertEquals(first / 2, ClipScores.of("e", List.of(EAST), gallery).diversity().orElseThrow(), 1e-6,
                "two prompts have pairs, the third has none");
    }

    @Test
    void noDiversityWithOneImagePerPrompt() {
        assertEquals(OptionalDouble.empty(),
                ClipScores.of("e", List.of(EAST), List.of(samples(EAST), samples(NORTH))).diversity());
    }

    @Test
    void alignmentIsTheMeanCosineOfImagesAndTheirPrompts() {
        List<ClipScores.PromptSamples> gallery = List.of(
                new ClipScores.PromptSamples(List.of(EAST, NORTH), Optional.of(EAST)),
                new ClipScores.PromptSamples(List.of(NORTH_EAST), Optional.of(NORTH)));
        assertEquals((1 + 0 + HALF) / 3, ClipScores.of("e", List.of(EAST), gallery).alignment().orElseThrow(), 1e-6);
    }

    @Test
    void noAlignmentWithoutPromptEmbedding() {
        assertTrue(ClipScores.of("e", List.of(EAST), List.of(samples(EAST))).alignment().isEmpty());
    }

    @Test
    void rejectsEmbeddingsOfDifferentEncoders() {
        assertThrows(IllegalArgumentException.class, () -> EAST.cosine(ClipEmbedding.of(new float[] {1, 0, 0})));
        assertThrows(IllegalArgumentException.class, () -> ClipEmbedding.of(new float[2]));
    }

    private static ClipScores.PromptSamples samples(ClipEmbedding... images) {
        return new ClipScores.PromptSamples(List.of(images), Optional.empty());
    }
}
