package atomstudio.diffusion.net;

import atomstudio.diffusion.ops.Layers;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;

/// A decoder so small that it shows a picture while it is being made. Names are the published state-dict keys of `taesd_decoder`: the places
/// in a sequence of layers.
/// Source: madebyollin/taesd, taesd.py.
/// @param width channels between the first and the last layer
public record TinyDecoder(int latentChannels, int pictureChannels, int width) {
    private static final double CLAMP = 3;
    private static final int[] BLOCKS = {3, 3, 3, 1};

    /// Picture pixels a latent pixel, on each side.
    public int factor() {
        return 1 << (BLOCKS.length - 1);
    }

    /// Latents (B,latentChannels,h,w) as they are sampled, not divided by any scaling factor -> (B,pictureChannels,8h,8w), about -1..1.
    public <T> T decode(Ops<T> ops, Layers<T> layers, T latents) {
        Parts<T> parts = new Parts<>(ops, layers);
        T x = ops.scale(ops.tanh(ops.scale(latents, 1 / CLAMP)), CLAMP);
        int place = 1;                                                     // 0 is the clamp, 2 the first rectifier: they have no weights
        x = ops.relu(parts.conv(Integer.toString(place), x, width, 3));
        place += 2;
        for (int stage = 0; stage < BLOCKS.length; stage++) {
            for (int i = 0; i < BLOCKS[stage]; i++) x = block(parts, Integer.toString(place++), x);
            if (stage == BLOCKS.length - 1) break;
            Shape shape = ops.shape(x);
            x = ops.upsampleNearest(x, 2 * shape.size(2), 2 * shape.size(3));
            x = parts.unbiased(Integer.toString(place + 1), x, width);
            place += 2;
        }
        x = parts.conv(Integer.toString(place), x, pictureChannels, 3);     // 0..1
        return ops.add(ops.scale(x, 2), ops.constant(Tensor.filled(Shape.of(1, 1, 1, 1), -1)));
    }

    private <T> T block(Parts<T> parts, String name, T x) {
        Ops<T> ops = parts.ops();
        T h = ops.relu(parts.conv(name + ".conv.0", x, width, 3));
        h = ops.relu(parts.conv(name + ".conv.2", h, width, 3));
        return ops.relu(ops.add(parts.conv(name + ".conv.4", h, width, 3), x));
    }
}
