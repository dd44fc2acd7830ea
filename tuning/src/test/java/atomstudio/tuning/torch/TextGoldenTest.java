package atomstudio.tuning.torch;

import static atomstudio.diffusion.TensorAssert.assertClose;

import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.LayerSelector;
import atomstudio.tuning.method.Lora;
import atomstudio.tuning.method.RestrictedMethod;
import atomstudio.tuning.method.TextualInversion;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Both engines against transformers and peft (goldens/text/make.py): LoRA on the text encoder, and rows appended to
/// its embedding.
class TextGoldenTest {
    private static final double TOLERANCE = 1e-5;
    private static DiffusionModel model;
    private static SafetensorsFile golden;
    private static List<Engine> engines;

    @BeforeAll
    static void open() throws Exception {
        model = DiffusionModel.open(TinyModel.reference("sd1"));
        golden = SafetensorsFile.open(Shared.root().resolve("tuning/src/test/resources/goldens/text/sd1.safetensors"));
        engines = List.of(TorchEngine.open(model, Device.CPU, TorchSettings.standard().withThreads(1)).networks(),
                OnnxEngine.open(model, Device.CPU, 1));
    }

    @AfterAll
    static void close() {
        engines.forEach(Engine::close);
        golden.close();
    }

    private static int[][] ids(String name) {
        float[] parameters = golden.read(name).data();
        int[] ids = new int[parameters.length];
        for (int i = 0; i < ids.length; i++) ids[i] = (int) parameters[i];
        return new int[][] {ids};
    }

    @Test
    void loraOnTheTextEncoderMatchesPeft() throws Exception {
        RestrictedMethod form = new RestrictedMethod(new Lora(4, 8), new LayerSelector(List.of("text_model.*_proj")));
        Map<String, Tensor> values = new HashMap<>();
        for (Layer layer : model.trainableLayers()) {
            for (String slot : form.parameterShapes(layer).keySet())
                values.put(layer.name() + "." + slot,
                        golden.read("lora." + layer.name() + ".lora_" + slot + ".weight"));
        }
        check("lora.last_hidden_state", ids("ids.plain"), new Adapter("lora", "lora", form, values));
    }

    @Test
    void appendedRowsMatchTransformersResizedEmbedding() throws Exception {
        Tensor rows = golden.read("rows");
        Map<String, Tensor> values = Map.of(TextualInversion.TOKEN_EMBEDDING + ".start", Tensor.zeros(rows.shape()),
                TextualInversion.TOKEN_EMBEDDING + ".rows", rows);
        check("rows.last_hidden_state", ids("ids"),
                new Adapter("rows", "rows", new TextualInversion(Math.toIntExact(rows.shape().size(0))), values));
    }

    private static void check(String name, int[][] ids, Adapter adapter) throws Exception {
        for (Engine engine : engines) {
            assertClose("base", golden.read("base"), engine.textEncoder().encode(ids("ids.plain"), 1, List.of()),
                    TOLERANCE);
            assertClose(name, golden.read(name),
                    engine.textEncoder().encode(ids, 1, List.of(new WeightedAdapter(adapter, 1))),
                    TOLERANCE);
        }
    }
}
