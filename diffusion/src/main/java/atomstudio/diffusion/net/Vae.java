package atomstudio.diffusion.net;

import atomstudio.diffusion.ops.Attention;
import atomstudio.diffusion.ops.Conv2d;
import atomstudio.diffusion.ops.Layers;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.List;

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
            int deepest = widths.getLast();
            T x = parts.conv("decoder.conv_in", parts.conv("post_quant_conv", latents, latentChannels, 1), deepest, 3);
            x = middle("decoder", x);
            for (int i = 0; i < widths.size(); i++) {
                String name = "decoder.up_blocks." + i;
                int width = widths.get(widths.size() - 1 - i);
                for (int j = 0; j <= blocks; j++) x = resnet(name + ".resnets." + j, x, width);
                if (i < widths.size() - 1) {
                    Shape shape = ops.shape(x);
                    x = parts.conv(name + ".upsamplers.0.conv", ops.upsampleNearest(x, 2 * shape.size(2), 2 * shape.size(3)), width, 3);
                }
            }
            return parts.conv("decoder.conv_out", ops.silu(norm("decoder.conv_norm_out", x)), pictureChannels, 3);
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
