package atomstudio.diffusion.net;

import atomstudio.diffusion.ops.Affine;
import atomstudio.diffusion.ops.Attention;
import atomstudio.diffusion.ops.Conv2d;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.Layers;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.List;
import java.util.Objects;

/// The autoencoder between pictures and latents. Names are diffusers' state-dict keys of AutoencoderKL.
/// Source: Rombach et al. 2022, section 3.1; Esser et al. 2021.
public record Vae(int pictureChannels, int latentChannels, List<Integer> widths, int blocks, int groups, double scalingFactor) {
    private static final double EPSILON = 1e-6;

    /// Picture pixels a latent pixel, on each side.
    public int factor() {
        return 1 << (widths.size() - 1);
    }

    /// Pictures (B,3,H,W) in -1..1 -> (B, 2 · latentChannels, H/factor, W/factor): means, then log variances, not yet clamped.
    public <T> T encode(Ops<T> ops, Layers<T> layers, T pictures) {
        return new Pass<>(ops, new Parts<>(ops, layers)).encode(pictures);
    }

    /// Latents (B,latentChannels,h,w), divided by the scaling factor -> (B,3,h · factor,w · factor), about -1..1.
    public <T> T decode(Ops<T> ops, Layers<T> layers, T latents) {
        return new Pass<>(ops, new Parts<>(ops, layers)).decode(latents);
    }

    /// The first half of decoding in parts: latents -> what level `levels` of the decoder starts from, with all levels before it done.
    public <T> T decodeHead(Ops<T> ops, Layers<T> layers, T latents, int levels) {
        return new Pass<>(ops, new Parts<>(ops, layers)).head(latents, levels);
    }

    /// Levels of the decoder; each but the first starts by doubling the sides.
    public int levels() {
        return widths.size();
    }

    /// Group norms in a level of the decoder.
    public int norms(int level) {
        return 2 * (blocks + 1) + (level == levels() - 1 ? 1 : 0);
    }

    /// Channels of what a level of the decoder starts from.
    public int channelsInto(int level) {
        return widths.get(widths.size() - Math.max(1, level));
    }

    /// Channels of what a level's residual blocks make.
    public int channelsIn(int level) {
        return widths.get(widths.size() - 1 - level);
    }

    /// One level of the decoder on any part of a map, its group norms by the whole map's statistics, so that parts fit together.
    /// @param norms a scale and a shift (1,C,1,1) for each norm, before its own weight and bias. With all of the level's norms, the level's
    ///              output comes out (of the last level, the picture); with fewer, what the next norm normalizes: its statistics are to be taken.
    public <T> T decodeTile(Ops<T> ops, Layers<T> layers, T features, int level, List<Affine<T>> norms) {
        return new Tile<>(ops, new Parts<>(ops, layers), level, norms).run(features);
    }

    private final class Tile<T> {
        private final Ops<T> ops;
        private final Parts<T> parts;
        private final int level;
        private final List<Affine<T>> norms;

        Tile(Ops<T> ops, Parts<T> parts, int level, List<Affine<T>> norms) {
            this.ops = ops;
            this.parts = parts;
            this.level = level;
            this.norms = norms;
        }

        T run(T features) {
            T x = level == 0 ? features : new Pass<>(ops, parts).enlarge(level - 1, features);
            int width = channelsIn(level);
            for (int j = 0; j <= blocks; j++) {
                String name = "decoder.up_blocks." + level + ".resnets." + j;
                if (norms.size() == 2 * j) return x;
                T h = parts.conv(name + ".conv1", ops.silu(norm(name + ".norm1", x, 2 * j)), width, 3);
                if (norms.size() == 2 * j + 1) return h;
                h = parts.conv(name + ".conv2", ops.silu(norm(name + ".norm2", h, 2 * j + 1)), width, 3);
                x = ops.add(parts.channels(x) == width ? x : parts.conv(name + ".conv_shortcut", x, width, 1), h);
            }
            if (norms.size() == 2 * (blocks + 1)) return x;
            return parts.conv("decoder.conv_out", ops.silu(norm("decoder.conv_norm_out", x, 2 * (blocks + 1))), pictureChannels, 3);
        }

        private T norm(String name, T x, int which) {
            long channels = parts.channels(x);
            Affine<T> layer = parts.layers().get(new Layer(name, Layer.Kind.NORM, Shape.of(channels), Layer.Bias.PRESENT));
            T normal = ops.add(ops.multiply(x, norms.get(which).weight()), Objects.requireNonNull(norms.get(which).bias()));
            Shape perChannel = Shape.of(1, channels, 1, 1);
            return ops.add(ops.multiply(normal, ops.reshape(layer.weight(), perChannel)), ops.reshape(Objects.requireNonNull(layer.bias()), perChannel));
        }
    }

    private final class Pass<T> {
        private final Ops<T> ops;
        private final Parts<T> parts;

        Pass(Ops<T> ops, Parts<T> parts) {
            this.ops = ops;
            this.parts = parts;
        }

        T encode(T pictures) {
            T x = parts.conv("encoder.conv_in", pictures, widths.getFirst(), 3);
            for (int i = 0; i < widths.size(); i++) {
                String name = "encoder.down_blocks." + i;
                for (int j = 0; j < blocks; j++) x = resnet(name + ".resnets." + j, x, widths.get(i));
                if (i < widths.size() - 1) x = parts.conv(name + ".downsamplers.0.conv", x, widths.get(i), 3, new Conv2d(2, 0, 0, 1, 1));
            }
            x = middle("encoder", x);
            x = parts.conv("encoder.conv_out", ops.silu(norm("encoder.conv_norm_out", x)), 2L * latentChannels, 3);
            return parts.conv("quant_conv", x, 2L * latentChannels, 1);
        }

        T decode(T latents) {
            T x = level(levels() - 1, enlargedFor(levels() - 1, head(latents, levels() - 1)));
            return parts.conv("decoder.conv_out", ops.silu(norm("decoder.conv_norm_out", x)), pictureChannels, 3);
        }

        T head(T latents, int levels) {
            T x = parts.conv("decoder.conv_in", parts.conv("post_quant_conv", latents, latentChannels, 1), widths.getLast(), 3);
            x = middle("decoder", x);
            for (int i = 0; i < levels; i++) x = level(i, enlargedFor(i, x));
            return x;
        }

        private T level(int i, T x) {
            for (int j = 0; j <= blocks; j++) x = resnet("decoder.up_blocks." + i + ".resnets." + j, x, channelsIn(i));
            return x;
        }

        private T enlargedFor(int level, T x) {
            return level == 0 ? x : enlarge(level - 1, x);
        }

        /// The end of a level: twice the sides.
        T enlarge(int level, T x) {
            Shape shape = ops.shape(x);
            return parts.conv("decoder.up_blocks." + level + ".upsamplers.0.conv", ops.upsampleNearest(x, 2 * shape.size(2), 2 * shape.size(3)), channelsIn(level), 3);
        }

        private T middle(String half, T x) {
            int width = widths.getLast();
            x = resnet(half + ".mid_block.resnets.0", x, width);
            x = attention(half + ".mid_block.attentions.0", x);
            return resnet(half + ".mid_block.resnets.1", x, width);
        }

        private T resnet(String name, T input, int width) {
            return ops.segment(name, List.of(input), in -> residual(name, in.get(0), width));
        }

        private T residual(String name, T x, int width) {
            T h = parts.conv(name + ".conv1", ops.silu(norm(name + ".norm1", x)), width, 3);
            h = parts.conv(name + ".conv2", ops.silu(norm(name + ".norm2", h)), width, 3);
            return ops.add(parts.channels(x) == width ? x : parts.conv(name + ".conv_shortcut", x, width, 1), h);
        }

        private T attention(String name, T x) {
            Shape shape = ops.shape(x);
            long width = shape.size(1);
            T h = ops.permute(norm(name + ".group_norm", x), 0, 2, 3, 1);
            h = ops.reshape(h, Shape.of(shape.size(0), shape.size(2) * shape.size(3), width));
            T q = parts.linear(name + ".to_q", h, width);
            T k = parts.linear(name + ".to_k", h, width);
            T v = parts.linear(name + ".to_v", h, width);
            h = parts.linear(name + ".to_out.0", ops.attention(q, k, v, Attention.of(1)), width);
            h = ops.reshape(h, Shape.of(shape.size(0), shape.size(2), shape.size(3), width));
            return ops.add(x, ops.permute(h, 0, 3, 1, 2));
        }

        private T norm(String name, T x) {
            return parts.groupNorm(name, x, groups, EPSILON);
        }
    }
}
