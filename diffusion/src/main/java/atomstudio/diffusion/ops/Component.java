package atomstudio.diffusion.ops;

import java.util.Comparator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A component of a model: its kind, and which one of this kind, from 1.
public record Component(Kind kind, int index) implements Comparable<Component> {
    /// In the order in which the components of a model are listed.
    public enum Kind {
        UNET("unet"), VAE("vae"), TEXT_ENCODER("text_encoder"), IMAGE_ENCODER("image_encoder"), TAESD("taesd"),
        CLASSIFIER("classifier");

        private final String folder;

        Kind(String folder) {
            this.folder = folder;
        }
    }

    public static final Component UNET = new Component(Kind.UNET, 1);
    public static final Component VAE = new Component(Kind.VAE, 1);
    /// The first one.
    public static final Component TEXT_ENCODER = new Component(Kind.TEXT_ENCODER, 1);

    /// An image classifier, which is a model of its own.
    public static final Component CLASSIFIER = new Component(Kind.CLASSIFIER, 1);

    private static final Comparator<Component> ORDER = Comparator.comparing(Component::kind)
            .thenComparing(Component::index);
    /// Prefix of the first text encoder's layers, which no other component's layers have.
    private static final String TEXT_MODEL = "text_model";
    private static final Pattern FURTHER_TEXT_ENCODER = Pattern.compile("text_encoder_([2-9])\\..*");

    public static Component textEncoder(int index) {
        return new Component(Kind.TEXT_ENCODER, index);
    }

    /// diffusers' name of its folder, such as `text_encoder_2`.
    public String folder() {
        return index == 1 ? kind.folder : kind.folder + "_" + index;
    }

    /// The name of a layer in adapters and runs, unique in a model: its state-dict key, qualified by the folder except
    /// for the UNet, the first text encoder and a classifier.
    String layerName(String path) {
        return isUnqualified() ? path : folder() + "." + path;
    }

    /// The inverse of [#layerName].
    public String path(String layerName) {
        return isUnqualified() ? layerName : layerName.substring(folder().length() + 1);
    }

    private boolean isUnqualified() { return equals(UNET) || equals(TEXT_ENCODER) || equals(CLASSIFIER); }

    /// The component of a trainable layer by its name in an adapter file, or by a pattern of such names: the inverse of
    /// [Layer#name].
    public static Component ofLayerName(String name) {
        if (name.startsWith(TEXT_MODEL)) return TEXT_ENCODER;
        Matcher further = FURTHER_TEXT_ENCODER.matcher(name);
        return further.matches() ? textEncoder(Integer.parseInt(further.group(1))) : UNET;
    }

    @Override
    public int compareTo(Component other) {
        return ORDER.compare(this, other);
    }
}
