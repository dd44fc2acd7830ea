package atomstudio.diffusion.model;

import atomstudio.diffusion.tensor.TensorFile;
import java.util.Set;

/// The kind of content of a tensor file, detected by tensor names.
public enum TensorFileKind {
    /// A complete model, possibly of an unsupported architecture.
    MODEL("model"),
    AUTOENCODER("autoencoder"),
    TINY_DECODER("decoder for previews"),
    OTHER("tensors");

    static final String TAESD_FIRST_CONV = "1.weight";

    private final String description;

    TensorFileKind(String description) {
        this.description = description;
    }

    /// Whether tensors of these names include a TAESD decoder.
    static boolean isTaesdDecoder(Set<String> names) {
        return names.contains(TAESD_FIRST_CONV) && names.contains("3.conv.0.weight")
                || names.contains("decoder.layers.2.conv.0.weight");
    }

    public String description() {
        return description;
    }

    public static TensorFileKind detect(TensorFile file) {
        Set<String> names = file.tensors().keySet();
        if (names.stream().anyMatch(name -> name.startsWith(LdmLayout.UNET_PREFIX))) return MODEL;
        if (isTaesdDecoder(names)) return TINY_DECODER;
        for (String prefix : new String[] {"", LdmLayout.VAE_PREFIX}) {
            if (names.contains(prefix + "decoder.conv_in.weight") && names.contains(prefix + "encoder.conv_in.weight"))
                return AUTOENCODER;
        }
        return OTHER;
    }
}
