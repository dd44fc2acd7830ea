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
record LikenessAndAlignment(ClipMetrics ruler, List<ClipEmbedding> subject, ClipEmbedding prompt) implements Validation.PictureScore {
    /// Empty where the model lacks an encoder.
    /// @param prompt with the class in the subject's place
    static Optional<Validation.PictureScore> of(DiffusionModel model, Engine engine, Crops crops, String prompt) throws Failure {
        Optional<ClipMetrics> ruler = ClipMetrics.of(model, engine);
        if (ruler.isEmpty()) return Optional.empty();
        Optional<ClipEmbedding> text = ruler.get().embedPrompt(prompt);
        if (text.isEmpty()) return Optional.empty();
        List<ClipEmbedding> subject = ruler.get().embedImages(crops.prepared().stream().map(Crops.Prepared::picture).toList());
        return Optional.of(new LikenessAndAlignment(ruler.get(), subject, text.get()));
    }

    @Override public String name() {
        return "likeness × alignment by " + ruler.encoderName();
    }

    @Override public double of(RgbImage picture) throws Failure {
        ClipEmbedding made = ruler.embedImage(picture);
        return subject.stream().mapToDouble(made::cosine).average().orElseThrow() * made.cosine(prompt);
    }
}
