package atomstudio.diffusion.net;

import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.Ops.ConvGeometry;
import atomstudio.diffusion.ops.WeightSource;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// EfficientNet-Lite: inverted residual blocks with depthwise convolutions, without squeeze and excitation, with ReLU6.
/// Layer names are the state-dict keys of efficientnet-lite-pytorch. Paddings are TensorFlow's SAME; batch norms use
/// their running statistics.
/// Source: Tan and Le 2019, "EfficientNet", table 1; Sandler et al. 2018, "MobileNetV2", table 1, for the block.
/// @param headWidth channels of the last convolution
public record EfficientNetLite(int stemWidth, List<Stage> stages, int headWidth, int classes) implements Classifier {
    /// @param expansion channels within a block over those of its input
    /// @param stride    of its first block
    public record Stage(int depth, int width, int kernelSize, int stride, int expansion) {}

    private static final double EPSILON = 1e-3;

    public EfficientNetLite {
        stages = List.copyOf(stages);
    }

    @Override
    public <T> T logits(Ops<T> ops, WeightSource<T> weights, T pixels) {
        Modules<T> nn = new Modules<>(Component.CLASSIFIER, ops, weights);
        T x = activated(nn, "_bn0", nn.convWithoutBias("_conv_stem", pixels, stemWidth, 3, same(ops, pixels, 3, 2)));
        int index = 0;
        for (Stage stage : stages) for (int j = 0; j < stage.depth; j++) {
            String name = "_blocks." + index++ + ".";
            int stride = j == 0 ? stage.stride : 1;
            x = ops.checkpointed(name, List.of(x), in -> block(nn, name, in.getFirst(), stage, stride));
        }
        x = activated(nn, "_bn1", nn.convWithoutBias("_conv_head", x, headWidth, 1, ConvGeometry.same(1)));
        return nn.linear(head(), ops.globalAveragePool(x), classes);
    }

    private static <T> T block(Modules<T> nn, String name, T x, Stage stage, int stride) {
        int inputs = (int) nn.channels(x), width = inputs * stage.expansion;
        T h = stage.expansion == 1 ? x
                : activated(nn, name + "_bn0",
                        nn.convWithoutBias(name + "_expand_conv", x, width, 1, ConvGeometry.same(1)));
        h = activated(nn, name + "_bn1", nn.convWithoutBias(name + "_depthwise_conv", h, width, stage.kernelSize,
                same(nn.ops(), h, stage.kernelSize, stride).withGroups(width)));
        h = nn.batchNorm(name + "_bn2",
                nn.convWithoutBias(name + "_project_conv", h, stage.width, 1, ConvGeometry.same(1)), EPSILON);
        return stride == 1 && inputs == stage.width ? nn.ops().add(h, x) : h;
    }

    /// TensorFlow's SAME padding: as much as ⌈size / stride⌉ outputs need, the odd pixel at the right and bottom.
    private static <T> ConvGeometry same(Ops<T> ops, T x, int kernelSize, int stride) {
        int rows = padding(ops.shape(x).size(2), kernelSize, stride),
                columns = padding(ops.shape(x).size(3), kernelSize, stride);
        return new ConvGeometry(stride, rows / 2, columns / 2, rows - rows / 2, columns - columns / 2);
    }

    private static int padding(long size, int kernelSize, int stride) {
        return (int) Math.max(0, (Math.ceilDiv(size, stride) - 1) * stride + kernelSize - size);
    }

    private static <T> T activated(Modules<T> nn, String norm, T x) {
        Ops<T> ops = nn.ops();
        T normalized = nn.batchNorm(norm, x, EPSILON);
        T above = ops.relu(ops.add(normalized, ops.constant(Tensor.filled(Shape.of(1), -6))));
        return ops.add(ops.relu(normalized), ops.scale(above, -1)); // ReLU6
    }

    @Override
    public EfficientNetLite withClasses(int classes) {
        return new EfficientNetLite(stemWidth, stages, headWidth, classes);
    }

    @Override
    public String head() {
        return "_fc";
    }

    @Override
    public int imageChannels() {
        return 3;
    }

    @Override
    public int defaultImageSize() {
        return 224;
    }
}
