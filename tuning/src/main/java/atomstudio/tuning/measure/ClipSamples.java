package atomstudio.tuning.measure;

import java.util.ArrayList;
import java.util.List;

/// The metrics of a gallery and of its single images, for intervals. A list is empty where the metric is absent.
/// @param likeness mean cosine of an image and the photos
/// @param diversity mean of 1 − cosine of an image and the other images of its prompt
/// @param alignment cosine of an image and its prompt
public record ClipSamples(ClipScores scores, List<Double> likeness, List<Double> diversity, List<Double> alignment) {
    public ClipSamples {
        likeness = List.copyOf(likeness);
        diversity = List.copyOf(diversity);
        alignment = List.copyOf(alignment);
    }

    static ClipSamples of(ClipScores scores, List<ClipEmbedding> subject, List<ClipScores.PromptSamples> gallery) {
        List<Double> likeness = new ArrayList<>();
        List<Double> diversity = new ArrayList<>();
        List<Double> alignment = new ArrayList<>();
        for (ClipScores.PromptSamples samples : gallery) {
            for (ClipEmbedding image : samples.images()) {
                List<ClipEmbedding> others = new ArrayList<>(samples.images());
                others.remove(image);
                if (!subject.isEmpty()) likeness.add(ClipEmbedding.meanCosine(List.of(image), subject));
                if (!others.isEmpty()) diversity.add(1 - ClipEmbedding.meanCosine(List.of(image), others));
                samples.prompt().ifPresent(prompt -> alignment.add(image.cosine(prompt)));
            }
        }
        return new ClipSamples(scores, likeness, diversity, scores.alignment().isPresent() ? alignment : List.of());
    }
}
