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

/// What a finished run came to.
/// @param parameterCount    numbers tuned
/// @param adapterFile    its file
/// @param seconds    training time without the time in which it was stopped
/// @param loss       mean loss of the last steps; empty where it is no finite number
/// @param parameterShare      numbers tuned over the UNet's parameters
/// @param steps      steps trained; fewer than asked for where the run ended early
/// @param peakMemory most resident bytes of the process
/// @param bestStep       the step whose numbers are the adapter, the best by validation; empty: the last one's
public record TrainingReport(long parameterCount, AdapterFileInfo adapterFile, double seconds, int steps,
        OptionalDouble loss, double parameterShare, long peakMemory, OptionalInt bestStep) {
    /// A file that was written.
    /// @param bytes  its size
    /// @param sha256 of all of it, in hexadecimal; reports of older versions have none
    public record AdapterFileInfo(long bytes, Optional<String> sha256) {}

    public static TrainingReport read(Path file) throws Failure {
        Json json = Json.read(file);
        AdapterFileInfo adapter = new AdapterFileInfo(json.integer("bytes"),
                json.find("sha256", "a SHA-256", Json::string));
        Optional<Double> loss = json.find("loss", "a number or null", Json::number);
        return new TrainingReport(json.integer("numbers"), adapter, json.number("seconds"),
                json.integer("steps", 0, Integer.MAX_VALUE),
                loss.isPresent() ? OptionalDouble.of(loss.get()) : OptionalDouble.empty(),
                json.number("share"), json.integer("peakMemory"),
                json.has("best") ? OptionalInt.of(json.integer("best", 0, Integer.MAX_VALUE)) : OptionalInt.empty());
    }

    public void write(Path file) throws Failure {
        JsonObject json = new JsonObject();
        json.addProperty("numbers", parameterCount);
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

    /// Bytes of the adapter's file.
    public long bytes() {
        return adapterFile.bytes;
    }
}
