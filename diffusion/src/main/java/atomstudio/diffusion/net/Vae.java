package atomstudio.diffusion.net;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.WeightSource;
import atomstudio.diffusion.tensor.Shape;
import java.util.List;
import java.util.Objects;

/// The autoencoder between pictures and latents. Names are diffusers' state-dict keys of AutoencoderKL.
/// Source: Rombach et al. 2022, section 3.1; Esser et al. 2021.
public record Vae(int imageChannels, int latentChannels, List<Integer> blockOutChannels, int layersPerBlock,
        int normGroups, double scalingFactor) {
    private static final double EPSILON = 1e-6;

    /// Picture pixels a latent pixel, on each side.
    public int downsamplingFactor() {
        return 1 << (blockOutChannels.size() - 1);
    }

    /// Pictures (B,3,H,W) in -1..1 -> (B, 2 · latentChannels, H/factor, W/factor): means, then log variances, not yet
    /// clamped.
    public <T> T encode(Ops<T> ops, WeightSource<T> weights, T images) {
        return new Forward<>(ops, new Modules<>(ops, weights)).encode(images);
    }

    /// Latents (B,latentChannels,h,w), divided by the scaling factor -> (B,3,h · factor,w · factor), about -1..1.
    public <T> T decode(Ops<T> ops, WeightSource<T> weights, T latents) {
        return new Forward<>(ops, new Modules<>(ops, weights)).decode(latents);
    }

    /// The first half of decoding in parts: latents -> what level `levels` of the decoder starts from, with all
    /// levels before it done.
    public <T> T decodeHead(Ops<T> ops, WeightSource<T> weights, T latents, int levels) {
        return new Forward<>(ops, new Modules<>(ops, weights)).decodeHead(latents, levels);
    }

    /// Levels of the decoder; each but the first starts by doubling the sides.
    public int levels() {
        return blockOutChannels.size();
    }

    /// Group norms in a level of the decoder.
    public int normCount(int level) {
        return 2 * (layersPerBlock + 1) + (level == levels() - 1 ? 1 : 0);
    }

    /// Channels of what a level of the decoder starts from.
    public int inputChannels(int level) {
        return blockOutChannels.get(blockOutChannels.size() - Math.max(1, level));
    }

    /// Channels of what a level's residual blocks make.
    public int outputChannels(int level) {
        return blockOutChannels.get(blockOutChannels.size() - 1 - level);
    }

    /// One level of the decoder on any part of a map, its group norms by the whole map's statistics, so that parts
    /// fit together.
    /// @param norms a scale and a shift (1,C,1,1) for each norm, before its own weight and bias. With all of the
    ///     level's norms, the level's output comes out (of the last level, the picture); with fewer, what the next
    ///     norm normalizes: its statistics are to be taken.
    public <T> T decodeTile(Ops<T> ops, WeightSource<T> weights, T features, int level, List<LayerWeights<T>> norms) {
        return new TileForward<>(ops, new Modules<>(ops, weights), level, norms).forward(features);
    }

    private final class TileForward<T> {
        private final Ops<T> ops;
        private final Modules<T> nn;
        private final int level;
        private final List<LayerWeights<T>> norms;

        TileForward(Ops<T> ops, Modules<T> nn, int level, List<LayerWeights<T>> norms) {
            this.ops = ops;
            this.nn = nn;
            this.level = level;
            this.norms = norms;
        }

        T forward(T features) {
            T x = level == 0 ? features : new Forward<>(ops, nn).upsample(level - 1, features);
            int outChannels = outputChannels(level);
            for (int j = 0; j <= layersPerBlock; j++) {
                String name = "decoder.up_blocks." + level + ".resnets." + j;
                if (norms.size() == 2 * j) return x;
                T h = nn.conv(name + ".conv1", ops.silu(tileNorm(name + ".norm1", x, 2 * j)), outChannels, 3);
                if (norms.size() == 2 * j + 1) return h;
                h = nn.conv(name + ".conv2", ops.silu(tileNorm(name + ".norm2", h, 2 * j + 1)), outChannels, 3);
                x = ops.add(nn.channels(x) == outChannels ? x : nn.conv(name + ".conv_shortcut", x, outChannels, 1), h);
            }
            if (norms.size() == 2 * (layersPerBlock + 1)) return x;
            return nn.conv("decoder.conv_out", ops.silu(tileNorm("decoder.conv_norm_out", x, 2 * (layersPerBlock + 1))),
                    imageChannels, 3);
        }

        private T tileNorm(String name, T x, int index) {
            long channels = nn.channels(x);
            LayerWeights<T> layer = nn.weights()
                    .get(new Layer(name, Layer.Kind.NORM, Shape.of(channels), Layer.Bias.PRESENT));
            T normalized = ops.add(ops.multiply(x, norms.get(index).weight()),
                    Objects.requireNonNull(norms.get(index).bias()));
            Shape perChannel = Shape.of(1, channels, 1, 1);
            return ops.add(ops.multiply(normalized, ops.reshape(layer.weight(), perChannel)),
                    ops.reshape(Objects.requireNonNull(layer.bias()), perChannel));
        }
    }

    private final class Forward<T> {
        private final Ops<T> ops;
        private final Modules<T> nn;

        Forward(Ops<T> ops, Modules<T> nn) {
            this.ops = ops;
            this.nn = nn;
        }

        T encode(T images) {
            T x = nn.conv("encoder.conv_in", images, blockOutChannels.getFirst(), 3);
            for (int i = 0; i < blockOutChannels.size(); i++) {
                String name = "encoder.down_blocks." + i;
                for (int j = 0; j < layersPerBlock; j++) x = resnet(name + ".resnets." + j, x, blockOutChannels.get(i));
                if (i < blockOutChannels.size() - 1)
                    x = nn.conv(name + ".downsamplers.0.conv", x, blockOutChannels.get(i), 3,
                            new Ops.ConvGeometry(2, 0, 0, 1, 1));
            }
            x = midBlock("encoder", x);
            x = nn.conv("encoder.conv_out", ops.silu(groupNorm("encoder.conv_norm_out", x)), 2L * latentChannels, 3);
            return nn.conv("quant_conv", x, 2L * latentChannels, 1);
        }

        T decode(T latents) {
            T x = upBlock(levels() - 1, upsampledInput(levels() - 1, decodeHead(latents, levels() - 1)));
            return nn.conv("decoder.conv_out", ops.silu(groupNorm("decoder.conv_norm_out", x)), imageChannels, 3);
        }

        T decodeHead(T latents, int levels) {
            T x = nn.conv("decoder.conv_in", nn.conv("post_quant_conv", latents, latentChannels, 1),
                    blockOutChannels.getLast(), 3);
            x = midBlock("decoder", x);
            for (int i = 0; i < levels; i++) x = upBlock(i, upsampledInput(i, x));
            return x;
        }

        private T upBlock(int i, T x) {
            for (int j = 0; j <= layersPerBlock; j++)
                x = resnet("decoder.up_blocks." + i + ".resnets." + j, x, outputChannels(i));
            return x;
        }

        private T upsampledInput(int level, T x) {
            return level == 0 ? x : upsample(level - 1, x);
        }

        /// The end of a level: twice the sides.
        T upsample(int level, T x) {
            Shape shape = ops.shape(x);
            return nn.conv("decoder.up_blocks." + level + ".upsamplers.0.conv",
                    ops.upsampleNearest(x, 2 * shape.size(2), 2 * shape.size(3)), outputChannels(level), 3);
        }

        private T midBlock(String prefix, T x) {
            int channels = blockOutChannels.getLast();
            x = resnet(prefix + ".mid_block.resnets.0", x, channels);
            x = attention(prefix + ".mid_block.attentions.0", x);
            return resnet(prefix + ".mid_block.resnets.1", x, channels);
        }

        private T resnet(String name, T input, int outChannels) {
            return ops.checkpointed(name, List.of(input), inputs -> resnetBody(name, inputs.get(0), outChannels));
        }

        private T resnetBody(String name, T x, int outChannels) {
            T h = nn.conv(name + ".conv1", ops.silu(groupNorm(name + ".norm1", x)), outChannels, 3);
            h = nn.conv(name + ".conv2", ops.silu(groupNorm(name + ".norm2", h)), outChannels, 3);
            return ops.add(nn.channels(x) == outChannels ? x : nn.conv(name + ".conv_shortcut", x, outChannels, 1), h);
        }

        private T attention(String name, T x) {
            Shape shape = ops.shape(x);
            long channels = shape.size(1);
            T h = ops.permute(groupNorm(name + ".group_norm", x), 0, 2, 3, 1);
            h = ops.reshape(h, Shape.of(shape.size(0), shape.size(2) * shape.size(3), channels));
            T q = nn.linear(name + ".to_q", h, channels);
            T k = nn.linear(name + ".to_k", h, channels);
            T v = nn.linear(name + ".to_v", h, channels);
            h = nn.linear(name + ".to_out.0", ops.attention(q, k, v, Ops.AttentionConfig.of(1)), channels);
            h = ops.reshape(h, Shape.of(shape.size(0), shape.size(2), shape.size(3), channels));
            return ops.add(x, ops.permute(h, 0, 3, 1, 2));
        }

        private T groupNorm(String name, T x) {
            return nn.groupNorm(name, x, normGroups, EPSILON);
        }
    }
}
