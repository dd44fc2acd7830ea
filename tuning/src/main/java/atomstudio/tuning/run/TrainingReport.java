package atomstudio.tuning.run;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.json.Json;
import com.google.gson.JsonObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/// The result of a finished run: `report.json`.
/// @param parameterCount trainable parameters
/// @param seconds        training time without interruptions
/// @param steps          trained steps; fewer than requested after early stopping
/// @param loss           moving average of the loss at the end; empty if not finite
/// @param parameterShare trainable parameters over the UNet's
/// @param peakMemory     peak resident bytes of the process
/// @param bestStep       step of the adapter, if it is the best by validation; empty: the last one
public record TrainingReport(long parameterCount, AdapterFileInfo adapterFile, double seconds, int steps,
        OptionalDouble loss, double parameterShare, long peakMemory, OptionalInt bestStep) {
    /// @param sha256 of the file, hexadecimal; missing in reports of older versions
    public record AdapterFileInfo(long bytes, Optional<String> sha256) {}

    public static TrainingReport read(Path file) throws Failure {
        Json json = Json.read(file);
        AdapterFileInfo adapter = new AdapterFileInfo(json.integer("bytes"),
                json.find("sha256", "a SHA-256", Json::string));
        Optional<Double> loss = json.find("loss", "a number or null", Json::number);
        return new TrainingReport(parameterCount(json), adapter, json.number("seconds"),
                json.integer("steps", 0, Integer.MAX_VALUE),
                loss.isPresent() ? OptionalDouble.of(loss.get()) : OptionalDouble.empty(),
                json.number("share"), json.integer("peakMemory"),
                json.has("best") ? OptionalInt.of(json.integer("best", 0, Integer.MAX_VALUE)) : OptionalInt.empty());
    }

    /// Older versions write `numbers` only.
    static long parameterCount(Json json) throws Failure.Unreadable {
        return json.integer(json.has("parameters") ? "parameters" : "numbers");
    }

    /// Under today's key and the one that older versions read.
    static void addParameterCount(JsonObject json, long parameterCount) {
        json.addProperty("parameters", parameterCount);
        json.addProperty("numbers", parameterCount);
    }

    public void write(Path file) throws Failure {
        JsonObject json = new JsonObject();
        addParameterCount(json, parameterCount);
        json.addProperty("bytes", adapterFile.bytes);
        adapterFile.sha256.ifPresent(hash -> json.addProperty("sha256", hash));
        json.add("seconds", Json.numberOrNull(seconds));
        json.addProperty("steps", steps);
        json.add("loss", Json.numberOrNull(loss.orElse(Double.NaN)));
        json.add("share", Json.numberOrNull(parameterShare));
        json.addProperty("peakMemory", peakMemory);
        bestStep.ifPresent(step -> json.addProperty("best", step));
        AtomicFile.write(file, out -> out.write((json + "\n").getBytes(StandardCharsets.UTF_8)));
    }

    /// Size of the adapter's file.
    public long bytes() {
        return adapterFile.bytes;
    }
}
