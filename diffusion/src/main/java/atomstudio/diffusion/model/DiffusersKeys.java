package atomstudio.diffusion.model;

import atomstudio.diffusion.ops.Component;

/// Maps the state-dict keys of component folders and files to the current names in diffusers and transformers, which
/// the networks use.
final class DiffusersKeys {
    private DiffusersKeys() {}

    /// The current name of a tensor that may have an older one.
    static String current(Component.Kind kind, String key) {
        return switch (kind) {
            case UNET, CLASSIFIER -> key;
            case VAE -> !key.contains(".attentions.") ? key
                    : key.replace(".query.", ".to_q.")
                            .replace(".key.", ".to_k.")
                            .replace(".value.", ".to_v.")
                            .replace(".proj_attn.", ".to_out.0.");
            case TEXT_ENCODER ->
                    key.startsWith("embeddings.") || key.startsWith("encoder.") || key.startsWith("final_layer_norm.")
                            ? "text_model." + key
                            : key;
            case IMAGE_ENCODER -> imageEncoder(key);
            case TAESD -> taesdDecoder(key);
        };
    }

    /// Safety checkers were published with the `vision_model.` prefix twice, once or not at all. The class embedding
    /// is stored without `.weight`.
    private static String imageEncoder(String key) {
        String name = key.startsWith("vision_model.vision_model.") ? key.substring("vision_model.".length()) : key;
        boolean lacksPrefix = name.startsWith("embeddings.") || name.startsWith("encoder.")
                || name.startsWith("pre_layrnorm.") || name.startsWith("post_layernorm.");
        name = lacksPrefix ? "vision_model." + name : name;
        return name.endsWith(".class_embedding") ? name + ".weight" : name;
    }

    /// To the published names. diffusers clamps outside the layer sequence, so its indices are one lower.
    private static String taesdDecoder(String key) {
        String name = key.startsWith("decoder.") ? key.substring("decoder.".length()) : key;
        if (!name.startsWith("layers.")) return name;
        String[] parts = name.split("\\.", 3);
        return parts.length == 3 && parts[1].matches("\\d{1,3}") ? Integer.parseInt(parts[1]) + 1 + "." + parts[2]
                : key;
    }
}
