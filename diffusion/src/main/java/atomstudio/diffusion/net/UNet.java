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

/// Stable Diffusion's UNet: down blocks of ResNet blocks and transformers, a mid block, and up blocks that concatenate
/// the skip connections. Layer names are diffusers' state-dict keys of UNet2DConditionModel.
/// Source: Rombach et al. 2022, section 3.3; Ronneberger et al. 2015.
public record UNet(Channels channels, List<Level> levels, int layersPerBlock, int crossAttentionDim, Norm norm,
        Projection projection, SinusoidalEmbedding timeProjection) implements Network {
    /// Input channels (4, or 9 for inpainting) and output channels.
    public record Channels(int in, int out) {}

    /// One resolution: its channels, attention heads and block type.
    public record Level(int channels, int heads, BlockType type) {}

    public enum BlockType { PLAIN, CROSS_ATTENTION }

    /// Group norm of the ResNet blocks; that of the transformers has epsilon 1e-6.
    public record Norm(int groups, double epsilon) {}

    /// `proj_in` and `proj_out` of a transformer: 1×1 convolutions (SD 1.x) or linear layers (SD 2.x).
    public enum Projection { CONV, LINEAR }

    /// Output of the down and mid blocks: the mid block's output and the skip connections in the order of computation.
    public record EncoderFeatures<T>(T middle, List<T> skips) {
        public EncoderFeatures {
            skips = List.copyOf(skips);
        }

        public <R> EncoderFeatures<R> map(Function<T, R> mapping) {
            return new EncoderFeatures<>(mapping.apply(middle), skips.stream().map(mapping).toList());
        }
    }

    private static final double TRANSFORMER_NORM_EPSILON = 1e-6;
    private static final double LAYER_NORM_EPSILON = 1e-5;

    /// latents (B, in, H, W), timeFeatures (B, timeProjection.dim), context (B, S, crossAttentionDim)
    /// -> (B, out, H, W); any H and W.
    public <T> T forward(Ops<T> ops, WeightSource<T> weights, T latents, T timeFeatures, T context) {
        Forward<T> pass = new Forward<>(ops, new Modules<>(component(), ops, weights), timeFeatures, context);
        return pass.decode(pass.encode(latents));
    }

    /// The down and mid blocks of [#forward]. The result may be cached while only layers of the up blocks change.
    public <T> EncoderFeatures<T> encode(Ops<T> ops, WeightSource<T> weights, T latents, T timeFeatures, T context) {
        return new Forward<>(ops, new Modules<>(component(), ops, weights), timeFeatures, context).encode(latents);
    }

    /// The up blocks of [#forward], for the same time features and context.
    public <T> T decode(Ops<T> ops, WeightSource<T> weights, EncoderFeatures<T> encoded, T timeFeatures, T context) {
        return new Forward<>(ops, new Modules<>(component(), ops, weights), timeFeatures, context).decode(encoded);
    }

    /// Whether only [#decode] uses the layer.
    public static boolean isDecoderLayer(String layer) {
        return layer.startsWith("up_blocks.") || layer.equals("conv_norm_out") || layer.equals("conv_out");
    }

    private final class Forward<T> {
        private final Ops<T> ops;
        private final Modules<T> nn;
        private final T temb;
        private final T context;

        Forward(Ops<T> ops, Modules<T> nn, T timeFeatures, T context) {
            this.ops = ops;
            this.nn = nn;
            this.temb = timeEmbedding(timeFeatures);
            this.context = context;
        }

        EncoderFeatures<T> encode(T latents) {
            List<T> skips = new ArrayList<>();
            T x = nn.conv("conv_in", latents, levels.getFirst().channels, 3);
            skips.add(x);
            for (int i = 0; i < levels.size(); i++) x = downBlock(i, x, skips);
            return new EncoderFeatures<>(midBlock(x), skips);
        }

        T decode(EncoderFeatures<T> encoded) {
            Deque<T> skips = new ArrayDeque<>(encoded.skips);
            T x = encoded.middle;
            for (int i = 0; i < levels.size(); i++) x = upBlock(i, x, skips);
            x = ops.silu(nn.groupNorm("conv_norm_out", x, norm.groups, norm.epsilon));
            return nn.conv("conv_out", x, channels.out, 3);
        }

        /// TimestepEmbedding, followed by the SiLU that every ResNet block starts its projection with.
        private T timeEmbedding(T timeFeatures) {
            int embeddingDim = 4 * levels.getFirst().channels;
            T h = ops.silu(nn.linear("time_embedding.linear_1", timeFeatures, embeddingDim));
            return ops.silu(nn.linear("time_embedding.linear_2", h, embeddingDim));
        }

        /// DownBlock2D, or CrossAttnDownBlock2D.
        private T downBlock(int i, T x, List<T> skips) {
            Level level = levels.get(i);
            String name = "down_blocks." + i;
            for (int j = 0; j < layersPerBlock; j++) {
                x = resnetBlock(name + ".resnets." + j, x, level.channels);
                if (level.type == BlockType.CROSS_ATTENTION)
                    x = transformer(name + ".attentions." + j, x, level.heads);
                skips.add(x);
            }
            if (i < levels.size() - 1) {
                x = nn.conv(name + ".downsamplers.0.conv", x, level.channels, 3, Ops.ConvGeometry.strided(2, 1));
                skips.add(x);
            }
            return x;
        }

        /// UNetMidBlock2DCrossAttn.
        private T midBlock(T x) {
            Level level = levels.getLast();
            x = resnetBlock("mid_block.resnets.0", x, level.channels);
            x = transformer("mid_block.attentions.0", x, level.heads);
            return resnetBlock("mid_block.resnets.1", x, level.channels);
        }

        /// UpBlock2D, or CrossAttnUpBlock2D.
        private T upBlock(int i, T x, Deque<T> skips) {
            Level level = levels.get(levels.size() - 1 - i);
            String name = "up_blocks." + i;
            for (int j = 0; j <= layersPerBlock; j++) {
                String layer = "." + j;
                T previous = x;
                x = ops.freeingTemporaries(() -> {
                    T h = resnetBlock(name + ".resnets" + layer, ops.concat(previous, skips.removeLast(), 1),
                            level.channels);
                    return level.type == BlockType.CROSS_ATTENTION
                            ? transformer(name + ".attentions" + layer, h, level.heads)
                            : h;
                });
            }
            if (i == levels.size() - 1) return x;
            // The size of the next skip, not twice this one: downsampling rounds odd sizes up.
            Shape size = ops.shape(skips.getLast());
            x = ops.upsampleNearest(x, size.size(2), size.size(3));
            return nn.conv(name + ".upsamplers.0.conv", x, level.channels, 3);
        }

        /// ResnetBlock2D.
        private T resnetBlock(String name, T input, int outChannels) {
            return ops.checkpointed(name, List.of(input, temb), inputs -> {
                T x = inputs.get(0);
                T h = nn.conv(name + ".conv1", normSilu(name + ".norm1", x), outChannels, 3);
                T time = nn.linear(name + ".time_emb_proj", inputs.get(1), outChannels);
                h = ops.add(h, ops.reshape(time, Shape.of(ops.shape(time).size(0), outChannels, 1, 1)));
                h = nn.conv(name + ".conv2", normSilu(name + ".norm2", h), outChannels, 3);
                return ops.add(nn.shortcut(name, x, outChannels), h);
            });
        }

        private T normSilu(String name, T input) {
            return ops.checkpointed(name, List.of(input),
                    inputs -> ops.silu(nn.groupNorm(name, inputs.getFirst(), norm.groups, norm.epsilon)));
        }

        /// Transformer2DModel.
        private T transformer(String name, T input, int heads) {
            return ops.checkpointed(name, List.of(input, context), inputs -> {
                T x = inputs.get(0);
                Shape shape = ops.shape(x);
                long channels = shape.size(1);
                T h = nn.groupNorm(name + ".norm", x, norm.groups, TRANSFORMER_NORM_EPSILON);
                h = switch (projection) {
                    case CONV -> nn.toTokens(nn.conv(name + ".proj_in", h, channels, 1));
                    case LINEAR -> nn.linear(name + ".proj_in", nn.toTokens(h), channels);
                };
                h = basicTransformerBlock(name + ".transformer_blocks.0", h, inputs.get(1), heads);
                h = switch (projection) {
                    case CONV -> nn.conv(name + ".proj_out", nn.toFeatureMap(h, shape), channels, 1);
                    case LINEAR -> nn.toFeatureMap(nn.linear(name + ".proj_out", h, channels), shape);
                };
                return ops.add(x, h);
            });
        }

        /// BasicTransformerBlock: self-attention, cross-attention and feed-forward.
        private T basicTransformerBlock(String name, T h, T encoderStates, int heads) {
            T attended = ops.freeingTemporaries(() -> {
                T x = nn.layerNorm(name + ".norm1", h, LAYER_NORM_EPSILON);
                return ops.add(h, attention(name + ".attn1", x, x, heads));
            });
            T conditioned = ops.freeingTemporaries(() -> {
                T x = nn.layerNorm(name + ".norm2", attended, LAYER_NORM_EPSILON);
                return ops.add(attended, attention(name + ".attn2", x, encoderStates, heads));
            });
            return ops.checkpointed(name + ".ff", List.of(conditioned),
                    inputs -> ops.add(inputs.getFirst(), feedForward(name, inputs.getFirst())));
        }

        private T attention(String name, T x, T encoderStates, int heads) {
            long dim = ops.shape(x).size(-1);
            T q = nn.linear(name + ".to_q", x, dim, Bias.ABSENT);
            T k = nn.linear(name + ".to_k", encoderStates, dim, Bias.ABSENT);
            T v = nn.linear(name + ".to_v", encoderStates, dim, Bias.ABSENT);
            return nn.linear(name + ".to_out.0", ops.attention(q, k, v, Ops.AttentionConfig.of(heads)), dim);
        }

        /// FeedForward with GEGLU. Source: Shazeer 2020.
        private T feedForward(String name, T h) {
            long dim = ops.shape(h).size(-1);
            T gated = ops.checkpointed(name + ".ff.net.0", List.of(h), inputs -> {
                T x = nn.layerNorm(name + ".norm3", inputs.getFirst(), LAYER_NORM_EPSILON);
                List<T> halves = ops.split(nn.linear(name + ".ff.net.0.proj", x, 8 * dim), 2, 2);
                return ops.multiply(halves.get(0), ops.gelu(halves.get(1)));
            });
            return nn.sublayerOutput(name + ".ff.net.2", gated, dim, h);
        }
    }

    /// Sinusoidal timestep embedding (diffusers' Timesteps): sines and cosines of the timestep at geometrically
    /// decreasing frequencies, computed in float32 like diffusers.
    /// Source: Vaswani et al. 2017, section 3.5, with diffusers' order and shift.
    public record SinusoidalEmbedding(int dim, Order order, double downscaleFreqShift) {
        /// Which half comes first; in Stable Diffusion the cosines.
        public enum Order { SINE_COSINE, COSINE_SINE }

        private static final int MAX_PERIOD = 10_000;

        /// Timesteps (B) -> (B, dim).
        public Tensor embed(float[] timesteps) {
            int half = dim / 2;
            float[] features = new float[timesteps.length * dim];
            int sine = order == Order.SINE_COSINE ? 0 : half;
            float[] frequencies = frequencies();
            for (int b = 0; b < timesteps.length; b++) {
                for (int i = 0; i < half; i++) {
                    float angle = timesteps[b] * frequencies[i];
                    features[b * dim + sine + i] = (float) Math.sin(angle);
                    features[b * dim + half - sine + i] = (float) Math.cos(angle);
                }
            }
            return new Tensor(Shape.of(timesteps.length, dim), features);
        }

        /// Of the angles, (dim / 2).
        public float[] frequencies() {
            int half = dim / 2;
            float[] frequencies = new float[half];
            for (int i = 0; i < half; i++)
                frequencies[i] = (float) Math
                        .exp((float) -Math.log(MAX_PERIOD) * i / (float) (half - downscaleFreqShift));
            return frequencies;
        }
    }
}
