package atomstudio.diffusion.onnx;

import atomstudio.diffusion.engine.ProviderDevice;
import atomstudio.diffusion.engine.ProviderDevice.Hardware;
import com.google.gson.JsonObject;
import java.util.Map;

/// The options of a session on an execution provider. Only OpenVINO's are known: other providers compute with their
/// own, in the graph's float32.
/// @param weightBytes size of the network's weights
record ProviderOptions(ProviderDevice device, int threads, long weightBytes) {
    /// OpenVINO's properties, as JSON by device. All others are ignored with a warning.
    private static final String LOAD_CONFIG = "load_config";
    /// A compiled network contains its weights. On a processor large ones are read from the cache as slowly as they are
    /// compiled (docs/decisions/providers.md).
    private static final long MAX_CACHED_BYTES = 256L << 20;

    /// @param metadata that the runtime reports for the device
    Map<String, String> entries(Map<String, String> metadata) {
        Hardware hardware = device.hardware();
        if (!device.takesPrecision()) return Map.of();
        JsonObject properties = new JsonObject();
        properties.addProperty("PERFORMANCE_HINT", "LATENCY");
        String precision = switch (device.precision()) {
            case FLOAT32 -> "f32";
            case FLOAT16 -> "f16";
            case BFLOAT16 -> "bf16";
        };
        properties.addProperty("INFERENCE_PRECISION_HINT", precision);
        boolean isProcessor = hardware.kind() == Hardware.Kind.CPU;
        if (isProcessor) properties.addProperty("INFERENCE_NUM_THREADS", Integer.toString(threads));
        if (!isProcessor || weightBytes <= MAX_CACHED_BYTES)
            device.compileCache()
                    // Networks are found there by their graph and weights alone, not by their precision.
                    .ifPresent(folder -> properties.addProperty("CACHE_DIR", folder.resolve(precision).toString()));
        JsonObject config = new JsonObject();
        config.add(metadata.getOrDefault("ov_device", hardware.kind().name()), properties);
        return Map.of(LOAD_CONFIG, config.toString());
    }
}
