package atomstudio.app.provider;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.ProviderDevice;
import atomstudio.diffusion.engine.ProviderDevice.Hardware;
import atomstudio.diffusion.engine.ProviderDevice.Precision;
import atomstudio.diffusion.json.Json;
import com.google.gson.JsonObject;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;

/// A device as JSON, in a provider's manifest and between processes.
public final class DeviceJson {
    private DeviceJson() {}

    public static JsonObject write(ProviderDevice device) {
        Hardware hardware = device.hardware();
        JsonObject json = new JsonObject();
        json.addProperty("name", device.name());
        json.addProperty("provider", hardware.provider());
        json.addProperty("vendor", hardware.vendor());
        json.addProperty("kind", option(hardware.kind()));
        json.addProperty("model", hardware.model());
        hardware.memoryBytes().ifPresent(bytes -> json.addProperty("memory", bytes));
        json.addProperty("precision", option(device.precision()));
        return json;
    }

    static ProviderDevice read(Json json) throws Failure {
        Optional<Long> memory = json.find("memory", "a whole number", Json::integer);
        Hardware hardware = new Hardware(json.string("provider"), json.string("vendor"),
                constant(json, "kind", Hardware.Kind.class), json.string("model"),
                memory.map(OptionalLong::of).orElse(OptionalLong.empty()));
        return new ProviderDevice(json.string("name"), hardware, constant(json, "precision", Precision.class));
    }

    private static <E extends Enum<E>> E constant(Json json, String key, Class<E> type) throws Failure {
        return json.get(key, "a " + key, element -> Enum.valueOf(type, Json.string(element).toUpperCase(Locale.ROOT)));
    }

    /// `gpu`, `bfloat16`.
    public static String option(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
