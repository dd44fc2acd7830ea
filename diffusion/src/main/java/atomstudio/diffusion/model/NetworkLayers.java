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

/// Every layer of a network, in the order of use, found by a dry run: for checking checkpoints, counting, and finding
/// what can be tuned.
/// @throws IllegalArgumentException from each when the network's own sizes do not fit together
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
