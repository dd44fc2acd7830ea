package atomstudio.tuning.measure;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/// Likeness, diversity and alignment of one gallery, always together and always with the encoder that they are by: numbers of different
/// encoders do not compare. More likeness alone is no success: a copy of the subject that ignores the prompt has the most.
/// Source: Ruiz et al. 2022, "DreamBooth", section 4.1 (CLIP-I, CLIP-T); diversity with the same encoder instead of LPIPS.
/// @param likeness  mean cosine over all pairs of a sample and a picture of the subject
/// @param diversity mean of 1 − cosine over the pairs of one prompt, averaged over the prompts; absent where prompts have one sample each
/// @param alignment mean cosine of samples and their prompts; absent where texts cannot be embedded
public record Measures(String encoder, OptionalDouble likeness, OptionalDouble diversity, OptionalDouble alignment) {
    /// @param subject what the samples should be like; absent likeness where it is empty
    static Measures of(String encoder, List<Embedding> subject, List<Samples> gallery) {
        if (gallery.isEmpty()) throw new IllegalArgumentException("measures: expected samples of at least one prompt, found none");
        List<Embedding> all = gallery.stream().flatMap(samples -> samples.pictures().stream()).toList();
        OptionalDouble likeness = subject.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(Embedding.meanCosine(all, subject));
        return new Measures(encoder, likeness, diversity(gallery), alignment(gallery));
    }

    private static OptionalDouble diversity(List<Samples> gallery) {
        return gallery.stream().map(Samples::pictures).filter(pictures -> pictures.size() > 1).mapToDouble(Measures::spread).average();
    }

    /// Of the pictures of one prompt.
    private static double spread(List<Embedding> pictures) {
        List<Double> distances = new ArrayList<>();
        for (int i = 0; i < pictures.size(); i++) {
            for (int k = i + 1; k < pictures.size(); k++) distances.add(1 - pictures.get(i).cosine(pictures.get(k)));
        }
        return distances.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
    }

    private static OptionalDouble alignment(List<Samples> gallery) {
        List<Double> cosines = new ArrayList<>();
        for (Samples samples : gallery) {
            Optional<Embedding> prompt = samples.prompt();
            if (prompt.isEmpty()) return OptionalDouble.empty();
            for (Embedding picture : samples.pictures()) cosines.add(picture.cosine(prompt.get()));
        }
        return cosines.stream().mapToDouble(Double::doubleValue).average();
    }
}
