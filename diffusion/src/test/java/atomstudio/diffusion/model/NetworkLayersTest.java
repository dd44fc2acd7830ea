package atomstudio.diffusion.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.net.UNet.BlockType;
import atomstudio.diffusion.net.UNet.Level;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerRecorder;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.ShapeOps;
import atomstudio.diffusion.tensor.Shape;
import java.util.List;
import org.junit.jupiter.api.Test;

class NetworkLayersTest {
    /// Stable Diffusion 1.5's configuration.
    static final UNet SD15 = new UNet(new UNet.Channels(4, 4),
            List.of(new Level(320, 8, BlockType.CROSS_ATTENTION), new Level(640, 8, BlockType.CROSS_ATTENTION),
                    new Level(1280, 8, BlockType.CROSS_ATTENTION), new Level(1280, 8, BlockType.PLAIN)),
            2, 768, new UNet.Norm(32, 1e-5), UNet.Projection.CONV,
            new UNet.SinusoidalEmbedding(320, UNet.SinusoidalEmbedding.Order.COSINE_SINE, 0));

    @Test
    void countsMatchStableDiffusion15() {
        List<Layer> layers = SD15.layers();
        assertEquals(686, Layer.tensorCount(layers));
        assertEquals(859_520_964L, Layer.parameterCount(layers));
        assertEquals(52,
                layers.stream().filter(layer -> layer.kind() == Layer.Kind.CONV && layer.kernelSize() == 3).count());
        assertEquals(46,
                layers.stream().filter(layer -> layer.kind() == Layer.Kind.CONV && layer.kernelSize() == 1).count());
        assertEquals(184, layers.stream().filter(layer -> layer.kind() == Layer.Kind.LINEAR).count());
    }

    @Test
    void acceptsOddLatentSizes() {
        Shape latents = Shape.of(2, 4, 37, 51);
        assertEquals(latents,
                SD15.forward(new ShapeOps(), new LayerRecorder(), latents, Shape.of(2, 320), Shape.of(2, 77, 768)));
    }

    @Test
    void dryRunRejectsWrongChannelCount() {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class,
                () -> new ShapeOps().conv2d(Shape.of(1, 9, 8, 8), new LayerWeights<>(Shape.of(320, 4, 3, 3), null),
                        Ops.ConvGeometry.same(3)));
        assertEquals("conv2d: (1,9,8,8) and (320,4,3,3) do not match", e.getMessage());
    }
}
