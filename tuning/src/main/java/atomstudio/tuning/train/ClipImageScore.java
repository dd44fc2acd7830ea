package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.picture.RgbImage;
import atomstudio.tuning.measure.ClipEmbedding;
import atomstudio.tuning.measure.ClipMetrics;
import java.util.List;
import java.util.Optional;

/// Scores a picture by how much it is like the subject's pictures, times how well it shows its prompt: either alone is easily had at
/// the cost of the other.
record ClipImageScore(ClipMetrics metrics, List<ClipEmbedding> photoEmbeddings, ClipEmbedding promptEmbedding) implements Validation.ImageScore {
    /// Empty where the model lacks an encoder.
    /// @param prompt with the class in the subject's place
    static Optional<Validation.ImageScore> of(DiffusionModel model, Engine engine, PreparedPhotos photos, String prompt) throws Failure {
        Optional<ClipMetrics> metrics = ClipMetrics.of(model, engine);
        if (metrics.isEmpty()) return Optional.empty();
        Optional<ClipEmbedding> promptEmbedding = metrics.get().embedPrompt(prompt);
        if (promptEmbedding.isEmpty()) return Optional.empty();
        List<ClipEmbedding> photoEmbeddings = metrics.get().embedImages(photos.photos().stream().map(PreparedPhotos.PreparedPhoto::image).toList());
        return Optional.of(new ClipImageScore(metrics.get(), photoEmbeddings, promptEmbedding.get()));
    }

    @Override public String name() {
        return "likeness × alignment by " + metrics.encoderName();
    }

    @Override public double score(RgbImage image) throws Failure {
        ClipEmbedding embedding = metrics.embedImage(image);
        return photoEmbeddings.stream().mapToDouble(embedding::cosine).average().orElseThrow() * embedding.cosine(promptEmbedding);
    }
}
