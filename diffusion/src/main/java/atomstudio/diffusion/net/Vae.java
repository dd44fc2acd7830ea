package atomstudio.diffusion.net;

import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.WeightSource;
import atomstudio.diffusion.tensor.Shape;
import java.util.Iterator;
import java.util.List;

/// The autoencoder between images and latents. Layer names are diffusers' state-dict keys of AutoencoderKL.
/// Source: Rombach et al. 2022, section 3.1; Esser et al. 2021.
public record Vae(int imageChannels, int latentChannels, List<Integer> blockOutChannels, int layersPerBlock,
        int normGroups, double scalingFactor) implements Network {
    private static final double EPSILON = 1e-6;

    /// Image pixels per latent pixel along a side.
    public int downsamplingFactor() {
        return 1 << (blockOutChannels.size() - 1);
    }

    /// Images (B, imageChannels, H, W) in -1..1 -> (B, 2 · latentChannels, H / factor, W / factor): means, then log
    /// variances, not clamped.
    public <T> T encode(Ops<T> ops, WeightSource<T> weights, T images) {
        return new Forward<>(new Modules<>(component(), ops, weights)).encode(images);
    }

    /// Latents (B, latentChannels, h, w), divided by the scaling factor -> (B, imageChannels, h · factor, w · factor),
    /// about -1..1.
    public <T> T decode(Ops<T> ops, WeightSource<T> weights, T latents) {
        return new Forward<>(new Modules<>(component(), ops, weights)).decode(latents);
    }

    /// The start of [#decode] for tiled decoding: latents -> input of up block `levels`.
    public <T> T decodeHead(Ops<T> ops, WeightSource<T> weights, T latents, int levels) {
        return new Forward<>(new Modules<>(component(), ops, weights)).decodeHead(latents, levels);
    }

    /// Levels of the decoder. A level is an up block together with the upsampler before it; the first has none.
    public int levels() {
        return blockOutChannels.size();
    }

    /// Group norms in a level of the decoder.
    public int normCount(int level) {
        return 2 * (layersPerBlock + 1) + (level == levels() - 1 ? 1 : 0);
    }

    /// Input channels of a level of the decoder.
    public int inputChannels(int level) {
        return blockOutChannels.get(blockOutChannels.size() - Math.max(1, level));
    }

    /// Output channels of a level's ResNet blocks.
    public int outputChannels(int level) {
        return blockOutChannels.get(blockOutChannels.size() - 1 - level);
    }

    /// One level of the decoder on a tile of its input, normalized by the statistics of the whole feature map, so that
    /// tiles fit together.
    /// @param norms a scale and a shift (1, C, 1, 1) for each group norm, applied before the norm's own weight and
    ///     bias. With all norms of the level the result is the level's output (of the last level, the image); with
    ///     fewer, it is the input of the next norm, to compute its statistics from.
    public <T> T decodeTile(Ops<T> ops, WeightSource<T> weights, T features, int level, List<LayerWeights<T>> norms) {
        Modules<T> nn = new Modules<>(component(), ops, weights);
        Iterator<LayerWeights<T>> statistics = norms.iterator();
        Norm<T> norm = (name, x) -> nn.affineNorm(name, x, statistics.next());
        return new Forward<>(nn, norm).decodeTile(features, level, norms.size());
    }

    private final class Forward<T> {
        private final Ops<T> ops;
        private final Modules<T> nn;
        private final Norm<T> norm;

        Forward(Modules<T> nn) {
            this(nn, (name, x) -> nn.groupNorm(name, x, normGroups, EPSILON));
        }

        Forward(Modules<T> nn, Norm<T> norm) {
            this.ops = nn.ops();
            this.nn = nn;
            this.norm = norm;
        }

        T encode(T images) {
            T x = nn.conv("encoder.conv_in", images, blockOutChannels.getFirst(), 3);
            for (int i = 0; i < blockOutChannels.size(); i++) x = downBlock(i, x);
            x = midBlock("encoder", x);
            x = nn.conv("encoder.conv_out", normSilu("encoder.conv_norm_out", x), 2L * latentChannels, 3);
            return nn.conv("quant_conv", x, 2L * latentChannels, 1);
        }

        T decode(T latents) {
            int last = levels() - 1;
            return convOut(upBlock(last, upsampled(last, decodeHead(latents, last))));
        }

        T decodeHead(T latents, int levels) {
            T x = nn.conv("post_quant_conv", latents, latentChannels, 1);
            x = midBlock("decoder", nn.conv("decoder.conv_in", x, blockOutChannels.getLast(), 3));
            for (int i = 0; i < levels; i++) x = upBlock(i, upsampled(i, x));
            return x;
        }

        T decodeTile(T features, int level, int normCount) {
            T x = upsampled(level, features);
            int channels = outputChannels(level);
            for (int j = 0; j <= layersPerBlock; j++) {
                String name = "decoder.up_blocks." + level + ".resnets." + j;
                if (normCount == 2 * j) return x;
                T h = resnetInput(name, x, channels);
                if (normCount == 2 * j + 1) return h;
                x = resnetOutput(name, x, h, channels);
            }
            return normCount == 2 * (layersPerBlock + 1) ? x : convOut(x);
        }

        private T downBlock(int i, T x) {
            String name = "encoder.down_blocks." + i;
            int channels = blockOutChannels.get(i);
            for (int j = 0; j < layersPerBlock; j++) x = resnetBlock(name + ".resnets." + j, x, channels);
            if (i == blockOutChannels.size() - 1) return x;
            return nn.conv(name + ".downsamplers.0.conv", x, channels, 3, new Ops.ConvGeometry(2, 0, 0, 1, 1));
        }

        private T midBlock(String prefix, T x) {
            int channels = blockOutChannels.getLast();
            x = resnetBlock(prefix + ".mid_block.resnets.0", x, channels);
            x = attention(prefix + ".mid_block.attentions.0", x);
            return resnetBlock(prefix + ".mid_block.resnets.1", x, channels);
        }

        private T upBlock(int i, T x) {
            for (int j = 0; j <= layersPerBlock; j++)
                x = resnetBlock("decoder.up_blocks." + i + ".resnets." + j, x, outputChannels(i));
            return x;
        }

        /// The upsampler at the end of the previous up block.
        private T upsampled(int level, T x) {
            if (level == 0) return x;
            Shape shape = ops.shape(x);
            T doubled = ops.upsampleNearest(x, 2 * shape.size(2), 2 * shape.size(3));
            return nn.conv("decoder.up_blocks." + (level - 1) + ".upsamplers.0.conv", doubled,
                    outputChannels(level - 1), 3);
        }

        private T convOut(T x) {
            return nn.conv("decoder.conv_out", normSilu("decoder.conv_norm_out", x), imageChannels, 3);
        }

        private T resnetBlock(String name, T input, int channels) {
            return ops.checkpointed(name, List.of(input), inputs -> {
                T x = inputs.getFirst();
                return resnetOutput(name, x, resnetInput(name, x, channels), channels);
            });
        }

        private T resnetInput(String name, T x, int channels) {
            return nn.conv(name + ".conv1", normSilu(name + ".norm1", x), channels, 3);
        }

        private T resnetOutput(String name, T x, T h, int channels) {
            h = nn.conv(name + ".conv2", normSilu(name + ".norm2", h), channels, 3);
            return ops.add(nn.shortcut(name, x, channels), h);
        }

        private T attention(String name, T x) {
            long channels = nn.channels(x);
            T h = nn.toTokens(norm.apply(name + ".group_norm", x));
            T q = nn.linear(name + ".to_q", h, channels);
            T k = nn.linear(name + ".to_k", h, channels);
            T v = nn.linear(name + ".to_v", h, channels);
            h = nn.linear(name + ".to_out.0", ops.attention(q, k, v, Ops.AttentionConfig.of(1)), channels);
            return ops.add(x, nn.toFeatureMap(h, ops.shape(x)));
        }

        private T normSilu(String name, T x) {
            return ops.silu(norm.apply(name, x));
        }
    }

    /// A named normalization layer.
    @FunctionalInterface
    private interface Norm<T> {
        T apply(String name, T x);
    }
}
