package atomstudio.diffusion.net;

import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.Ops.ConvGeometry;
import atomstudio.diffusion.ops.WeightSource;
import java.util.List;

/// ResNet: four stages of residual blocks after a 7×7 convolution; ResNeXt with several groups. Layer names are the
/// state-dict keys of torchvision and timm. Batch norms use their running statistics, in training too. A block with a
/// stride has it in its 3×3 convolution.
/// Source: He et al. 2016, "Deep Residual Learning for Image Recognition", table 1; Goyal et al. 2017, section 5.1, for
/// the stride.
public record ResNet(int imageChannels, int stemWidth, List<Stage> stages, Block block, int classes)
        implements Classifier {
    public enum Block { BASIC, BOTTLENECK }

    /// @param width       channels of the 3×3 convolutions
    /// @param outChannels of its blocks: width for basic blocks
    /// @param groups      of the 3×3 convolutions
    public record Stage(int depth, int width, int outChannels, int groups) {}

    private static final double EPSILON = 1e-5;
    private static final int STEM_KERNEL_SIZE = 7;

    public ResNet {
        stages = List.copyOf(stages);
    }

    @Override
    public <T> T logits(Ops<T> ops, WeightSource<T> weights, T pixels) {
        Modules<T> nn = new Modules<>(Component.CLASSIFIER, ops, weights);
        T x = nn.convWithoutBias("conv1", pixels, stemWidth, STEM_KERNEL_SIZE,
                ConvGeometry.strided(2, STEM_KERNEL_SIZE / 2));
        x = ops.maxPool(ops.relu(nn.batchNorm("bn1", x, EPSILON)), new Ops.PoolWindow(3, 2, 1));
        for (int i = 0; i < stages.size(); i++) for (int j = 0; j < stages.get(i).depth; j++) {
            String name = "layer" + (i + 1) + "." + j;
            Stage stage = stages.get(i);
            int stride = i > 0 && j == 0 ? 2 : 1;
            x = ops.checkpointed(name, List.of(x), in -> block(nn, name, in.getFirst(), stage, stride));
        }
        return nn.linear(head(), ops.globalAveragePool(x), classes);
    }

    private <T> T block(Modules<T> nn, String name, T x, Stage stage, int stride) {
        Ops<T> ops = nn.ops();
        ConvGeometry spatial = ConvGeometry.strided(stride, 1).withGroups(stage.groups);
        T h = switch (block) {
            case BASIC -> {
                T first = nn.convWithoutBias(name + ".conv1", x, stage.width, 3, spatial);
                T second = ops.relu(nn.batchNorm(name + ".bn1", first, EPSILON));
                yield nn.batchNorm(name + ".bn2", nn.convWithoutBias(name + ".conv2", second, stage.outChannels),
                        EPSILON);
            }
            case BOTTLENECK -> {
                T first = nn.convWithoutBias(name + ".conv1", x, stage.width, 1, ConvGeometry.same(1));
                T second = nn.convWithoutBias(name + ".conv2", ops.relu(nn.batchNorm(name + ".bn1", first, EPSILON)),
                        stage.width, 3, spatial);
                T third = nn.convWithoutBias(name + ".conv3", ops.relu(nn.batchNorm(name + ".bn2", second, EPSILON)),
                        stage.outChannels, 1, ConvGeometry.same(1));
                yield nn.batchNorm(name + ".bn3", third, EPSILON);
            }
        };
        return ops.relu(ops.add(h, shortcut(nn, name, x, stage, stride)));
    }

    private static <T> T shortcut(Modules<T> nn, String name, T x, Stage stage, int stride) {
        if (stride == 1 && nn.channels(x) == stage.outChannels) return x;
        T projected = nn.convWithoutBias(name + ".downsample.0", x, stage.outChannels, 1,
                ConvGeometry.strided(stride, 0));
        return nn.batchNorm(name + ".downsample.1", projected, EPSILON);
    }

    @Override
    public ResNet withClasses(int classes) {
        return new ResNet(imageChannels, stemWidth, stages, block, classes);
    }

    @Override
    public String head() {
        return "fc";
    }

    @Override
    public int defaultImageSize() {
        return 224;
    }
}
