package atomstudio.diffusion.model;

import atomstudio.diffusion.net.ClipTextModel;
import atomstudio.diffusion.net.ClipVisionModel;
import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.net.Vae;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerRecorder;
import atomstudio.diffusion.ops.ShapeOps;
import atomstudio.diffusion.tensor.Shape;
import java.util.List;

/// Lists the layers of a network in order of use, recorded by a dry run without data. Used to check checkpoints, count
/// parameters and select trainable layers. Every method throws IllegalArgumentException for inconsistent sizes.
public final class NetworkLayers {
    private NetworkLayers() {}

    public static List<Layer> of(UNet unet) {
        LayerRecorder dryRun = new LayerRecorder();
        long side = 1L << unet.levels().size();
        unet.forward(new ShapeOps(), dryRun, Shape.of(1, unet.channels().in(), side, side),
                Shape.of(1, unet.timeProjection().dim()), Shape.of(1, 1, unet.crossAttentionDim()));
        return dryRun.layers();
    }

    /// Encoder, then decoder.
    public static List<Layer> of(Vae vae) {
        LayerRecorder dryRun = new LayerRecorder();
        vae.encode(new ShapeOps(), dryRun,
                Shape.of(1, vae.imageChannels(), vae.downsamplingFactor(), vae.downsamplingFactor()));
        vae.decode(new ShapeOps(), dryRun, Shape.of(1, vae.latentChannels(), 1, 1));
        return dryRun.layers();
    }

    public static List<Layer> of(ClipVisionModel vision) {
        LayerRecorder dryRun = new LayerRecorder();
        ClipVisionModel.Patches patches = vision.patches();
        vision.embed(new ShapeOps(), dryRun, Shape.of(1, patches.channels(), patches.imageSize(), patches.imageSize()));
        return dryRun.layers();
    }

    public static List<Layer> of(ClipTextModel text) {
        LayerRecorder dryRun = new LayerRecorder();
        text.encode(new ShapeOps(), dryRun, Shape.of(1, text.maxTokens()), 0);
        return dryRun.layers();
    }
}
