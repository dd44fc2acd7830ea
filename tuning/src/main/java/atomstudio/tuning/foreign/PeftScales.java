package atomstudio.tuning.foreign;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import atomstudio.diffusion.model.ModelComponent;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.diffusion.tensor.TensorFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;

/// What the configurations of peft that belong to a file say of its adapter's strength: the header's `lora_adapter_metadata`, as diffusers writes
/// it since 0.34, or `adapter_config.json` beside the file, as peft writes it. An α among a layer's tensors counts before both.
public final class PeftScales {
    private static final String HEADER = "lora_adapter_metadata";
    private static final String BESIDE = "adapter_config.json";
    /// How peft begins its tensors' names, and the file that its configuration belongs to.
    private static final String PREFIX = "base_model.model.";
    private static final String FILE = "adapter_model.";
    private static final Map<ModelComponent, String> COMPONENTS = Map.of(ModelComponent.UNET, "unet.", ModelComponent.TEXT_ENCODER, "text_encoder.");

    /// What stands before a layer's path within its component.
    private static final String WITHIN = "^(?:base_model\\.model\\.|unet\\.|text_encoder\\.)*";
    /// How paths of a text encoder begin; without `text_model.` since transformers 5.
    private static final List<String> TEXT_PATHS = List.of("text_model.", "encoder.layers.");
    /// Names of programs that keep α among the tensors and know no configuration.
    private static final List<String> ELSEWHERE = List.of("lora_unet_", "lora_te", "lycoris_", "unet:", "text_encoder:");

    private final Map<ModelComponent, PeftScale> scales;

    private PeftScales(Map<ModelComponent, PeftScale> scales) {
        this.scales = scales;
    }

    /// @throws Failure that names the key which cannot be
    public static PeftScales of(TensorFile file) throws Failure {
        String header = file.metadata().get(HEADER);
        if (header != null) return of(Json.parse(file.file() + ": metadata " + HEADER, header));
        Path beside = file.file().toAbsolutePath().resolveSibling(BESIDE);
        boolean meant = file.file().getFileName().toString().startsWith(FILE) || file.tensors().keySet().stream().allMatch(name -> name.startsWith(PREFIX));
        return meant && Files.isRegularFile(beside) ? of(Json.read(beside)) : new PeftScales(Map.of());
    }

    private static PeftScales of(Json config) throws Failure {
        Map<ModelComponent, PeftScale> scales = new EnumMap<>(ModelComponent.class);
        for (Map.Entry<ModelComponent, String> component : COMPONENTS.entrySet()) {
            PeftScale.read(config, component.getValue()).ifPresent(scale -> scales.put(component.getKey(), scale));
        }
        if (scales.isEmpty()) {
            Optional<PeftScale> alone = PeftScale.read(config, "");
            if (alone.isPresent()) for (ModelComponent part : COMPONENTS.keySet()) scales.put(part, alone.get());
        }
        return new PeftScales(scales);
    }

    /// The factors of the layers that the configurations change, by the name of the tensor that is to be multiplied.
    /// @param tensors by their names in the file
    /// @throws IllegalArgumentException when a configuration cannot be applied
    public Map<String, Double> factors(Map<String, Tensor> tensors) {
        Map<String, Double> factors = new TreeMap<>();
        if (scales.isEmpty()) return factors;
        Map<String, Map<String, String>> layers = new HashMap<>();
        for (String name : tensors.keySet()) {
            TensorName read = TensorName.parse(name).orElseThrow();
            if (ELSEWHERE.stream().noneMatch(read.layer()::startsWith)) layers.computeIfAbsent(read.layer(), _ -> new HashMap<>()).put(read.number(), name);
        }
        layers.forEach((layer, numbers) -> factor(layer, numbers, tensors, factors));
        return factors;
    }

    private void factor(String layer, Map<String, String> numbers, Map<String, Tensor> tensors, Map<String, Double> factors) {
        String path = layer.replaceFirst(WITHIN, "");
        PeftScale scale = scales.get(layer.contains("text_encoder.") || TEXT_PATHS.stream().anyMatch(path::startsWith) ? ModelComponent.TEXT_ENCODER : ModelComponent.UNET);
        Optional<String> multiplied = List.of(ForeignChange.UP, "hada_w2_a", "lokr_w1", "lokr_w1_b").stream().filter(numbers::containsKey).findFirst();
        if (scale == null || multiplied.isEmpty() || numbers.containsKey(ForeignChange.ALPHA)) return;
        Optional<String> ranked = List.of(ForeignChange.DOWN, "hada_w1_b").stream().filter(numbers::containsKey).findFirst();
        OptionalDouble rank = ranked.map(number -> rows(tensors.get(numbers.get(number)))).orElse(OptionalDouble.empty());
        double factor = scale.scale(path, rank);
        if (factor != 1) factors.put(numbers.get(multiplied.get()), factor);
    }

    private static OptionalDouble rows(Tensor tensor) {
        return tensor.shape().rank() < 1 || tensor.shape().size(0) < 1 ? OptionalDouble.empty() : OptionalDouble.of(tensor.shape().size(0));
    }
}
