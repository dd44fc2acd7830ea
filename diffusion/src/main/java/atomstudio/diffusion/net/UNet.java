package atomstudio.diffusion.net;

import atomstudio.diffusion.ops.Layer.Bias;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.WeightSource;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Function;

/// Stable Diffusion's denoiser: residual blocks and transformers at falling resolutions, then back up along the skips.
/// Names are diffusers' state-dict keys of UNet2DConditionModel.
/// Source: Rombach et al. 2022, section 3.3; Ronneberger et al. 2015.
public record UNet(Channels channels, List<Level> levels, int layersPerBlock, int crossAttentionDim, Norm norm,
        Projection projection, SinusoidalEmbedding timeProjection) {
    /// Channels of the latents that go in (4, or 9 for inpainting) and of what comes out.
    public record Channels(int in, int out) {}

    /// One resolution: its width, its attention heads, and whether its blocks have transformers.
    public record Level(int channels, int heads, BlockType type) {}

    public enum BlockType { PLAIN, CROSS_ATTENTION }

    /// Group normalization of the residual blocks; the transformers' own has 1e-6.
    public record Norm(int groups, double epsilon) {}

    /// How a transformer is entered and left: 1×1 convolutions (SD 1.x) or linear layers (SD 2.x).
    public enum Projection { CONV, LINEAR }

    /// What the way down and the middle give to the way back up: the middle's output and the skips, the first made
    /// first.
    public record EncoderFeatures<T>(T middle, List<T> skips) {
        public EncoderFeatures {
            skips = List.copyOf(skips);
        }

        public <R> EncoderFeatures<R> map(Function<T, R> mapping) {
            return new EncoderFeatures<>(mapping.apply(middle), skips.stream().map(mapping).toList());
        }
    }

    private static final double TRANSFORMER_EPSILON = 1e-6;
    private static final double LAYER_NORM_EPSILON = 1e-5;

    /// latents (B,in,H,W), features (B, time.width) of the timesteps, context (B,S,contextWidth) -> (B,out,H,W); any
    /// H and W.
    public <T> T forward(Ops<T> ops, WeightSource<T> weights, T latents, T timeFeatures, T context) {
        Forward<T> pass = new Forward<>(ops, new Modules<>(ops, weights), timeFeatures, context);
        return pass.decode(pass.encode(latents));
    }

    /// The first part of `predict`: a fixed function of its inputs as long as only layers of the upper part change.
    public <T> EncoderFeatures<T> encode(Ops<T> ops, WeightSource<T> weights, T latents, T timeFeatures, T context) {
        return new Forward<>(ops, new Modules<>(ops, weights), timeFeatures, context).encode(latents);
    }

    /// The rest of `predict`, under the same features and context.
    public <T> T decode(Ops<T> ops, WeightSource<T> weights, EncoderFeatures<T> encoded, T timeFeatures, T context) {
        return new Forward<>(ops, new Modules<>(ops, weights), timeFeatures, context).decode(encoded);
    }

    /// Whether a layer belongs to the upper part alone.
    public static boolean isDecoderLayer(String layer) {
        return layer.startsWith("up_blocks.") || layer.equals("conv_norm_out") || layer.equals("conv_out");
    }

    private final class Forward<T> {
        private final Ops<T> ops;
        private final Modules<T> nn;
        private final T temb;
        private final T context;

        Forward(Ops<T> ops, Modules<T> nn, T timeFeatures, T context) {
            int embeddingDim = 4 * levels.getFirst().channels;
            this.ops = ops;
            this.nn = nn;
            this.temb = ops.silu(nn.linear("time_embedding.linear_2",
                    ops.silu(nn.linear("time_embedding.linear_1", timeFeatures, embeddingDim)), embeddingDim));
            this.context = context;
        }

        EncoderFeatures<T> encode(T latents) {
            List<T> skips = new ArrayList<>();
            T x = nn.conv("conv_in", latents, levels.getFirst().channels, 3);
            skips.add(x);
            for (int i = 0; i < levels.size(); i++) x = downBlock(i, x, skips);
            Level deepest = levels.getLast();
            x = resnet("mid_block.resnets.0", x, deepest.channels);
            x = transformer("mid_block.attentions.0", x, deepest.heads);
            return new EncoderFeatures<>(resnet("mid_block.resnets.1", x, deepest.channels), skips);
        }

        T decode(EncoderFeatures<T> encoded) {
            Deque<T> skips = new ArrayDeque<>(encoded.skips);
            T x = encoded.middle;
            for (int i = 0; i < levels.size(); i++) x = upBlock(i, x, skips);
            return nn.conv("conv_out", ops.silu(nn.groupNorm("conv_norm_out", x, norm.groups, norm.epsilon)),
                    channels.out, 3);
        }

        private T downBlock(int i, T x, List<T> skips) {
            Level level = levels.get(i);
            String name = "down_blocks." + i;
            for (int j = 0; j < layersPerBlock; j++) {
                x = attentionIfAny(name, j, resnet(name + ".resnets." + j, x, level.channels), level);
                skips.add(x);
            }
            if (i < levels.size() - 1) {
                x = nn.conv(name + ".downsamplers.0.conv", x, level.channels, 3, Ops.ConvGeometry.strided(2, 1));
                skips.add(x);
            }
            return x;
        }

        private T upBlock(int i, T x, Deque<T> skips) {
            Level level = levels.get(levels.size() - 1 - i);
            String name = "up_blocks." + i;
            for (int j = 0; j <= layersPerBlock; j++) {
                x = attentionIfAny(name, j,
                        resnet(name + ".resnets." + j, ops.concat(x, skips.removeLast(), 1), level.channels), level);
            }
            if (i < levels.size() - 1) {
                Shape skip = ops.shape(skips.getLast()); // not simply double: odd sides were rounded up on the way down
                x = nn.conv(name + ".upsamplers.0.conv", ops.upsampleNearest(x, skip.size(2), skip.size(3)),
                        level.channels, 3);
            }
            return x;
        }

        private T attentionIfAny(String name, int j, T x, Level level) {
            return level.type == BlockType.PLAIN ? x : transformer(name + ".attentions." + j, x, level.heads);
        }

        private T resnet(String name, T input, int outChannels) {
            return ops.checkpointed(name, List.of(input, temb), inputs -> {
                T x = inputs.get(0);
                T h = nn.conv(name + ".conv1", normSilu(name + ".norm1", x), outChannels, 3);
                T projectedTemb = nn.linear(name + ".time_emb_proj", inputs.get(1), outChannels);
                h = ops.add(h,
                        ops.reshape(projectedTemb, Shape.of(ops.shape(projectedTemb).size(0), outChannels, 1, 1)));
                h = nn.conv(name + ".conv2", normSilu(name + ".norm2", h), outChannels, 3);
                return ops.add(nn.channels(x) == outChannels ? x : nn.conv(name + ".conv_shortcut", x, outChannels, 1),
                        h);
            });
        }

        private T normSilu(String name, T input) {
            return ops.checkpointed(name, List.of(input),
                    inputs -> ops.silu(nn.groupNorm(name, inputs.getFirst(), norm.groups, norm.epsilon)));
        }

        private T transformer(String name, T input, int heads) {
            return ops.checkpointed(name, List.of(input, context), inputs -> {
                T x = inputs.get(0);
                Shape shape = ops.shape(x);
                long channels = shape.size(1);
                Shape tokenShape = Shape.of(shape.size(0), shape.size(2) * shape.size(3), channels);
                T h = nn.groupNorm(name + ".norm", x, norm.groups, TRANSFORMER_EPSILON);
                h = switch (projection) {
                    case CONV -> flatten(nn.conv(name + ".proj_in", h, channels, 1), tokenShape);
                    case LINEAR -> nn.linear(name + ".proj_in", flatten(h, tokenShape), channels);
                };
                h = transformerBlock(name + ".transformer_blocks.0", h, inputs.get(1), heads);
                h = switch (projection) {
                    case CONV -> nn.conv(name + ".proj_out", unflatten(h, shape), channels, 1);
                    case LINEAR -> unflatten(nn.linear(name + ".proj_out", h, channels), shape);
                };
                return ops.add(x, h);
            });
        }

        private T flatten(T x, Shape tokenShape) {
            return ops.reshape(ops.permute(x, 0, 2, 3, 1), tokenShape);
        }

        private T unflatten(T x, Shape shape) {
            return ops.permute(ops.reshape(x, Shape.of(shape.size(0), shape.size(2), shape.size(3), shape.size(1))), 0,
                    3, 1, 2);
        }

        private T transformerBlock(String name, T h, T encoderStates, int heads) {
            T x = nn.layerNorm(name + ".norm1", h, LAYER_NORM_EPSILON);
            h = ops.add(h, attention(name + ".attn1", x, x, heads));
            h = ops.add(h, attention(name + ".attn2", nn.layerNorm(name + ".norm2", h, LAYER_NORM_EPSILON),
                    encoderStates, heads));
            return ops.checkpointed(name + ".ff", List.of(h),
                    inputs -> ops.add(inputs.getFirst(), feedForward(name, inputs.getFirst())));
        }

        private T attention(String name, T x, T keyValueStates, int heads) {
            long dim = ops.shape(x).size(-1);
            T q = nn.linear(name + ".to_q", x, dim, Bias.ABSENT);
            T k = nn.linear(name + ".to_k", keyValueStates, dim, Bias.ABSENT);
            T v = nn.linear(name + ".to_v", keyValueStates, dim, Bias.ABSENT);
            return nn.linear(name + ".to_out.0", ops.attention(q, k, v, Ops.AttentionConfig.of(heads)), dim);
        }

        /// GEGLU. Source: Shazeer 2020.
        private T feedForward(String name, T h) {
            long dim = ops.shape(h).size(-1);
            T gated = ops.checkpointed(name + ".ff.net.0", List.of(h), inputs -> {
                T x = nn.layerNorm(name + ".norm3", inputs.getFirst(), LAYER_NORM_EPSILON);
                List<T> halves = ops.split(nn.linear(name + ".ff.net.0.proj", x, 8 * dim), 2, 2);
                return ops.multiply(halves.get(0), ops.gelu(halves.get(1)));
            });
            return nn.linear(name + ".ff.net.2", gated, dim);
        }
    }

    /// Sines and cosines of the timestep at geometrically falling frequencies, the UNet's view of time.
    /// Source: Vaswani et al. 2017, section 3.5, with diffusers' order and shift; computed in float32 as there.
    public record SinusoidalEmbedding(int dim, Order order, double downscaleFreqShift) {
        /// Which half comes first; Stable Diffusion has the cosines first.
        public enum Order { SINE_COSINE, COSINE_SINE }

        private static final int MAX_PERIOD = 10_000;

        /// (B) timesteps -> (B, width).
        public Tensor embed(float[] timesteps) {
            int half = dim / 2;
            float[] features = new float[timesteps.length * dim];
            int sine = order == Order.SINE_COSINE ? 0 : half;
            for (int b = 0; b < timesteps.length; b++) {
                for (int i = 0; i < half; i++) {
                    float exponent = (float) -Math.log(MAX_PERIOD) * i / (float) (half - downscaleFreqShift);
                    float angle = timesteps[b] * (float) Math.exp(exponent);
                    features[b * dim + sine + i] = (float) Math.sin(angle);
                    features[b * dim + half - sine + i] = (float) Math.cos(angle);
                }
            }
            return new Tensor(Shape.of(timesteps.length, dim), features);
        }
    }
}
