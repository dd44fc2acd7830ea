package atomstudio.diffusion.model;

import atomstudio.diffusion.tensor.TensorFile;
import java.util.Set;

/// What a file of tensors holds, told from its names.
public enum FileKind {
    /// Everything of a model, or of another generation's: opening says which.
    MODEL("model"),
    AUTOENCODER("autoencoder"),
    TINY_DECODER("decoder for previews"),
    OTHER("tensors");

    private final String words;

    FileKind(String words) {
        this.words = words;
    }

    public String words() {
        return words;
    }

    public static FileKind of(TensorFile file) {
        Set<String> names = file.tensors().keySet();
        if (names.stream().anyMatch(name -> name.startsWith(OriginalLayout.UNET))) return MODEL;
        if (TinyAutoencoder.recognizes(names)) return TINY_DECODER;
        for (String prefix : new String[] {"", OriginalLayout.VAE}) {
            if (names.contains(prefix + "decoder.conv_in.weight") && names.contains(prefix + "encoder.conv_in.weight")) return AUTOENCODER;
        }
        return OTHER;
    }
}
