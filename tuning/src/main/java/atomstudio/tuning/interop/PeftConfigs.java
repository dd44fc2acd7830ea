package atomstudio.tuning.interop;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.diffusion.tensor.TensorFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The peft configurations of a file's components: from `lora_adapter_metadata` in the header (diffusers since 0.34) or
/// `adapter_config.json` in the same folder (peft). An α among a layer's tensors takes precedence over both.
public final class PeftConfigs {
    private static final String METADATA_KEY = "lora_adapter_metadata";
    private static final String CONFIG_FILE = "adapter_config.json";
    /// peft's prefixes of keys and of the file that the configuration belongs to.
    private static final String KEY_PREFIX = "base_model.model.";
    private static final String WEIGHTS_FILE_PREFIX = "adapter_model.";
    private static final Map<Component, String> COMPONENTS = Map.of(Component.UNET, "unet.",
            Component.TEXT_ENCODER, "text_encoder.");

    /// Prefixes of a layer's path within its component.
    private static final String COMPONENT_PREFIXES = "^(?:base_model\\.model\\.|unet\\.|text_encoder\\.)*";
    /// Prefixes of text encoder paths; without `text_model.` since transformers 5.
    private static final List<String> TEXT_PATHS = List.of("text_model.", "encoder.layers.");
    /// Key prefixes of programs that store α among the tensors and have no configuration.
    private static final List<String> NON_PEFT_PREFIXES = List.of("lora_unet_", "lora_te", "lycoris_", "unet:",
            "text_encoder:");

    private final Map<Component, PeftConfig> configs;

    private PeftConfigs(Map<Component, PeftConfig> configs) {
        this.configs = configs;
    }

    /// @throws Failure that names the key with an invalid value
    public static PeftConfigs of(TensorFile file) throws Failure {
        String header = file.metadata().get(METADATA_KEY);
        if (header != null) return of(Json.parse(file.file() + ": metadata " + METADATA_KEY, header));
        Path configFile = file.file().toAbsolutePath().resolveSibling(CONFIG_FILE);
        boolean isPeftFile = file.file().getFileName().toString().startsWith(WEIGHTS_FILE_PREFIX)
                || file.tensors().keySet().stream().allMatch(name -> name.startsWith(KEY_PREFIX));
        return isPeftFile && Files.isRegularFile(configFile) ? of(Json.read(configFile)) : new PeftConfigs(Map.of());
    }

    private static PeftConfigs of(Json config) throws Failure {
        Map<Component, PeftConfig> configs = new HashMap<>();
        for (Map.Entry<Component, String> component : COMPONENTS.entrySet()) {
            PeftConfig.parse(config, component.getValue()).ifPresent(each -> configs.put(component.getKey(), each));
        }
        if (configs.isEmpty()) {
            Optional<PeftConfig> single = PeftConfig.parse(config, "");
            if (single.isPresent())
                for (Component component : COMPONENTS.keySet()) configs.put(component, single.get());
        }
        return new PeftConfigs(configs);
    }

    /// The scale factors other than 1, by the key of the tensor to be scaled.
    /// @param tensors by key
    /// @throws IllegalArgumentException if a configuration cannot be applied
    public Map<String, Double> factors(Map<String, Tensor> tensors) {
        Map<String, Double> factors = new TreeMap<>();
        if (configs.isEmpty()) return factors;
        keysByLayer(tensors).forEach((layer, keysByParameter) -> addFactor(layer, keysByParameter, tensors, factors));
        return factors;
    }

    /// Settings of OFT and IA³ as tensors of one number, by the key that [AdapterTensorKey] reads.
    /// @param tensors by key
    /// @throws IllegalArgumentException if a configuration cannot be applied
    public Map<String, Tensor> markers(Map<String, Tensor> tensors) {
        Map<String, Tensor> markers = new TreeMap<>();
        if (configs.isEmpty()) return markers;
        keysByLayer(tensors).forEach((layer, keysByParameter) -> {
            PeftConfig config = config(layer);
            if (config == null) return;
            if (keysByParameter.containsKey(Rotation.PEFT_OFT)) {
                if (config.rotation().terms() != Rotation.DEFAULT_TERMS)
                    markers.put(layer + "." + Rotation.PEFT_OFT_TERMS, number(config.rotation().terms()));
                config.rotation()
                        .limit()
                        .ifPresent(limit -> markers.put(layer + "." + Rotation.PEFT_OFT_LIMIT, number(limit)));
            }
            if (keysByParameter.containsKey(ChannelScale.PEFT))
                markers.put(layer + "." + ChannelScale.ON_INPUT,
                        number(config.feedforward().contains(path(layer)) ? 1 : 0));
        });
        return markers;
    }

    private static Tensor number(double value) {
        return Tensor.filled(Shape.of(), (float) value);
    }

    /// Keys by layer and parameter.
    private static Map<String, Map<String, String>> keysByLayer(Map<String, Tensor> tensors) {
        Map<String, Map<String, String>> layers = new HashMap<>();
        for (String name : tensors.keySet()) {
            AdapterTensorKey key = AdapterTensorKey.parse(name).orElseThrow();
            if (NON_PEFT_PREFIXES.stream().noneMatch(key.layer()::startsWith))
                layers.computeIfAbsent(key.layer(), _ -> new HashMap<>()).put(key.parameter(), name);
        }
        return layers;
    }

    private static String path(String layer) {
        return layer.replaceFirst(COMPONENT_PREFIXES, "");
    }

    private @Nullable PeftConfig config(String layer) {
        boolean isText = layer.contains("text_encoder.") || TEXT_PATHS.stream().anyMatch(path(layer)::startsWith);
        return configs.get(isText ? Component.TEXT_ENCODER : Component.UNET);
    }

    private void addFactor(String layer, Map<String, String> keysByParameter, Map<String, Tensor> tensors,
            Map<String, Double> factors) {
        PeftConfig config = config(layer);
        Optional<String> scaledParameter = Stream.of(AdapterKind.UP, "hada_w2_a", "lokr_w1", "lokr_w1_b")
                .filter(keysByParameter::containsKey)
                .findFirst();
        if (config == null || scaledParameter.isEmpty() || keysByParameter.containsKey(AdapterKind.ALPHA)) return;
        Optional<String> rankParameter = Stream.of(AdapterKind.DOWN, "hada_w1_b")
                .filter(keysByParameter::containsKey)
                .findFirst();
        OptionalDouble rank = rankParameter.map(parameter -> rankOf(tensors.get(keysByParameter.get(parameter))))
                .orElse(OptionalDouble.empty());
        double factor = config.scale(path(layer), rank);
        if (factor != 1) factors.put(keysByParameter.get(scaledParameter.get()), factor);
    }

    private static OptionalDouble rankOf(Tensor tensor) {
        return tensor.shape().rank() < 1 || tensor.shape().size(0) < 1 ? OptionalDouble.empty()
                : OptionalDouble.of(tensor.shape().size(0));
    }
}
