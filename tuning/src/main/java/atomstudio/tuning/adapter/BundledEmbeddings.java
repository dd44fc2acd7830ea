package atomstudio.tuning.adapter;

import atomstudio.diffusion.tensor.TensorInfo;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Embeddings that lie in a LoRA's file, each with its word: `<word>` in cloneofsimo's files, `bundle_emb.WORD.…` in
/// those of A1111 1.7 and OneTrainer.
/// Source: AUTOMATIC1111's stable-diffusion-webui, extensions-builtin/Lora/networks.py; OneTrainer,
/// StableDiffusionLoRASaver.
final class BundledEmbeddings {
    private static final String BUNDLE_PREFIX = "bundle_emb.";
    /// Behind the word: what A1111 and OneTrainer call the rows.
    private static final Pattern ROWS_KEY = Pattern
            .compile("bundle_emb\\.(.+)\\.(?:string_to_param\\.[^.]+|emb_params|clip_l)");
    /// diffusers' embeddings have the token there; what OneTrainer adds behind the text encoder ends in `_out`.
    private static final Pattern TOKEN_KEY = Pattern
            .compile("bundle_emb\\.([^.]+)\\.(?!string_to_|.*_out$|clip_g$)[^.]+");
    /// Ids that A1111 writes beside the rows.
    private static final Pattern TOKEN_IDS_KEY = Pattern.compile("bundle_emb\\..+\\.string_to_token\\.[^.]+");
    private static final int MAX_RANK = 2;

    private BundledEmbeddings() {}

    /// The word that a tensor's rows stand for; empty for one that is no embedding.
    static Optional<String> token(TensorInfo info) {
        if (info.shape().rank() < 1 || info.shape().rank() > MAX_RANK) return Optional.empty();
        if (info.name().startsWith("<")) return Optional.of(info.name());
        if (!info.name().startsWith(BUNDLE_PREFIX) || !info.dtype().isFloatingPoint()) return Optional.empty();
        Matcher rows = ROWS_KEY.matcher(info.name());
        if (rows.matches()) return Optional.of(rows.group(1));
        Matcher token = TOKEN_KEY.matcher(info.name());
        return token.matches() ? Optional.of(token.group(1)) : Optional.empty();
    }

    /// Whether a tensor belongs to an embedding and holds nothing of use.
    static boolean isTokenIds(TensorInfo info) {
        return TOKEN_IDS_KEY.matcher(info.name()).matches();
    }
}
