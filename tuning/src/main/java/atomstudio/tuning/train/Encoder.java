package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.picture.RgbImage;
import atomstudio.diffusion.prompt.Tokenizer;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Makes datasets of pictures and captions.
record Encoder(Engine engine, DiffusionModel model, Tokenizer tokenizer, Texts texts) {
    /// Whether captions are read once for all, or in every step by a text encoder that is tuned itself.
    enum Texts { EMBEDDED, READ }

    /// The pictures of one dataset, what they are called where they have no captions of their own, and how they are drawn.
    record Source(String stream, Crops crops, List<String> general, Dataset.Drawing drawing) {}

    /// Means of the pictures' latents times the scaling factor, and the captions; empty when told to stop.
    Optional<Dataset> encode(Source source, Gate gate, int step) throws Failure {
        boolean flip = source.drawing.recipe().has(Recipe.Feature.FLIP);
        Set<String> captions = new LinkedHashSet<>();
        List<Dataset.Example> examples = new ArrayList<>();
        for (Crops.Prepared each : source.crops.prepared()) {
            if (gate.stopBefore(step)) return Optional.empty();
            Tensor latents = latents(each.picture());
            Optional<Tensor> mirrored = flip ? Optional.of(latents(each.picture().flipHorizontally())) : Optional.empty();
            Optional<Tensor> weights = each.mask().map(mask -> mask.weights(model.vae().downsamplingFactor()));
            List<String> own = each.name().captions().isEmpty() ? source.general : each.name().captions();
            captions.addAll(own);
            examples.add(new Dataset.Example(latents, mirrored, weights, own, each.name().repeats()));
        }
        Wording wording = switch (texts) {
            case EMBEDDED -> Wording.embedded(captions, tokenizer, engine);
            case READ -> Wording.read(captions, tokenizer);
        };
        return Optional.of(new Dataset(source.stream, examples, wording, source.drawing));
    }

    private Tensor latents(RgbImage picture) throws Failure {
        Tensor mean = engine.encode(picture.toTensor()).mean();
        for (int i = 0; i < mean.data().length; i++) mean.data()[i] *= (float) model.vae().scalingFactor();
        return mean;
    }
}
