package atomstudio.diffusion.model;

/// The components of a model that have weights, by their folders.
public enum ModelComponent {
    UNET("unet"), VAE("vae"), TEXT_ENCODER("text_encoder");

    private final String folder;

    ModelComponent(String folder) {
        this.folder = folder;
    }

    public String folder() {
        return folder;
    }

    /// The component of a trainable layer.
    public static ModelComponent ofLayer(String layer) {
        return layer.startsWith("text_model.") ? TEXT_ENCODER : UNET;
    }

    /// The current diffusers name of a tensor that may have an older one.
    String diffusersKey(String key) {
        return switch (this) {
            case UNET -> key;
            case VAE -> {
                String name = key;
                if (key.contains(".attentions.")) {
                    name = name.replace(".query.", ".to_q.")
                            .replace(".key.", ".to_k.")
                            .replace(".value.", ".to_v.")
                            .replace(".proj_attn.", ".to_out.0.");
                }
                yield name;
            }
            case TEXT_ENCODER ->
                    key.startsWith("embeddings.") || key.startsWith("encoder.") || key.startsWith("final_layer_norm.")
                            ? "text_model." + key
                            : key;
        };
    }
}
