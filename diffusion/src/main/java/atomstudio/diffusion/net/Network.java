package atomstudio.diffusion.net;

import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import java.util.List;

/// A network without weights, as its configuration describes it.
public sealed interface Network permits UNet, Vae, ClipTextModel, ClipVisionModel, TaesdDecoder {
    /// The component of its layers.
    default Component component() {
        return switch (this) {
            case UNet unet -> Component.UNET;
            case Vae vae -> Component.VAE;
            case ClipTextModel text -> text.component();
            case ClipVisionModel vision -> new Component(Component.Kind.IMAGE_ENCODER, 1);
            case TaesdDecoder taesd -> new Component(Component.Kind.TAESD, 1);
        };
    }

    /// Its layers in order of use, recorded by a forward pass on shapes.
    /// @throws IllegalArgumentException for inconsistent sizes
    List<Layer> layers();
}
