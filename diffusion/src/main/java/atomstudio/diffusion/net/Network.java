package atomstudio.diffusion.net;

import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerRecorder;
import atomstudio.diffusion.tensor.Shape;
import java.util.List;

/// A network without weights, as its configuration describes it.
public sealed interface Network permits UNet, Vae, ClipTextModel, ClipVisionModel, TaesdDecoder,
        Classifier {
    /// The component of its layers.
    default Component component() {
        return switch (this) {
            case UNet unet -> Component.UNET;
            case Vae vae -> Component.VAE;
            case ClipTextModel text -> text.component();
            case ClipVisionModel vision -> new Component(Component.Kind.IMAGE_ENCODER, 1);
            case TaesdDecoder taesd -> new Component(Component.Kind.TAESD, 1);
            case Classifier classifier -> Component.CLASSIFIER;
        };
    }

    /// Its layers in order of use, recorded by a forward pass on shapes; of an autoencoder, the encoder's first. They
    /// serve to check checkpoints, count parameters and select trainable layers.
    /// @throws IllegalArgumentException for inconsistent sizes
    default List<Layer> layers() {
        return switch (this) {
            case UNet unet -> {
                long side = 1L << unet.levels().size();
                yield LayerRecorder.layers((ops, weights) -> unet.forward(ops, weights,
                        Shape.of(1, unet.channels().in(), side, side), Shape.of(1, unet.timeProjection().dim()),
                        Shape.of(1, 1, unet.crossAttentionDim())));
            }
            case Vae vae -> {
                long side = vae.downsamplingFactor();
                yield LayerRecorder.layers(
                        (ops, weights) -> vae.encode(ops, weights, Shape.of(1, vae.imageChannels(), side, side)),
                        (ops, weights) -> vae.decode(ops, weights, Shape.of(1, vae.latentChannels(), 1, 1)));
            }
            case ClipTextModel text -> LayerRecorder
                    .layers((ops, weights) -> text.encode(ops, weights, Shape.of(1, text.maxTokens()), 0));
            case ClipVisionModel vision -> {
                long side = vision.patches().imageSize();
                yield LayerRecorder.layers((ops, weights) -> vision.embed(ops, weights,
                        Shape.of(1, vision.patches().channels(), side, side)));
            }
            case TaesdDecoder taesd -> LayerRecorder
                    .layers((ops, weights) -> taesd.decode(ops, weights, Shape.of(1, taesd.latentChannels(), 1, 1)));
            case Classifier classifier -> LayerRecorder
                    .layers((ops, weights) -> classifier.logits(ops, weights, Shape.of(1, classifier.imageChannels(),
                            classifier.defaultImageSize(), classifier.defaultImageSize())));
        };
    }
}
