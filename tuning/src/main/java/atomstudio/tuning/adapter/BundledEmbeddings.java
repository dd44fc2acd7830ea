package atomstudio.tuning.adapter;

import atomstudio.diffusion.tensor.TensorInfo;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Embeddings bundled in a LoRA's file: key `<word>` in cloneofsimo's files, `bundle_emb.WORD.…` in those of A1111 1.7
/// and OneTrainer.
/// Source: AUTOMATIC1111's stable-diffusion-webui, extensions-builtin/Lora/networks.py; OneTrainer,
/// StableDiffusionLoRASaver.
final class BundledEmbeddings {
    private static final String BUNDLE_PREFIX = "bundle_emb.";
    /// Keys of the rows in A1111 and OneTrainer.
    private static final Pattern ROWS_KEY = Pattern
            .compile("bundle_emb\\.(.+)\\.(?:string_to_param\\.[^.]+|emb_params|clip_l)");
    /// diffusers' embeddings end in the token; OneTrainer's embeddings of the text encoder's output end in `_out`.
    private static final Pattern TOKEN_KEY = Pattern
            .compile("bundle_emb\\.([^.]+)\\.(?!string_to_|.*_out$|clip_g$)[^.]+");
    /// Token ids that A1111 writes with the rows.
    private static final Pattern TOKEN_IDS_KEY = Pattern.compile("bundle_emb\\..+\\.string_to_token\\.[^.]+");
    private static final int MAX_RANK = 2;

    private BundledEmbeddings() {}

    /// The word of an embedding; empty for any other tensor.
    static Optional<String> token(TensorInfo info) {
        if (info.shape().rank() < 1 || info.shape().rank() > MAX_RANK) return Optional.empty();
        if (info.name().startsWith("<")) return Optional.of(info.name());
        if (!info.name().startsWith(BUNDLE_PREFIX) || !info.dtype().isFloatingPoint()) return Optional.empty();
        Matcher rows = ROWS_KEY.matcher(info.name());
        if (rows.matches()) return Optional.of(rows.group(1));
        Matcher token = TOKEN_KEY.matcher(info.name());
        return token.matches() ? Optional.of(token.group(1)) : Optional.empty();
    }

    /// Whether a tensor belongs to an embedding but contains only its token ids.
    static boolean isTokenIds(TensorInfo info) {
        return TOKEN_IDS_KEY.matcher(info.name()).matches();
    }
}
