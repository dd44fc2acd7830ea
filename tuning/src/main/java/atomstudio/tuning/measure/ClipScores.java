package atomstudio.tuning.measure;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/// Likeness (CLIP-I), diversity and alignment (CLIP-T) of a gallery, with the encoder: scores of different encoders are
/// not comparable. High likeness with low alignment means that the prompt is ignored.
/// Source: Ruiz et al. 2022, "DreamBooth", section 4.1 (CLIP-I, CLIP-T); diversity with the same encoder instead of
/// LPIPS.
/// @param likeness  mean cosine over all pairs of a generated image and a photo of the subject; absent without photos
/// @param diversity mean of 1 − cosine over the image pairs of a prompt, averaged over the prompts; absent if every
///     prompt has one image
/// @param alignment mean cosine of images and their prompts; absent if prompts cannot be embedded
public record ClipScores(String encoder, OptionalDouble likeness, OptionalDouble diversity, OptionalDouble alignment) {
    /// @param subject embeddings of the photos, may be empty
    static ClipScores of(String encoder, List<ClipEmbedding> subject, List<PromptSamples> gallery) {
        if (gallery.isEmpty())
            throw new IllegalArgumentException("scores: expected samples of at least one prompt, found none");
        List<ClipEmbedding> all = gallery.stream().flatMap(samples -> samples.images().stream()).toList();
        OptionalDouble likeness = subject.isEmpty() ? OptionalDouble.empty()
                : OptionalDouble.of(ClipEmbedding.meanCosine(all, subject));
        return new ClipScores(encoder, likeness, diversity(gallery), alignment(gallery));
    }

    private static OptionalDouble diversity(List<PromptSamples> gallery) {
        return gallery.stream()
                .map(PromptSamples::images)
                .filter(images -> images.size() > 1)
                .mapToDouble(ClipScores::meanPairwiseDistance)
                .average();
    }

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

    /// The images of one prompt, and the prompt's embedding where the model can compute it.
    public record PromptSamples(List<ClipEmbedding> images, Optional<ClipEmbedding> prompt) {
        public PromptSamples {
            images = List.copyOf(images);
            if (images.isEmpty())
                throw new IllegalArgumentException("samples: expected at least one image of a prompt, found none");
        }
    }
}
