package atomstudio.tuning.export;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdaptedLayer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.interop.KeyConvention;
import atomstudio.tuning.method.MethodSetting;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Writes the LoRA of the UNet and the text encoder for other programs.
/// @param keyStyle the convention of the tensor keys
record LoraExport(KeyStyle keyStyle) {
    /// KOHYA: sd-scripts', for A1111, Forge, ComfyUI, InvokeAI and diffusers. PEFT: diffusers' own.
    enum KeyStyle { KOHYA, PEFT }

    ExportFormat.ExportResult write(AdapterFile adapter, Path file) throws Failure {
        List<AdaptedLayer> layers = adapter.layers().stream().filter(layer -> layer.method().equals("lora")).toList();
        if (layers.isEmpty()) {
            throw new Failure.Incompatible("format " + ExportFormat.of(keyStyle).option()
                    + ": expected an adapter with LoRA, found one of method " + adapter.method().name()
                    + "; export it as " + ExportFormat.recommended(adapter).option());
        }
        Map<String, Tensor> tensors = new TreeMap<>();
        for (AdaptedLayer layer : layers) {
            Tensor down = adapter.values().get(layer.name() + ".A");
            Tensor up = adapter.values().get(layer.name() + ".B");
            double alpha = adapter.method().alpha(down.shape().size(0));
            switch (keyStyle) {
                case KOHYA -> kohya(layer, alpha, down, up, tensors);
                case PEFT -> peft(layer, alpha, down, up, tensors);
            }
        }
        SafetensorsWriter.write(file, tensors, metadata(adapter));
        int otherLayers = adapter.layers().size() - layers.size();
        long elementCount = tensors.values().stream().mapToLong(tensor -> tensor.data().length).sum();
        return new ExportFormat.ExportResult(elementCount, otherLayers == 0 ? Optional.empty()
                : Optional.of("Only the LoRA is exported, without the " + otherLayers + " layers of other methods."));
    }

    private static void kohya(AdaptedLayer layer, double alpha, Tensor down, Tensor up, Map<String, Tensor> tensors) {
        String name = KeyConvention.KOHYA.name(layer.component(), layer.path());
        tensors.put(name + ".lora_down.weight", down);
        tensors.put(name + ".lora_up.weight", up);
        tensors.put(name + ".alpha", new Tensor(Shape.of(), new float[] {(float) alpha}));
    }

    /// α/r is multiplied into B, since not every reader supports α in this format.
    private static void peft(AdaptedLayer layer, double alpha, Tensor down, Tensor up, Map<String, Tensor> tensors) {
        String name = KeyConvention.DIFFUSERS.name(layer.component(), layer.path());
        tensors.put(name + ".lora_A.weight", down);
        tensors.put(name + ".lora_B.weight", up.scaled(alpha / down.shape().size(0)));
    }

    private Map<String, String> metadata(AdapterFile adapter) {
        return switch (keyStyle) {
            case KOHYA -> Map.of("ss_network_module", "networks.lora", "ss_network_dim",
                    adapter.method().value(MethodSetting.RANK), "ss_network_alpha",
                    Double.toString(adapter.method().alpha(adapter.method().rank())),
                    "ss_sd_model_name", adapter.base().name(), "ss_steps", Integer.toString(adapter.training().steps()),
                    "ss_learning_rate", Double.toString(adapter.training().learningRate()));
            case PEFT -> Map.of("format", "pt");
        };
    }
}
