package atomstudio.tuning.data;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.prompt.Tokenizer;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.run.ControlPoint;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Encodes photos and captions into a dataset.
public record DatasetEncoder(Engine engine, DiffusionModel model, Tokenizer tokenizer,
        CaptionEncoding captionEncoding) {
    /// Whether captions are encoded once, or in every step, since the text encoder is trained too.
    public enum CaptionEncoding { PRECOMPUTED, ENCODE_EACH_STEP }

    /// @param defaultCaptions of photos without their own
    public record EncoderInput(String rngStream, PreparedPhotos photos, List<String> defaultCaptions,
            Dataset.BatchSampling sampling) {}

    /// Latents are the means of the encoder's distribution times the scaling factor. Empty when stopped.
    public Optional<Dataset> encode(EncoderInput input, ControlPoint controlPoint, int step) throws Failure {
        boolean flip = input.sampling.config().has(TrainingConfig.Feature.FLIP);
        Set<String> captions = new LinkedHashSet<>();
        List<Dataset.TrainingExample> examples = new ArrayList<>();
        for (PreparedPhotos.PreparedPhoto photo : input.photos.photos()) {
            if (controlPoint.shouldStopBeforeTraining(step)) return Optional.empty();
            Tensor latents = latents(photo.image());
            Optional<Tensor> flippedLatents = flip ? Optional.of(latents(photo.image().flipHorizontally()))
                    : Optional.empty();
            Optional<Tensor> lossWeights = photo.mask()
                    .map(mask -> mask.latentWeights(model.vae().downsamplingFactor()));
            List<String> photoCaptions = photo.info().captions().isEmpty() ? input.defaultCaptions
                    : photo.info().captions();
            captions.addAll(photoCaptions);
            examples.add(
                    new Dataset.TrainingExample(latents, flippedLatents, lossWeights, photoCaptions,
                            photo.info().repeats()));
        }
        TextConditioning textConditioning = switch (captionEncoding) {
            case PRECOMPUTED -> TextConditioning.precompute(captions, tokenizer, engine.textEncoder());
            case ENCODE_EACH_STEP -> TextConditioning.tokenize(captions, tokenizer);
        };
        return Optional.of(new Dataset(input.rngStream, examples, textConditioning, input.sampling));
    }

    private Tensor latents(RgbImage image) throws Failure {
        return engine.autoencoder().encode(image.toTensor()).mean().scaled((float) model.vae().scalingFactor());
    }
}
