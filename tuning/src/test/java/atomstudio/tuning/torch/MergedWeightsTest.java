package atomstudio.tuning.torch;

import static atomstudio.diffusion.TensorAssert.assertClose;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Conditioning;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.MethodCategory;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.TuningMethod;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// A model file with the adapter merged into its weights gives the same output as the adapter on the base model.
class MergedWeightsTest {
    private static final double STRENGTH = 0.7;
    @TempDir
    Path folder;

    /// SSF only for layers with a bias: a checkpoint cannot add one.
    static Stream<MethodSettings> methods() {
        return Stream.of(MethodName.values())
                .filter(choice -> choice != MethodName.TEXTUAL_INVERSION
                        && choice.category() != MethodCategory.BRANCHES && choice != MethodName.T_LORA)
                .map(MethodSettings::of)
                .map(method -> method.choice() == MethodName.SSF ? method.with(MethodSetting.LAYERS, "conv") : method);
    }

    @ParameterizedTest @MethodSource("methods")
    void fusedWeightsMatchTheLiveAdapter(MethodSettings settings) throws Exception {
        DiffusionModel model = TinyModel.make(folder.resolve("model"), "sd1");
        DiffusionModel merged = TinyModel.make(folder.resolve("merged"), "sd1");
        TuningMethod method = settings.method();
        WeightedAdapter applied = new WeightedAdapter(EnginesAgreeTest.adapter(model, method, 1), STRENGTH);
        SafetensorsWriter.write(folder.resolve("merged/unet/diffusion_pytorch_model.safetensors"),
                merge(model, method, applied), Map.of());
        Tensor latents = ReferenceOps.random(1, 1, 4, 8, 8);
        Tensor context = ReferenceOps.random(2, 1, 5, model.unet().crossAttentionDim());
        try (Engine live = OnnxEngine.open(model, Device.CPU, 1);
                Engine plain = OnnxEngine.open(merged, Device.CPU, 1)) {
            Tensor expected = live.noisePredictor()
                    .predict(latents, new float[] {321}, Conditioning.of(context), List.of(applied));
            assertClose(method.toString(), expected,
                    plain.noisePredictor().predict(latents, new float[] {321}, Conditioning.of(context), List.of()),
                    2e-5);
        }
    }

    private static Map<String, Tensor> merge(DiffusionModel model, TuningMethod method, WeightedAdapter applied)
            throws Failure {
        Map<String, Tensor> weights = new HashMap<>();
        try (Torch torch = Torch.open(Device.CPU, TorchSettings.standard());
                Checkpoint checkpoint = model.openCheckpoint(Component.UNET);
                TorchScope scope = torch.scope(GradMode.OFF)) {
            for (Layer layer : model.unet().layers()) {
                LayerWeights<NDArray> base = new LayerWeights<>(torch.array(checkpoint.read(layer.weightKey())),
                        layer.hasBias() ? torch.array(checkpoint.read(layer.biasKey())) : null);
                NDArray adapterWeight = torch.array(Tensor.filled(Shape.of(1), (float) STRENGTH));
                LayerWeights<NDArray> tuned = method.tunes(layer) ? method.effective(torch.ops(), layer, base,
                        slot -> torch.array(applied.adapter().parameters().get(layer.name() + "." + slot)),
                        adapterWeight)
                        : base;
                weights.put(layer.weightKey(), torch.tensor(tuned.weight()));
                if (tuned.bias() != null) weights.put(layer.biasKey(), torch.tensor(tuned.bias()));
            }
        }
        return weights;
    }
}
