package atomstudio.tuning.method;

import static atomstudio.diffusion.TensorAssert.assertWithin;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.torch.GradMode;
import atomstudio.tuning.torch.Torch;
import atomstudio.tuning.torch.TorchScope;
import atomstudio.tuning.torch.TorchSettings;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Methods of the survey against peft 0.21.2 (make.py beside the goldens) and their formulas.
class SurveyMethodsTest {
    private static final Layer LINEAR = new Layer(Component.UNET, "linear", Layer.Kind.LINEAR, Shape.of(16, 24),
            Layer.Bias.ABSENT);
    private static Torch torch;
    private static SafetensorsFile golden;

    @BeforeAll
    static void open() throws Exception {
        torch = Torch.open(Device.CPU, TorchSettings.standard());
        golden = SafetensorsFile
                .open(Shared.root().resolve("tuning/src/test/resources/goldens/survey/survey.safetensors"));
    }

    @AfterAll
    static void close() {
        torch.close();
        golden.close();
    }

    private static Tensor adapted(TuningMethod method, Layer layer, Tensor base, Map<String, Tensor> values) {
        try (TorchScope scope = torch.scope(GradMode.OFF)) {
            return torch.tensor(method.effective(torch.ops(), layer, new LayerWeights<>(torch.array(base), null),
                    name -> torch.array(values.get(name)), torch.array(Tensor.filled(Shape.of(1), 1))).weight());
        }
    }

    private static TuningMethod method(MethodName name, Map<MethodSetting, String> settings) {
        return new MethodSettings(name, settings).method().methodFor(attention());
    }

    private static Layer attention() {
        return new Layer(Component.UNET, "attn1.to_q", Layer.Kind.LINEAR, Shape.of(16, 24), Layer.Bias.ABSENT);
    }

    @Test
    void pissaIsThatOfPeft() throws Exception {
        TuningMethod pissa = new Pissa(3, 2);
        Tensor base = golden.read("pissa.base");
        Map<String, Tensor> values = new HashMap<>();
        for (String name : List.of("A0", "B0", "dA", "dB")) values.put(name, golden.read("pissa." + name));
        assertWithin("merged", golden.read("pissa.merged"), adapted(pissa, LINEAR, base, values), 1e-5);
        Map<String, Tensor> start = new HashMap<>();
        for (ParameterSpec spec : pissa.parameterSpecs(LINEAR))
            start.put(spec.name(), spec.initializer()
                    .initialize(new ParameterSpec.InitContext(() -> base, new CounterRng(5, "start"), List.of(),
                            start::get)));
        assertWithin("the start", product(values), product(start), 1e-5);
        assertEquals(squaredNorm(start.get("A0")), squaredNorm(start.get("B0")), 1e-4, "balanced factors");
    }

    /// B0 · A0.
    private static Tensor product(Map<String, Tensor> values) {
        float[] b = values.get("B0").data(), a = values.get("A0").data();
        return Tensor.generate(Shape.of(16, 24), i -> {
            double sum = 0;
            for (int k = 0; k < 3; k++) sum += (double) b[i / 24 * 3 + k] * a[k * 24 + i % 24];
            return sum;
        });
    }

    private static double squaredNorm(Tensor tensor) {
        return tensor.squaredNorm();
    }

    @Test
    void rankStabilizedScalingIsThatOfPeft() throws Exception {
        Map<MethodSetting, String> settings = Map.of(MethodSetting.RANK, "3", MethodSetting.ALPHA, "2",
                MethodSetting.SCALING, "rank-stabilized");
        Map<String, Tensor> values = Map.of("A", golden.read("rslora.A"), "B", golden.read("rslora.B"));
        Tensor base = golden.read("rslora.base");
        assertWithin("merged", golden.read("rslora.merged"),
                adapted(method(MethodName.LORA, settings), LINEAR, base, values), 1e-6);
        assertEquals(new Lora(9, 18), method(MethodName.LORA, Map.of(MethodSetting.RANK, "3", MethodSetting.ALPHA, "2",
                MethodSetting.SCALING, "rank-stabilized", MethodSetting.RANK_PATTERN, "attention=9")),
                "α/r is 2/3 on all layers, and r is 9");
    }

    /// Layers share the leading rows and columns of the same two matrices, up to the scale of Kaiming's initialization.
    @Test
    void veraSharesItsProjections() {
        Vera vera = new Vera(4, 1);
        Tensor wide = vera.a(10, 10), narrow = vera.a(6, 10), tall = vera.b(9), low = vera.b(5);
        for (int row = 0; row < 4; row++)
            for (int column = 0; column < 6; column++)
                assertEquals(wide.data()[row * 10 + column], narrow.data()[row * 6 + column]);
        assertEquals(low, tall.rows(0, 5));
        assertNotEquals(wide, new Vera(4, 2).a(10, 10));
        assertWithin("as for fewer inputs", wide.scaled(Math.sqrt(2)), vera.a(10, 5), 1e-6);
    }

    /// One factor is OFT; two rotate every channel with others of both its blocks.
    @Test
    void boftOfOneFactorIsOft() {
        Oft.BlockSpec blocks = Oft.BlockSpec.parse("4");
        Tensor base = random("base", Shape.of(16, 24)), q = random("q", Shape.of(6, 6));
        assertEquals(adapted(new Oft(Oft.Side.INPUT, blocks), LINEAR, base, Map.of("Q", q)),
                adapted(new Boft(blocks, 1), LINEAR, base, Map.of("Q", q.reshape(Shape.of(1, 6, 6)))));
        Tensor two = adapted(new Boft(blocks, 2), LINEAR, base, Map.of("Q", random("two", Shape.of(2, 6, 6))));
        assertEquals(base.squaredNorm(), two.squaredNorm(), 1e-3, "a rotation keeps the norm");
        Tensor unit = Tensor.generate(Shape.of(16, 24), i -> i == 0 ? 1 : 0);
        Tensor reached = adapted(new Boft(blocks, 2), LINEAR, unit, Map.of("Q", random("two", Shape.of(2, 6, 6))));
        for (int channel = 0; channel < 24; channel++)
            assertEquals(channel < 8, Math.abs(reached.data()[channel]) > 1e-6, "channel " + channel);
    }

    private static Tensor random(String stream, Shape shape) {
        return new Tensor(shape, new CounterRng(1, stream).normals((int) shape.elements()));
    }
}
