package atomstudio.tuning.measure;

import atomstudio.diffusion.Failure;
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

/// A model's own CLIP as the measure of its pictures. One thread at a time; does not own the engine.
public final class ClipMetrics {
    private final ImageEncoder imageEncoder;
    private final Engine engine;
    private final @Nullable Tokenizer tokenizer;
    private final Map<String, ClipEmbedding> promptCache = new HashMap<>();

    private ClipMetrics(ImageEncoder imageEncoder, Engine engine, @Nullable Tokenizer tokenizer) {
        this.imageEncoder = imageEncoder;
        this.engine = engine;
        this.tokenizer = tokenizer;
    }

    /// Empty where the model has no vision tower: then there is no number to show.
    /// @param engine that runs this model
    /// @throws Failure that names the tower when there is one that is damaged
    public static Optional<ClipMetrics> of(DiffusionModel model, Engine engine) throws Failure {
        Optional<ImageEncoder> imageEncoder = model.imageEncoder();
        if (imageEncoder.isEmpty()) return Optional.empty();
        imageEncoder.get().openCheckpoint().close(); // all of it is checked before anything is measured
        Tokenizer tokenizer = hasMatchingTextEncoder(imageEncoder.get(), model.textProjection()) ? model.tokenizer()
                : null;
        return Optional.of(new ClipMetrics(imageEncoder.get(), engine, tokenizer));
    }

    /// A text encoder's projection belongs to the image encoder beside it if both end in the same space; a safety
    /// checker's tower has no text side.
    private static boolean hasMatchingTextEncoder(ImageEncoder imageEncoder, Optional<TextProjection> projection) {
        return switch (imageEncoder.source()) {
            case IMAGE_ENCODER -> projection.isPresent()
                    && projection.get().projectionDim() == imageEncoder.network().projectionDim();
            case SAFETY_CHECKER -> false;
        };
    }

    /// Which encoder all of this is by.
    public String encoderName() {
        return imageEncoder.description();
    }

    public ClipEmbedding embedImage(RgbImage image) throws Failure {
        return ClipEmbedding.of(engine.embedImages(imageEncoder.processor().preprocess(image)).data());
    }

    public List<ClipEmbedding> embedImages(List<RgbImage> images) throws Failure {
        List<ClipEmbedding> embeddings = new ArrayList<>();
        for (RgbImage image : images) embeddings.add(embedImage(image));
        return embeddings;
    }

    /// A prompt as it should be judged: the class word in the subject's place, since no encoder knows the
    /// placeholder, its words alone where it stresses some, and as it ends where it changes on its way. Empty where
    /// the model cannot embed texts.
    public Optional<ClipEmbedding> embedPrompt(String text) throws Failure {
        if (tokenizer == null) return Optional.empty();
        ClipEmbedding embedding = promptCache.get(text);
        if (embedding == null)
            promptCache.put(text, embedding = ClipEmbedding
                    .of(engine.embedText(new int[][] {tokenizer.encodePadded(plainText(text)).ids()}).data()));
        return Optional.of(embedding);
    }

    private static String plainText(String prompt) throws Failure {
        StringBuilder plain = new StringBuilder();
        for (PromptAttentionParser.Segment segment : PromptAttentionParser
                .parse(PromptSchedule.parse(prompt).atEnd())) {
            plain.append(switch (segment) {
                case PromptAttentionParser.Segment.Text(String text, double weight) -> text;
                case PromptAttentionParser.Segment.Break() -> " ";
            });
        }
        return plain.toString();
    }

    /// @param subject pictures of what the samples should be like
    public ClipScores measure(List<ClipEmbedding> subject, List<ClipScores.PromptSamples> gallery) {
        return ClipScores.of(encoderName(), subject, gallery);
    }
}
