package atomstudio.diffusion.net;

import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.Ops.ConvGeometry;
import atomstudio.diffusion.ops.WeightSource;
import java.util.List;

/// ConvNeXt: stages of blocks with a depthwise 7×7 convolution, a norm over channels, two linear layers and a layer
/// scale. Layer names are the state-dict keys of timm.
/// Source: Liu et al. 2022, "A ConvNet for the 2020s", figure 4 and appendix A.
/// @param patchSize of the first convolution
public record ConvNext(int imageChannels, int patchSize, List<Stage> stages, int classes) implements Classifier {
    /// @param mlpWidth of the linear layer within a block
    public record Stage(int depth, int width, int mlpWidth) {}

    private static final double EPSILON = 1e-6;
    private static final int KERNEL_SIZE = 7;

    public ConvNext {
        stages = List.copyOf(stages);
    }

    @Override
    public <T> T logits(Ops<T> ops, WeightSource<T> weights, T pixels) {
        Modules<T> nn = new Modules<>(Component.CLASSIFIER, ops, weights);
        T x = nn.conv("stem.0", pixels, stages.getFirst().width, patchSize, ConvGeometry.strided(patchSize, 0));
        x = channelNorm(nn, "stem.1", x);
        for (int i = 0; i < stages.size(); i++) {
            Stage stage = stages.get(i);
            String name = "stages." + i;
            if (i > 0)
                x = nn.conv(name + ".downsample.1", channelNorm(nn, name + ".downsample.0", x), stage.width, 2,
                        ConvGeometry.strided(2, 0));
            for (int j = 0; j < stage.depth; j++) {
                String block = name + ".blocks." + j;
                x = ops.checkpointed(block, List.of(x), in -> block(nn, block, in.getFirst(), stage));
            }
        }
        return nn.linear(head(), nn.layerNorm("head.norm", ops.globalAveragePool(x), EPSILON), classes);
    }

    private static <T> T block(Modules<T> nn, String name, T x, Stage stage) {
        Ops<T> ops = nn.ops();
        T h = nn.conv(name + ".conv_dw", x, stage.width, KERNEL_SIZE,
                ConvGeometry.same(KERNEL_SIZE).withGroups(stage.width));
        h = nn.layerNorm(name + ".norm", ops.permute(h, 0, 2, 3, 1), EPSILON);
        h = ops.gelu(nn.linear(name + ".mlp.fc1", h, stage.mlpWidth));
        h = nn.linear(name + ".mlp.fc2", h, stage.width);
        h = ops.multiply(h, nn.vector(name + ".gamma", Layer.Kind.SCALE, stage.width));
        return ops.add(x, ops.permute(h, 0, 3, 1, 2));
    }

    /// Over the channels of x (B, C, H, W).
    private static <T> T channelNorm(Modules<T> nn, String name, T x) {
        Ops<T> ops = nn.ops();
        return ops.permute(nn.layerNorm(name, ops.permute(x, 0, 2, 3, 1), EPSILON), 0, 3, 1, 2);
    }

    @Override
    public ConvNext withClasses(int classes) {
        return new ConvNext(imageChannels, patchSize, stages, classes);
    }

    @Override
    public String head() {
        return "head.fc";
    }

    @Override
    public int defaultImageSize() {
        return 224;
    }
}
