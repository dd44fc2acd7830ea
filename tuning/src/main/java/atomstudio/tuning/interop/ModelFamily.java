package atomstudio.tuning.interop;

import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.tensor.Shape;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiPredicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The kinds of models that adapters are trained for, told from names and shapes that no other kind has.
/// Source: the layer names of diffusers 0.42 and the original code; widths of the text encoders' outputs.
public enum ModelFamily {
    /// Two text encoders, an embedding of sizes, and up to ten transformer blocks in a row.
    STABLE_DIFFUSION_XL("Stable Diffusion XL", "(?:lora_te2_|text_encoder_2\\.|text_encoders\\.clip_g\\.|clip_g\\.|cond_stage_model\\.1\\.).*|bundle_emb\\..+\\.clip_g(?:_out)?"
            + "|.*(?:label_emb|add_embedding)[._].*|.*(?:down|up|mid|input|output|middle)_blocks?[._].*transformer_blocks[._][1-9]\\d*[._].*", 2048),
    TRANSFORMER("a transformer (Flux, Stable Diffusion 3 or a later model)",
            ".*(?:double_blocks|single_blocks|single_transformer_blocks|joint_blocks)[._].*|(?:lora_transformer_|transformer\\.|lora_te3_|text_encoder_3\\.|text_encoders\\.t5xxl\\.).*", 4096),
    STABLE_CASCADE("Stable Cascade", "lora_prior_.*", 1280),
    ANIMATE_DIFF("AnimateDiff", ".*motion_modules?[._].*", 0),
    STABLE_DIFFUSION_1("Stable Diffusion 1.x", "(?!)", 768),
    STABLE_DIFFUSION_2("Stable Diffusion 2.x", "(?!)", 1024);

    /// The layers that read the text, whose inputs are as wide as its encoding.
    private static final Pattern CROSS_ATTENTION_KV = Pattern.compile(".*attn2[._](?:processor\\.)?to_[kv]");

    private final String title;
    private final Pattern keyPattern;
    private final long contextWidth;

    /// @param names of layers or tensors that only this kind has
    /// @param width of the text's encoding; 0 where it tells nothing
    ModelFamily(String title, String names, long width) {
        this.title = title;
        this.keyPattern = Pattern.compile(names);
        this.contextWidth = width;
    }

    /// A kind of model, and the tensor that told it.
    public record Evidence(ModelFamily family, String key) {
        /// `Stable Diffusion XL (it has lora_te2_… (4,1280))`.
        public String text(Shape shape) {
            return family.title + " (it has " + SafeText.of(key) + " " + shape + ")";
        }
    }

    /// By a name that only that kind has.
    /// @param keys tensors of a file that fit no layer of the model at hand, with their shapes
    public static Optional<Evidence> detectByName(Map<String, Shape> keys) {
        return firstMatch(keys, (kind, key) -> kind.keyPattern.matcher(key).matches());
    }

    /// The same, or by the width of the text that a layer reads.
    public static Optional<Evidence> detect(Map<String, Shape> keys) {
        Optional<Evidence> named = detectByName(keys);
        return named.isPresent() ? named : firstMatch(keys, (kind, key) -> {
            Optional<AdapterTensorKey> name = AdapterTensorKey.parse(key).filter(each -> CROSS_ATTENTION_KV.matcher(each.layer()).matches());
            Shape shape = keys.get(key);
            return name.isPresent() && name.get().parameter().equals(LayerDelta.DOWN) && shape.rank() == 2 && shape.size(1) == kind.contextWidth;
        });
    }

    private static Optional<Evidence> firstMatch(Map<String, Shape> keys, BiPredicate<ModelFamily, String> test) {
        return Stream.of(values()).flatMap(kind -> keys.keySet().stream().sorted().filter(key -> test.test(kind, key)).limit(1).map(key -> new Evidence(kind, key))).findFirst();
    }
}
