package atomstudio.diffusion.net;

import atomstudio.diffusion.ops.Attention;
import atomstudio.diffusion.ops.Conv2d;
import atomstudio.diffusion.ops.Layer.Bias;
import atomstudio.diffusion.ops.Layers;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Function;

/// Stable Diffusion's denoiser: residual blocks and transformers at falling resolutions, then back up along the skips.
/// Names are diffusers' state-dict keys of UNet2DConditionModel.
/// Source: Rombach et al. 2022, section 3.3; Ronneberger et al. 2015.
public record UNet(Channels channels, List<Level> levels, int blocks, int contextWidth, Norm norm, Projection projection, TimestepFeatures time) {
    /// Channels of the latents that go in (4, or 9 for inpainting) and of what comes out.
    public record Channels(int in, int out) {}

    /// One resolution: its width, its attention heads, and whether its blocks have transformers.
    public record Level(int width, int heads, Block block) {}

    public enum Block { PLAIN, CROSS_ATTENTION }

    /// Group normalization of the residual blocks; the transformers' own has 1e-6.
    public record Norm(int groups, double epsilon) {}

    /// How a transformer is entered and left: 1×1 convolutions (SD 1.x) or linear layers (SD 2.x).
    public enum Projection { CONV, LINEAR }

    /// What the way down and the middle give to the way back up: the middle's output and the skips, the first made first.
    public record Lower<T>(T middle, List<T> skips) {
        public Lower {
            skips = List.copyOf(skips);
        }

        public <R> Lower<R> map(Function<T, R> each) {
            return new Lower<>(each.apply(middle), skips.stream().map(each).toList());
        }
    }

    private static final double TRANSFORMER_EPSILON = 1e-6;
    private static final double LAYER_EPSILON = 1e-5;

    /// latents (B,in,H,W), features (B, time.width) of the timesteps, context (B,S,contextWidth) -> (B,out,H,W); any H and W.
    public <T> T predict(Ops<T> ops, Layers<T> layers, T latents, T features, T context) {
        Pass<T> pass = new Pass<>(ops, new Parts<>(ops, layers), features, context);
        return pass.upper(pass.lower(latents));
    }

    /// The first part of `predict`: a fixed function of its inputs as long as only layers of the upper part change.
    public <T> Lower<T> lower(Ops<T> ops, Layers<T> layers, T latents, T features, T context) {
        return new Pass<>(ops, new Parts<>(ops, layers), features, context).lower(latents);
    }

    /// The rest of `predict`, under the same features and context.
    public <T> T upper(Ops<T> ops, Layers<T> layers, Lower<T> lower, T features, T context) {
        return new Pass<>(ops, new Parts<>(ops, layers), features, context).upper(lower);
    }

    /// Whether a layer belongs to the upper part alone.
    public static boolean inUpper(String layer) {
        return layer.startsWith("up_blocks.") || layer.equals("conv_norm_out") || layer.equals("conv_out");
    }

    private final class Pass<T> {
        private final Ops<T> ops;
        private final Parts<T> parts;
        private final T time;
        private final T context;

        Pass(Ops<T> ops, Parts<T> parts, T features, T context) {
            int width = 4 * levels.getFirst().width;
            this.ops = ops;
            this.parts = parts;
            this.time = ops.silu(parts.linear("time_embedding.linear_2", ops.silu(parts.linear("time_embedding.linear_1", features, width)), width));
            this.context = context;
        }

        Lower<T> lower(T latents) {
            List<T> skips = new ArrayList<>();
            T x = parts.conv("conv_in", latents, levels.getFirst().width, 3);
            skips.add(x);
            for (int i = 0; i < levels.size(); i++) x = down(i, x, skips);
            Level deepest = levels.getLast();
            x = resnet("mid_block.resnets.0", x, deepest.width);
            x = transformer("mid_block.attentions.0", x, deepest.heads);
            return new Lower<>(resnet("mid_block.resnets.1", x, deepest.width), skips);
        }

        T upper(Lower<T> lower) {
            Deque<T> skips = new ArrayDeque<>(lower.skips);
            T x = lower.middle;
            for (int i = 0; i < levels.size(); i++) x = up(i, x, skips);
            return parts.conv("conv_out", ops.silu(parts.groupNorm("conv_norm_out", x, norm.groups, norm.epsilon)), channels.out, 3);
        }

        private T down(int i, T x, List<T> skips) {
            Level level = levels.get(i);
            String name = "down_blocks." + i;
            for (int j = 0; j < blocks; j++) {
                x = block(name, j, resnet(name + ".resnets." + j, x, level.width), level);
                skips.add(x);
            }
            if (i < levels.size() - 1) {
                x = parts.conv(name + ".downsamplers.0.conv", x, level.width, 3, Conv2d.strided(2, 1));
                skips.add(x);
            }
            return x;
        }

        private T up(int i, T x, Deque<T> skips) {
            Level level = levels.get(levels.size() - 1 - i);
            String name = "up_blocks." + i;
            for (int j = 0; j <= blocks; j++) {
                x = block(name, j, resnet(name + ".resnets." + j, ops.concat(x, skips.removeLast(), 1), level.width), level);
            }
            if (i < levels.size() - 1) {
                Shape skip = ops.shape(skips.getLast());                    // not simply double: odd sides were rounded up on the way down
                x = parts.conv(name + ".upsamplers.0.conv", ops.upsampleNearest(x, skip.size(2), skip.size(3)), level.width, 3);
            }
            return x;
        }

        private T block(String name, int j, T x, Level level) {
            return level.block == Block.PLAIN ? x : transformer(name + ".attentions." + j, x, level.heads);
        }

        private T resnet(String name, T input, int width) {
            return ops.segment(name, List.of(input, time), in -> {
                T x = in.get(0);
                T h = parts.conv(name + ".conv1", activated(name + ".norm1", x), width, 3);
                T t = parts.linear(name + ".time_emb_proj", in.get(1), width);
                h = ops.add(h, ops.reshape(t, Shape.of(ops.shape(t).size(0), width, 1, 1)));
                h = parts.conv(name + ".conv2", activated(name + ".norm2", h), width, 3);
                return ops.add(parts.channels(x) == width ? x : parts.conv(name + ".conv_shortcut", x, width, 1), h);
            });
        }

        private T activated(String name, T input) {
            return ops.segment(name, List.of(input), in -> ops.silu(parts.groupNorm(name, in.getFirst(), norm.groups, norm.epsilon)));
        }

        private T transformer(String name, T input, int heads) {
            return ops.segment(name, List.of(input, context), in -> {
                T x = in.get(0);
                Shape shape = ops.shape(x);
                long width = shape.size(1);
                Shape tokens = Shape.of(shape.size(0), shape.size(2) * shape.size(3), width);
                T h = parts.groupNorm(name + ".norm", x, norm.groups, TRANSFORMER_EPSILON);
                h = switch (projection) {
                    case CONV -> flatten(parts.conv(name + ".proj_in", h, width, 1), tokens);
                    case LINEAR -> parts.linear(name + ".proj_in", flatten(h, tokens), width);
                };
                h = transformerBlock(name + ".transformer_blocks.0", h, in.get(1), heads);
                h = switch (projection) {
                    case CONV -> parts.conv(name + ".proj_out", unflatten(h, shape), width, 1);
                    case LINEAR -> unflatten(parts.linear(name + ".proj_out", h, width), shape);
                };
                return ops.add(x, h);
            });
        }

        private T flatten(T x, Shape tokens) {
            return ops.reshape(ops.permute(x, 0, 2, 3, 1), tokens);
        }

        private T unflatten(T x, Shape shape) {
            return ops.permute(ops.reshape(x, Shape.of(shape.size(0), shape.size(2), shape.size(3), shape.size(1))), 0, 3, 1, 2);
        }

        private T transformerBlock(String name, T h, T text, int heads) {
            T x = parts.layerNorm(name + ".norm1", h, LAYER_EPSILON);
            h = ops.add(h, attention(name + ".attn1", x, x, heads));
            h = ops.add(h, attention(name + ".attn2", parts.layerNorm(name + ".norm2", h, LAYER_EPSILON), text, heads));
            return ops.segment(name + ".ff", List.of(h), in -> ops.add(in.getFirst(), feedForward(name, in.getFirst())));
        }

        private T attention(String name, T x, T to, int heads) {
            long width = ops.shape(x).size(-1);
            T q = parts.linear(name + ".to_q", x, width, Bias.ABSENT);
            T k = parts.linear(name + ".to_k", to, width, Bias.ABSENT);
            T v = parts.linear(name + ".to_v", to, width, Bias.ABSENT);
            return parts.linear(name + ".to_out.0", ops.attention(q, k, v, Attention.of(heads)), width);
        }

        /// GEGLU. Source: Shazeer 2020.
        private T feedForward(String name, T h) {
            long width = ops.shape(h).size(-1);
            T gated = ops.segment(name + ".ff.net.0", List.of(h), in -> {
                T x = parts.layerNorm(name + ".norm3", in.getFirst(), LAYER_EPSILON);
                List<T> halves = ops.split(parts.linear(name + ".ff.net.0.proj", x, 8 * width), 2, 2);
                return ops.multiply(halves.get(0), ops.gelu(halves.get(1)));
            });
            return parts.linear(name + ".ff.net.2", gated, width);
        }
    }
}
