package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.picture.RgbImage;
import atomstudio.tuning.measure.Embedding;
import atomstudio.tuning.measure.Ruler;
import java.util.List;
import java.util.Optional;

/// Scores a picture by how much it is like the subject's pictures, times how well it shows its prompt: either alone is easily had at
/// the cost of the other.
record LikenessAndAlignment(Ruler ruler, List<Embedding> subject, Embedding prompt) implements Validation.PictureScore {
    /// Empty where the model lacks an encoder.
    /// @param prompt with the class in the subject's place
    static Optional<Validation.PictureScore> of(DiffusionModel model, Engine engine, Crops crops, String prompt) throws Failure {
        Optional<Ruler> ruler = Ruler.of(model, engine);
        if (ruler.isEmpty()) return Optional.empty();
        Optional<Embedding> text = ruler.get().prompt(prompt);
        if (text.isEmpty()) return Optional.empty();
        List<Embedding> subject = ruler.get().pictures(crops.prepared().stream().map(Crops.Prepared::picture).toList());
        return Optional.of(new LikenessAndAlignment(ruler.get(), subject, text.get()));
    }

    @Override public String name() {
        return "likeness × alignment by " + ruler.encoder();
    }

    @Override public double of(RgbImage picture) throws Failure {
        Embedding made = ruler.picture(picture);
        return subject.stream().mapToDouble(made::cosine).average().orElseThrow() * made.cosine(prompt);
    }
}
