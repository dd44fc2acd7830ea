package atomstudio.tuning.method;

import static atomstudio.diffusion.TensorAssert.assertWithin;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.Oft.Side;
import atomstudio.tuning.torch.GradMode;
import atomstudio.tuning.torch.Torch;
import atomstudio.tuning.torch.TorchScope;
import atomstudio.tuning.torch.TorchSettings;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OftTest {
    private static Torch torch;

    @BeforeAll
    static void load() throws Exception {
        torch = Torch.open(Device.CPU, TorchSettings.standard());
    }

    @AfterAll
    static void release() {
        torch.close();
    }

    private static Tensor adapted(Oft oft, Layer layer, Tensor base, Tensor q) {
        try (TorchScope scope = torch.scope(GradMode.OFF)) {
            NDArray one = torch.array(Tensor.filled(Shape.of(1), 1));
            return torch
                    .tensor(oft
                            .effective(torch.ops(), layer, new LayerWeights<>(torch.array(base), null),
                                    name -> torch.array(q), one)
                            .weight());
        }
    }

    private static Layer layer(Tensor weight) {
        return new Layer(Component.UNET, "layer", weight.shape().rank() == 4 ? Layer.Kind.CONV : Layer.Kind.LINEAR,
                weight.shape(),
                Layer.Bias.ABSENT);
    }

    private static Oft oft(Side side, String block) {
        return new Oft(side, Oft.BlockSpec.parse(block));
    }

    /// peft 0.21.2; see make.py beside the file.
    @ParameterizedTest
    @CsvSource({"linear, 1/4, 1e-6", "linear, 3, 1e-6", "conv, 9, 1e-6", "conv, 1/4, 1e-6", "series, 4, 1e-6"})
    void inputSideMatchesPeft(String name, String block, double tolerance) throws Exception {
        try (SafetensorsFile golden = SafetensorsFile
                .open(Shared.root().resolve("tuning/src/test/resources/goldens/oft/oft.safetensors"))) {
            Tensor base = golden.read(name + ".base"), q = golden.read(name + ".Q");
            Oft oft = oft(Side.INPUT, block);
            assertEquals(q.shape(), oft.parameterSpecs(layer(base)).getFirst().shape());
            Tensor merged = golden.read(name + ".merged");
            assertNotEquals(base, merged);
            assertWithin(name, merged, adapted(oft, layer(base), base, q), tolerance);
        }
    }

    @Test
    void onlyTheInputSideKeepsNormsAndAngles() {
        Tensor base = new Tensor(Shape.of(8, 12), new CounterRng(1, "base").normals(96));
        for (String block : List.of("1/4", "1/1", "4", "6")) {
            Oft oft = oft(Side.INPUT, block);
            Tensor q = new Tensor(oft.parameterSpecs(layer(base)).getFirst().shape(), new CounterRng(2, "q")
                    .normals((int) oft.parameterSpecs(layer(base)).getFirst().shape().elements()));
            assertWithin(block, gram(base), gram(adapted(oft, layer(base), base, q)), 1e-4);
        }
        Oft output = oft(Side.OUTPUT, "4");
        Tensor q = new Tensor(Shape.of(2, 6), new CounterRng(2, "q").normals(12));
        Tensor rotated = gram(adapted(output, layer(base), base, q));
        double maxDifference = 0;
        for (int i = 0; i < rotated.data().length; i++)
            maxDifference = Math.max(maxDifference, Math.abs(rotated.data()[i] - gram(base).data()[i]));
        assertTrue(maxDifference > 1, "the output side mixes filters");
    }

    /// Gram matrix of the filters: norms and angles.
    private static Tensor gram(Tensor weight) {
        int rows = (int) weight.shape().size(0), columns = (int) weight.shape().size(1);
        Tensor gram = Tensor.zeros(Shape.of(rows, rows));
        for (int i = 0; i < rows; i++) for (int j = 0; j < rows; j++) {
            double sum = 0;
            for (int k = 0; k < columns; k++)
                sum += weight.data()[i * columns + k] * (double) weight.data()[j * columns + k];
            gram.data()[i * rows + j] = (float) sum;
        }
        return gram;
    }

    @Test
    void readsSideAndBlockFromFiles() throws Exception {
        MethodSettings output = MethodSettings.of(MethodName.OFT).with(MethodSetting.SIDE, "output");
        assertEquals(new RestrictedMethod(oft(Side.OUTPUT, "8"), LayerSelector.parse("attention")), output.method());
        MethodSettings combined = MethodSettings.parse("atoms",
                Map.of("atoms", "9", "also", "oft", "side", "output", "block", "4"));
        assertEquals(new RestrictedMethod(oft(Side.INPUT, "1/4"), LayerSelector.parse("attention")),
                MethodSettings.of(MethodName.OFT).method());
        for (MethodSettings now : List.of(MethodSettings.of(MethodName.OFT),
                MethodSettings.of(MethodName.OFT).with(MethodSetting.BLOCK_SIZE, "8"), output, combined)) {
            assertEquals(now, MethodSettings.parse(now.name(), now.entries()));
        }
    }

    @Test
    void invalidBlocksAreRejected() {
        for (String wrong : List.of("1", "0", "-4", "1/0", "1/-2", "2/4", "many", "", "1/")) {
            String message = assertThrows(IllegalArgumentException.class,
                    () -> MethodSettings.of(MethodName.OFT, Map.of(MethodSetting.BLOCK_SIZE, wrong)), wrong)
                    .getMessage();
            assertTrue(message.startsWith("block-size: expected"), message);
        }
        assertEquals("side: expected one of input, output, found \"left\"",
                assertThrows(IllegalArgumentException.class,
                        () -> MethodSettings.of(MethodName.OFT, Map.of(MethodSetting.SIDE, "left"))).getMessage());
    }
}
