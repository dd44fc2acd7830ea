package atomstudio.tuning.interop;

import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.tensor.Shape;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiPredicate;
import java.util.regex.Pattern;

/// The kind of model that an adapter was trained for, detected by keys and shapes that no other kind has.
/// Source: the layer names of diffusers 0.42 and the original code; hidden sizes of the text encoders.
public enum ModelFamily {
    /// Two text encoders, a size embedding, and up to ten transformer blocks in a row.
    STABLE_DIFFUSION_XL("Stable Diffusion XL",
            "(?:lora_te2_|text_encoder_2\\.|text_encoders\\.clip_g\\.|clip_g\\.|cond_stage_model\\.1\\.).*"
                    + "|bundle_emb\\..+\\.clip_g(?:_out)?|.*(?:label_emb|add_embedding)[._].*"
                    + "|.*(?:down|up|mid|input|output|middle)_blocks?[._].*transformer_blocks[._][1-9]\\d*[._].*",
            2048),
    TRANSFORMER("a transformer (Flux, Stable Diffusion 3 or a later model)",
            ".*(?:double_blocks|single_blocks|single_transformer_blocks|joint_blocks)[._].*"
                    + "|(?:lora_transformer_|transformer\\.|lora_te3_|text_encoder_3\\.|text_encoders\\.t5xxl\\.).*",
            4096),
    STABLE_CASCADE("Stable Cascade", "lora_prior_.*", 1280),
    ANIMATE_DIFF("AnimateDiff", ".*motion_modules?[._].*", 0),
    STABLE_DIFFUSION_1("Stable Diffusion 1.x", "(?!)", 768),
    STABLE_DIFFUSION_2("Stable Diffusion 2.x", "(?!)", 1024);

    /// Cross-attention keys and values, whose input width is that of the text encoding.
    private static final Pattern CROSS_ATTENTION_KV = Pattern.compile(".*attn2[._](?:processor\\.)?to_[kv]");

    private final String title;
    private final Pattern keyPattern;
    private final long contextWidth;

    /// @param keyPattern   keys that only this kind has
    /// @param contextWidth width of the text encoding; 0 if it does not identify the kind
    ModelFamily(String title, String keyPattern, long contextWidth) {
        this.title = title;
        this.keyPattern = Pattern.compile(keyPattern);
        this.contextWidth = contextWidth;
    }

    /// The detected kind and the key that identified it.
    public record Evidence(ModelFamily family, String key) {
        /// `Stable Diffusion XL (it has lora_te2_… (4,1280))`.
        public String text(Shape shape) {
            return family.title + " (it has " + SafeText.of(key) + " " + shape + ")";
        }
    }

    /// Detects the kind by a key that only that kind has.
    /// @param keys keys and shapes of a file's tensors without a matching layer in the current model
    public static Optional<Evidence> detectByName(Map<String, Shape> keys) {
        return firstMatch(keys, (kind, key) -> kind.keyPattern.matcher(key).matches());
    }

    /// Detects the kind by a key, or else by the width of the text encoding.
    public static Optional<Evidence> detect(Map<String, Shape> keys) {
        Optional<Evidence> named = detectByName(keys);
        return named.isPresent() ? named
                : firstMatch(keys, (kind, key) -> contextWidth(key, keys.get(key)) == kind.contextWidth);
    }

    /// Input width of a LoRA on a cross-attention key or value projection; -1 for any other tensor.
    private static long contextWidth(String key, Shape shape) {
        boolean isDown = AdapterTensorKey.parse(key)
                .filter(name -> CROSS_ATTENTION_KV.matcher(name.layer()).matches())
                .filter(name -> name.parameter().equals(AdapterKind.DOWN))
                .isPresent();
        return isDown && shape.rank() == 2 ? shape.size(1) : -1;
    }

    private static Optional<Evidence> firstMatch(Map<String, Shape> keys, BiPredicate<ModelFamily, String> test) {
        for (ModelFamily family : values()) {
            Optional<String> key = keys.keySet().stream().sorted().filter(each -> test.test(family, each)).findFirst();
            if (key.isPresent()) return Optional.of(new Evidence(family, key.get()));
        }
        return Optional.empty();
    }
}
