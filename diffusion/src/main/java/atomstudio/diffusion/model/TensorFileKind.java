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

    private final String description;

    TensorFileKind(String description) {
        this.description = description;
    }

    public String description() {
        return description;
    }

    public static TensorFileKind detect(TensorFile file) {
        Set<String> names = file.tensors().keySet();
        if (names.stream().anyMatch(name -> name.startsWith(LdmLayout.UNET_PREFIX))) return MODEL;
        if (TinyAutoencoder.isTinyDecoder(names)) return TINY_DECODER;
        for (String prefix : new String[] {"", LdmLayout.VAE_PREFIX}) {
            if (names.contains(prefix + "decoder.conv_in.weight") && names.contains(prefix + "encoder.conv_in.weight"))
                return AUTOENCODER;
        }
        return OTHER;
    }
}
