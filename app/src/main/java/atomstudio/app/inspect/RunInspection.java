package atomstudio.app.inspect;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import atomstudio.diffusion.sample.Seed;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.RunInfo;
import atomstudio.tuning.run.TrainingReport;
import com.google.gson.JsonObject;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/// Runs: settings, progress and report.
final class RunInspection {
    private RunInspection() {}

    static Inspection of(Path folder) throws Failure {
        RunFolder run = new RunFolder(folder);
        RunInfo info = run.info();
        JsonObject json = new JsonObject();
        json.addProperty("kind", "run");
        json.addProperty("status", run.status().name().toLowerCase(Locale.ROOT));
        json.addProperty("method", info.method().name());
        json.addProperty("trainable parameters", info.parameterCount());
        json.addProperty("subject", info.subject().token() + " " + info.subject().className());
        json.addProperty("photos", info.subject().photos().size());
        json.addProperty("base model", info.baseModel().name());
        json.addProperty("base hash", info.baseModel().hash());
        json.addProperty("step", run.latestAdapter().map(adapter -> adapter.training().steps()).orElse(0));
        json.addProperty("steps", info.config().steps());
        json.addProperty("learning rate", info.config().learningRate());
        json.addProperty("batch size", info.config().batchSize());
        json.addProperty("seed", new BigInteger(Seed.format(info.config().seed())));
        json.addProperty("created", info.created());
        Optional<TrainingReport> report = run.trainingReport();
        if (report.isPresent()) {
            json.addProperty("adapter bytes", report.get().bytes());
            report.get().adapterFile().sha256().ifPresent(hash -> json.addProperty("adapter sha256", hash));
            json.addProperty("seconds", report.get().seconds());
            json.add("loss", Json.numberOrNull(report.get().loss().orElse(Double.NaN)));
            json.addProperty("share of the UNet", report.get().parameterShare());
        }
        return Inspection.of(json);
    }
}
