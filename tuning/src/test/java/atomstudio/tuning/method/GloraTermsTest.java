package atomstudio.tuning.method;

import static atomstudio.diffusion.TensorAssert.assertWithin;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.GloraStructure.Form;
import atomstudio.tuning.torch.GradMode;
import atomstudio.tuning.torch.Torch;
import atomstudio.tuning.torch.TorchScope;
import atomstudio.tuning.torch.TorchSettings;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// The law of GLoRA against its formula, element by element, on random structures.
class GloraTermsTest {
    private static final int RANK = 3;
    private static final int STRUCTURES = 60;
    private static Torch torch;

    @BeforeAll
    static void load() throws Exception {
        torch = Torch.open(Device.CPU, TorchSettings.standard());
    }

    @AfterAll
    static void release() {
        torch.close();
    }

    private static List<Layer> layers() {
        return List.of(layer("linear", Layer.Kind.LINEAR, Layer.Bias.PRESENT, 6, 8),
                layer("conv", Layer.Kind.CONV, Layer.Bias.PRESENT, 5, 4, 3, 3),
                layer("point", Layer.Kind.CONV, Layer.Bias.PRESENT, 4, 6, 1, 1),
                layer("to_q", Layer.Kind.LINEAR, Layer.Bias.ABSENT, 6, 8));
    }

    private static Layer layer(String name, Layer.Kind kind, Layer.Bias bias, long... weight) {
        return new Layer(Component.UNET, name, kind, new Shape(weight), bias);
    }

    private static Tensor random(String stream, Shape shape) {
        return new Tensor(shape, new CounterRng(4, stream).normals((int) shape.elements()));
    }

    private static LayerWeights<Tensor> effective(TuningMethod method, Layer layer, Map<String, Tensor> values,
            double adapterWeight) {
        try (TorchScope scope = torch.scope(GradMode.OFF)) {
            LayerWeights<ai.djl.ndarray.NDArray> adapted = method.effective(torch.ops(), layer,
                    new LayerWeights<>(torch.array(base(layer)),
                            layer.hasBias() ? torch.array(random("bias", layer.biasShape())) : null),
                    name -> torch.array(values.get(name)),
                    torch.array(Tensor.filled(Shape.of(1), (float) adapterWeight)));
            return new LayerWeights<>(torch.tensor(adapted.weight()),
                    adapted.bias() == null ? null : torch.tensor(adapted.bias()));
        }
    }

    private static Tensor base(Layer layer) {
        return random("base", layer.weightShape());
    }

    private static GloraStructure structure(int number) {
        return GloraSupernet.structure(layers().getFirst(), 1, number);
    }

    @Test
    void weightAndBiasFollowTheFormula() {
        Set<Form> forms = new HashSet<>();
        for (Layer layer : layers()) for (int number = 0; number < STRUCTURES; number++) {
            GloraStructure structure = structure(number).on(layer);
            forms.addAll(structure.forms());
            GloraTerms method = new GloraTerms(RANK, GloraPattern.ofAll(structure));
            Map<String, Tensor> values = new HashMap<>();
            for (ParameterSpec spec : method.parameterSpecs(layer))
                values.put(spec.name(), random(spec.name() + number, spec.shape()));
            LayerWeights<Tensor> found = effective(method, layer, values, 0.7);
            assertWithin(structure + " on " + layer.name(), weight(layer, structure, values, 0.7), found.weight(),
                    1e-5);
            if (layer.hasBias())
                assertWithin(structure + " on " + layer.name(), bias(layer, structure, values, 0.7), found.bias(),
                        1e-4);
            else
                assertEquals(null, found.bias());
        }
        assertEquals(Set.of(Form.values()), forms);
    }

    /// An element of A or B: row o, column i.
    private static double term(Map<String, Tensor> values, String term, Form form, int o, int i) {
        return switch (form) {
            case NONE -> 0;
            case SCALAR -> values.get(term).data()[0];
            case VECTOR -> values.get(term).data()[o];
            case LOW_RANK -> {
                float[] down = values.get(term + "d").data(), up = values.get(term + "u").data();
                double sum = 0;
                for (int k = 0; k < RANK; k++) sum += down[o * RANK + k] * up[k * (up.length / RANK) + i];
                yield sum;
            }
        };
    }

    private static Tensor weight(Layer layer, GloraStructure structure, Map<String, Tensor> values, double s) {
        int columns = (int) layer.fanIn();
        float[] w = base(layer).data();
        return Tensor.generate(layer.weightShape(), index -> {
            int o = index / columns, i = index % columns;
            return w[index] + s * (w[index] * term(values, "A", structure.a(), o, i)
                    + term(values, "B", structure.b(), o, i));
        });
    }

    private static Tensor bias(Layer layer, GloraStructure structure, Map<String, Tensor> values, double s) {
        int columns = (int) layer.fanIn();
        float[] w = base(layer).data(), b = random("bias", layer.biasShape()).data();
        return Tensor.generate(layer.biasShape(), o -> {
            double prompt = 0;
            for (int i = 0; i < columns; i++)
                prompt += w[o * columns + i] * term(values, "C", structure.c(), i, 0);
            return b[o] + s * (b[o] * term(values, "D", structure.d(), o, 0)
                    + term(values, "E", structure.e(), o, 0) + prompt);
        });
    }

    /// A structure within the supernet is the same as its extracted parameters alone.
    @Test
    void supernetContainsEveryStructure() {
        GloraSupernet supernet = new GloraSupernet(RANK);
        for (Layer layer : layers()) {
            Map<String, Tensor> values = new HashMap<>();
            for (ParameterSpec spec : supernet.parameterSpecs(layer))
                values.put(spec.name(), random(spec.name(), spec.shape()));
            for (int number = 0; number < STRUCTURES; number++) {
                GloraStructure structure = structure(number);
                GloraTerms alone = new GloraTerms(RANK, GloraPattern.ofAll(structure));
                Map<String, Tensor> extracted = supernet.extracted(layer, structure, values::get);
                assertEquals(alone.parameterShapes(layer).keySet(), extracted.keySet(), structure.toString());
                alone.parameterShapes(layer)
                        .forEach((name, shape) -> assertEquals(shape, extracted.get(name).shape(), structure + name));
                LayerWeights<Tensor> expected = effective(alone, layer, extracted, 1);
                LayerWeights<Tensor> found = effective(supernet.with(Map.of(layer.name(), structure)), layer, values,
                        1);
                assertWithin(structure.toString(), expected.weight(), found.weight(), 1e-5);
                if (expected.bias() != null)
                    assertWithin(structure.toString(), expected.bias(), found.bias(), 1e-5);
            }
        }
    }

    @Test
    void structuresOfStepsFollowFromSeedAndStep() {
        Layer layer = layers().getFirst(), other = layers().get(1);
        Set<GloraStructure> found = new HashSet<>();
        for (int step = 0; step < 20; step++) found.add(GloraSupernet.structure(layer, 7, step));
        assertTrue(found.size() > 10, "different at each step");
        assertEquals(GloraSupernet.structure(layer, 7, 3), GloraSupernet.structure(layer, 7, 3));
        int equal = 0;
        for (int step = 0; step < 20; step++)
            if (GloraSupernet.structure(layer, 7, step).equals(GloraSupernet.structure(other, 7, step))) equal++;
        assertTrue(equal < 5, "different for each layer");
    }

    @Test
    void parametersAreCountedByFormula() {
        Layer conv = layers().get(1), query = layers().get(3);
        assertEquals(2 * RANK * (5 + 36) + RANK * (36 + 1) + 5 + 5,
                GloraTerms.parameterCount(GloraStructure.LARGEST, conv, RANK));
        assertEquals(5 + 1 + 36 + 1 + 5, GloraTerms.parameterCount(GloraStructure.parse("vsvsv"), conv, RANK));
        assertEquals(6 + 1, GloraTerms.parameterCount(GloraStructure.parse("vslvv"), query, RANK), "no bias");
        assertEquals(0, GloraTerms.parameterCount(GloraStructure.NONE, conv, RANK));
    }

    @Test
    void settingsAreParsedAndWrongOnesRejected() throws Exception {
        for (String text : List.of("supernet", "vsvsv", "attention=lvnnn;conv=vvvsv")) {
            MethodSettings settings = MethodSettings.of(MethodName.GLORA_TERMS,
                    Map.of(MethodSetting.STRUCTURE, text, MethodSetting.LAYERS, "attention,conv"));
            assertEquals(text, settings.value(MethodSetting.STRUCTURE));
            assertEquals(settings, MethodSettings.parse(settings.name(), settings.entries()));
        }
        TuningMethod mixed = MethodSettings.of(MethodName.GLORA_TERMS,
                Map.of(MethodSetting.STRUCTURE, "conv=vvvsv", MethodSetting.LAYERS, "attention,conv")).method();
        assertTrue(mixed.tunes(layers().get(1)));
        assertFalse(mixed.tunes(layers().get(3)));
        for (String wrong : List.of("lv", "xxxxx", "nnsnn", "nnnln", "attention=", "=lllvv", "", "lllvvv"))
            assertTrue(assertThrows(IllegalArgumentException.class,
                    () -> MethodSettings.of(MethodName.GLORA_TERMS, Map.of(MethodSetting.STRUCTURE, wrong)), wrong)
                    .getMessage()
                    .matches("(structure|layers): .*"), wrong);
    }
}
