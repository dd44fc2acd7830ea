package atomstudio.app.provider;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import com.google.gson.JsonObject;

/// What a device was measured to do with the embedded model.
/// @param secondsPerStep median time of the UNet in a guided step
/// @param error largest difference from float32 on the CPU, relative to the largest value; infinite if a value is not
///     finite
public record Measurement(Key key, double secondsPerStep, double error) {
    /// From this error on images differ visibly; such a device is not chosen automatically.
    private static final double MAX_ERROR = 0.1;

    /// What a measurement depends on.
    /// @param plugin name and version of the added provider; empty for a built-in device
    /// @param runtime version of ONNX Runtime
    /// @param machine processor and number of threads
    public record Key(String device, String plugin, String runtime, String machine) {}

    boolean isAccurate() { return error <= MAX_ERROR; }

    public JsonObject toJson() {
        JsonObject json = new JsonObject();
        json.addProperty("device", key.device);
        json.addProperty("plugin", key.plugin);
        json.addProperty("runtime", key.runtime);
        json.addProperty("machine", key.machine);
        json.addProperty("secondsPerStep", secondsPerStep);
        json.add("error", Json.numberOrNull(error));
        return json;
    }

    static Measurement read(Json json) throws Failure {
        Key key = new Key(json.string("device"), json.string("plugin"), json.string("runtime"),
                json.string("machine"));
        return new Measurement(key, json.number("secondsPerStep"),
                json.find("error", "a number", Json::number).orElse(Double.POSITIVE_INFINITY));
    }
}
