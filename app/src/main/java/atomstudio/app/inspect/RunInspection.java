package atomstudio.app.inspect;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import atomstudio.diffusion.sample.Seed;
import atomstudio.tuning.train.Report;
import atomstudio.tuning.train.RunFolder;
import atomstudio.tuning.train.RunInfo;
import com.google.gson.JsonObject;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/// Runs: what is tuned on what, how far it has come, what it came to.
final class RunInspection {
    private RunInspection() {}

    static Inspection of(Path folder) throws Failure {
        RunFolder run = new RunFolder(folder);
        RunInfo info = run.info();
        JsonObject json = new JsonObject();
        json.addProperty("kind", "run");
        json.addProperty("status", run.status().name().toLowerCase(Locale.ROOT));
        json.addProperty("method", info.method().name());
        json.addProperty("numbers tuned", info.numbers());
        json.addProperty("subject", info.subject().token() + " " + info.subject().className());
        json.addProperty("pictures", info.subject().pictures().size());
        json.addProperty("base model", info.base().name());
        json.addProperty("base hash", info.base().hash());
        json.addProperty("step", run.trained().map(adapter -> adapter.training().steps()).orElse(0));
        json.addProperty("steps", info.training().steps());
        json.addProperty("rate", info.training().rate());
        json.addProperty("batch", info.training().batch());
        json.addProperty("seed", new BigInteger(Seed.format(info.training().seed())));
        json.addProperty("created", info.created());
        Optional<Report> report = run.result();
        if (report.isPresent()) {
            json.addProperty("adapter bytes", report.get().bytes());
            report.get().adapter().sha256().ifPresent(hash -> json.addProperty("adapter sha256", hash));
            json.addProperty("seconds", report.get().seconds());
            json.add("loss", Json.numberOrNull(report.get().loss().orElse(Double.NaN)));
            json.addProperty("share of the UNet", report.get().share());
        }
        return Inspection.of(json);
    }
}
