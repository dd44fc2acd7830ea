package atomstudio.tuning.measure;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.ClipEncoders;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ImageEncoder;
import atomstudio.diffusion.model.TextProjection;
import atomstudio.diffusion.prompt.PromptAttentionParser;
import atomstudio.diffusion.prompt.PromptSchedule;
import atomstudio.diffusion.prompt.Tokenizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Embeds images and prompts with the model's own CLIP to compute metrics. One thread at a time; does not own the
/// encoders.
public final class ClipMetrics {
    private final ImageEncoder imageEncoder;
    private final ClipEncoders encoders;
    private final @Nullable Tokenizer tokenizer;
    private final Map<String, ClipEmbedding> promptCache = new HashMap<>();

    private ClipMetrics(ImageEncoder imageEncoder, ClipEncoders encoders, @Nullable Tokenizer tokenizer) {
        this.imageEncoder = imageEncoder;
        this.encoders = encoders;
        this.tokenizer = tokenizer;
    }

    /// Empty for a model without an image encoder, or an engine without CLIP encoders.
    /// @param engine an engine for this model
    /// @throws Failure that names the image encoder if it is damaged
    public static Optional<ClipMetrics> of(DiffusionModel model, Engine engine) throws Failure {
        Optional<ImageEncoder> imageEncoder = model.imageEncoder();
        if (imageEncoder.isEmpty() || engine.clipEncoders().isEmpty()) return Optional.empty();
        imageEncoder.get().file().open().close(); // checks the whole file first
        Tokenizer tokenizer = hasMatchingTextEncoder(imageEncoder.get(), model.textProjection()) ? model.tokenizer()
                : null;
        return Optional.of(new ClipMetrics(imageEncoder.get(), engine.clipEncoders().get(), tokenizer));
    }

    /// The text projection matches the image encoder if both have the same projection dimension; a safety checker's
    /// image encoder has no text encoder.
    private static boolean hasMatchingTextEncoder(ImageEncoder imageEncoder, Optional<TextProjection> projection) {
        return switch (imageEncoder.source()) {
            case IMAGE_ENCODER -> projection.isPresent()
                    && projection.get().projectionDim() == imageEncoder.network().projectionDim();
            case SAFETY_CHECKER -> false;
        };
    }

    /// Description of the image encoder, shown with the scores.
    public String encoderName() {
        return imageEncoder.description();
    }

    public ClipEmbedding embedImage(RgbImage image) throws Failure {
        return ClipEmbedding.of(encoders.embedImages(imageEncoder.processor().preprocess(image)).data());
    }

    public List<ClipEmbedding> embedImages(List<RgbImage> images) throws Failure {
        List<ClipEmbedding> embeddings = new ArrayList<>();
        for (RgbImage image : images) embeddings.add(embedImage(image));
        return embeddings;
    }

    /// Embeds a prompt without emphasis syntax, and as prompt editing leaves it at the last step. Empty for a model
    /// without a matching text encoder.
    /// @param prompt with the class word instead of the placeholder, which CLIP does not know
    public Optional<ClipEmbedding> embedPrompt(String prompt) throws Failure {
        if (tokenizer == null) return Optional.empty();
        ClipEmbedding embedding = promptCache.get(prompt);
        if (embedding == null) {
            int[] ids = tokenizer.encodePadded(plainText(prompt)).ids();
            embedding = ClipEmbedding.of(encoders.embedText(new int[][] {ids}).data());
            promptCache.put(prompt, embedding);
        }
        return Optional.of(embedding);
    }

    private static String plainText(String prompt) throws Failure {
        StringBuilder plain = new StringBuilder();
        String atEnd = PromptSchedule.parse(prompt).atEnd();
        for (PromptAttentionParser.Segment segment : PromptAttentionParser.parse(atEnd)) {
            plain.append(switch (segment) {
                case PromptAttentionParser.Segment.Text(String text, double weight) -> text;
                case PromptAttentionParser.Segment.Break() -> " ";
            });
        }
        return plain.toString();
    }

    /// @param subject embeddings of the photos
    public ClipScores measure(List<ClipEmbedding> subject, List<ClipScores.PromptSamples> gallery) {
        return ClipScores.of(encoderName(), subject, gallery);
    }

    /// As [#measure], with the values of the single images.
    public ClipSamples measureImages(List<ClipEmbedding> subject, List<ClipScores.PromptSamples> gallery) {
        return ClipSamples.of(measure(subject, gallery), subject, gallery);
    }
}
