package atomstudio.tuning.classify;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.json.Json;
import atomstudio.tuning.measure.BootstrapInterval;
import com.google.gson.JsonObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.OptionalInt;

/// The result of a finished classifier run: `report.json`.
/// @param parameters     trainable parameters of the method
/// @param headParameters of the head, which is trained with every method
/// @param share          the method's parameters over the backbone's
/// @param accuracy       on the validation images, with its interval
/// @param bestStep       step of the adapter, if it is the best by validation; empty: the last one
public record ClassifierReport(long parameters, long headParameters, double share, int steps, double seconds,
        double loss, BootstrapInterval accuracy, int images, OptionalInt bestStep) {
    public JsonObject json() {
        JsonObject json = new JsonObject();
        json.addProperty("parameters", parameters);
        json.addProperty("headParameters", headParameters);
        json.add("share", Json.numberOrNull(share));
        json.addProperty("steps", steps);
        json.add("seconds", Json.numberOrNull(seconds));
        json.add("loss", Json.numberOrNull(loss));
        json.addProperty("accuracy", accuracy.mean());
        json.addProperty("low", accuracy.low());
        json.addProperty("high", accuracy.high());
        json.addProperty("images", images);
        bestStep.ifPresent(step -> json.addProperty("best", step));
        return json;
    }

    void write(Path file) throws Failure {
        AtomicFile.write(file, out -> out.write((json() + "\n").getBytes(StandardCharsets.UTF_8)));
    }

    static ClassifierReport read(Path file) throws Failure {
        Json json = Json.read(file);
        return new ClassifierReport(json.integer("parameters"), json.integer("headParameters"), json.number("share"),
                json.integer("steps", 0, Integer.MAX_VALUE), json.number("seconds"), json.number("loss"),
                new BootstrapInterval(json.number("accuracy"), json.number("low"), json.number("high")),
                json.integer("images", 0, Integer.MAX_VALUE),
                json.object().has("best") ? OptionalInt.of(json.integer("best", 0, Integer.MAX_VALUE))
                        : OptionalInt.empty());
    }
}
