package atomstudio.tuning.measure;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ImageEncoder;
import atomstudio.diffusion.model.TextProjection;
import atomstudio.diffusion.picture.RgbImage;
import atomstudio.diffusion.prompt.PromptAttentionParser;
import atomstudio.diffusion.prompt.PromptSchedule;
import atomstudio.diffusion.prompt.Segment;
import atomstudio.diffusion.prompt.Tokenizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A model's own CLIP as the measure of its pictures. One thread at a time; does not own the engine.
public final class Ruler {
    private final ImageEncoder tower;
    private final Engine engine;
    private final @Nullable Tokenizer tokenizer;
    private final Map<String, Embedding> prompts = new HashMap<>();

    private Ruler(ImageEncoder tower, Engine engine, @Nullable Tokenizer tokenizer) {
        this.tower = tower;
        this.engine = engine;
        this.tokenizer = tokenizer;
    }

    /// Empty where the model has no vision tower: then there is no number to show.
    /// @param engine that runs this model
    /// @throws Failure that names the tower when there is one that is damaged
    public static Optional<Ruler> of(DiffusionModel model, Engine engine) throws Failure {
        Optional<ImageEncoder> tower = model.imageEncoder();
        if (tower.isEmpty()) return Optional.empty();
        tower.get().openCheckpoint().close();                               // all of it is checked before anything is measured
        Tokenizer tokenizer = readsTexts(tower.get(), model.textProjection()) ? model.tokenizer() : null;
        return Optional.of(new Ruler(tower.get(), engine, tokenizer));
    }

    /// A text encoder's projection belongs to the image encoder beside it if both end in the same space; a safety checker's tower has no text side.
    private static boolean readsTexts(ImageEncoder tower, Optional<TextProjection> projection) {
        return switch (tower.source()) {
            case IMAGE_ENCODER -> projection.isPresent() && projection.get().projectionDim() == tower.network().projectionDim();
            case SAFETY_CHECKER -> false;
        };
    }

    /// Which encoder all of this is by.
    public String encoder() {
        return tower.description();
    }

    public Embedding picture(RgbImage picture) throws Failure {
        return Embedding.of(engine.embedImages(tower.processor().preprocess(picture)).data());
    }

    public List<Embedding> pictures(List<RgbImage> pictures) throws Failure {
        List<Embedding> embeddings = new ArrayList<>();
        for (RgbImage picture : pictures) embeddings.add(picture(picture));
        return embeddings;
    }

    /// A prompt as it should be judged: the class word in the subject's place, since no encoder knows the placeholder, its words
    /// alone where it stresses some, and as it ends where it changes on its way. Empty where the model cannot embed texts.
    public Optional<Embedding> prompt(String text) throws Failure {
        if (tokenizer == null) return Optional.empty();
        Embedding known = prompts.get(text);
        if (known == null) prompts.put(text, known = Embedding.of(engine.embedText(new int[][] {tokenizer.encodePadded(words(text)).ids()}).data()));
        return Optional.of(known);
    }

    private static String words(String prompt) throws Failure {
        StringBuilder words = new StringBuilder();
        for (Segment segment : PromptAttentionParser.parse(PromptSchedule.parse(prompt).atEnd())) {
            words.append(switch (segment) {
                case Segment.Text(String text, double weight) -> text;
                case Segment.Break() -> " ";
            });
        }
        return words.toString();
    }

    /// @param subject pictures of what the samples should be like
    public Measures measure(List<Embedding> subject, List<Samples> gallery) {
        return Measures.of(encoder(), subject, gallery);
    }
}
