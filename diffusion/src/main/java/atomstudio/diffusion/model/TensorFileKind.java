package atomstudio.diffusion.model;

import atomstudio.diffusion.tensor.TensorFile;
import java.util.Set;

/// What a file of tensors holds, told from its names.
public enum TensorFileKind {
    /// Everything of a model, or of another generation's: opening says which.
    MODEL("model"),
    AUTOENCODER("autoencoder"),
    TINY_DECODER("decoder for previews"),
    OTHER("tensors");

    private final String description;

    TensorFileKind(String words) {
        this.description = words;
    }

    public String description() {
        return description;
    }

    public static TensorFileKind detect(TensorFile file) {
        Set<String> names = file.tensors().keySet();
        if (names.stream().anyMatch(name -> name.startsWith(LdmLayout.UNET_PREFIX))) return MODEL;
        if (TinyAutoencoder.isTinyDecoder(names)) return TINY_DECODER;
        for (String prefix : new String[] {"", LdmLayout.VAE_PREFIX}) {
            if (names.contains(prefix + "decoder.conv_in.weight") && names.contains(prefix + "encoder.conv_in.weight")) return AUTOENCODER;
        }
        return OTHER;
    }
}
