package atomstudio.tuning.measure;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/// Likeness, diversity and alignment of one gallery, always together and always with the encoder that they are by:
/// numbers of different encoders do not compare. More likeness alone is no success: a copy of the subject that
/// ignores the prompt has the most.
/// Source: Ruiz et al. 2022, "DreamBooth", section 4.1 (CLIP-I, CLIP-T); diversity with the same encoder instead of
/// LPIPS.
/// @param likeness  mean cosine over all pairs of a sample and a picture of the subject
/// @param diversity mean of 1 − cosine over the pairs of one prompt, averaged over the prompts; absent where prompts
///     have one sample each
/// @param alignment mean cosine of samples and their prompts; absent where texts cannot be embedded
public record ClipScores(String encoder, OptionalDouble likeness, OptionalDouble diversity, OptionalDouble alignment) {
    /// @param subject what the samples should be like; absent likeness where it is empty
    static ClipScores of(String encoder, List<ClipEmbedding> subject, List<PromptSamples> gallery) {
        if (gallery.isEmpty())
            throw new IllegalArgumentException("measures: expected samples of at least one prompt, found none");
        List<ClipEmbedding> all = gallery.stream().flatMap(samples -> samples.images().stream()).toList();
        OptionalDouble likeness = subject.isEmpty() ? OptionalDouble.empty()
                : OptionalDouble.of(ClipEmbedding.meanCosine(all, subject));
        return new ClipScores(encoder, likeness, diversity(gallery), alignment(gallery));
    }

    private static OptionalDouble diversity(List<PromptSamples> gallery) {
        return gallery.stream()
                .map(PromptSamples::images)
                .filter(pictures -> pictures.size() > 1)
                .mapToDouble(ClipScores::meanPairwiseDistance)
                .average();
    }

    /// Of the pictures of one prompt.
    private static double meanPairwiseDistance(List<ClipEmbedding> images) {
        List<Double> distances = new ArrayList<>();
        for (int i = 0; i < images.size(); i++) {
            for (int k = i + 1; k < images.size(); k++) distances.add(1 - images.get(i).cosine(images.get(k)));
        }
        return distances.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
    }

    private static OptionalDouble alignment(List<PromptSamples> gallery) {
        List<Double> cosines = new ArrayList<>();
        for (PromptSamples samples : gallery) {
            Optional<ClipEmbedding> prompt = samples.prompt();
            if (prompt.isEmpty()) return OptionalDouble.empty();
            for (ClipEmbedding image : samples.images()) cosines.add(image.cosine(prompt.get()));
        }
        return cosines.stream().mapToDouble(Double::doubleValue).average();
    }

    /// What was made for one prompt: the pictures, and the prompt itself with the class word in the subject's place,
    /// where texts can be embedded.
    public record PromptSamples(List<ClipEmbedding> images, Optional<ClipEmbedding> prompt) {
        public PromptSamples {
            images = List.copyOf(images);
            if (images.isEmpty())
                throw new IllegalArgumentException("samples: expected at least one picture of a prompt, found none");
        }
    }
}
