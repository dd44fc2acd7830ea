package atomstudio.diffusion.net;

import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.WeightSource;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;

/// TAESD's decoder, small enough to decode previews during sampling. Layer names are the state-dict keys of
/// `taesd_decoder`: indices into a sequence of layers.
/// Source: madebyollin/taesd, taesd.py.
/// @param channels of the hidden layers
public record TaesdDecoder(int latentChannels, int imageChannels, int channels) implements Network {
    private static final double CLAMP = 3;
    private static final int[] BLOCKS_PER_STAGE = {3, 3, 3, 1};

    /// Image pixels per latent pixel along a side.
    public int upsamplingFactor() {
        return 1 << (BLOCKS_PER_STAGE.length - 1);
    }

    /// Latents (B, latentChannels, h, w), not divided by the scaling factor -> images (B, imageChannels, 8h, 8w), about
    /// -1..1.
    public <T> T decode(Ops<T> ops, WeightSource<T> weights, T latents) {
        Modules<T> nn = new Modules<>(component(), ops, weights);
        T x = ops.scale(ops.tanh(ops.scale(latents, 1 / CLAMP)), CLAMP);
        int index = 1; // 0 is the clamp and 2 the first ReLU, which have no weights
        x = ops.relu(nn.conv(Integer.toString(index), x, channels, 3));
        index += 2;
        for (int stage = 0; stage < BLOCKS_PER_STAGE.length; stage++) {
            for (int i = 0; i < BLOCKS_PER_STAGE[stage]; i++) x = block(nn, Integer.toString(index++), x);
            if (stage == BLOCKS_PER_STAGE.length - 1) break;
            Shape shape = ops.shape(x);
            x = ops.upsampleNearest(x, 2 * shape.size(2), 2 * shape.size(3));
            x = nn.convWithoutBias(Integer.toString(index + 1), x, channels);
            index += 2;
        }
        x = nn.conv(Integer.toString(index), x, imageChannels, 3); // 0..1
        return ops.add(ops.scale(x, 2), ops.constant(Tensor.filled(Shape.of(1, 1, 1, 1), -1)));
    }

    private <T> T block(Modules<T> nn, String name, T x) {
        Ops<T> ops = nn.ops();
        T h = ops.relu(nn.conv(name + ".conv.0", x, channels, 3));
        h = ops.relu(nn.conv(name + ".conv.2", h, channels, 3));
        return ops.relu(ops.add(nn.conv(name + ".conv.4", h, channels, 3), x));
    }
}
