package atomstudio.app.cli;

import atomstudio.app.jobs.RunExport;
import atomstudio.app.jobs.RunExport.Existing;
import atomstudio.diffusion.Failure;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `studio export`: a run's adapter as one file.
@Command(
        name = "export",
        description = "Writes what a run has learned to one file; of an unfinished run the last checkpoint.",
        footer = {
            "",
            "Examples:",
            "  studio export runs/car --out car.safetensors",
            "  studio export runs/car --out car.safetensors --overwrite"
        })
final class ExportCommand implements Callable<Integer>, WithoutNatives {
    private final Studio studio;

    @Parameters(paramLabel = "RUN", description = "The run's folder.")
    private Path run = Path.of("");

    @Option(names = "--out", required = true, paramLabel = "FILE", description = "The file to write, usually NAME.safetensors.")
    private Path out = Path.of("");

    @Option(names = "--overwrite", description = "Replace a file that is there.")
    private boolean overwrite;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    ExportCommand(Studio studio) {
        this.studio = studio;
    }

    @Override
    public Integer call() throws Failure {
        RunExport export = RunExport.write(run, out, overwrite ? Existing.REPLACE : Existing.REFUSE);
        if (!export.finished()) {
            studio.terminal().note(export.remark());
        }
        studio.terminal().result(json ? asJson(export).toString() : out + "  %,d numbers".formatted(export.numbers()));
        return ExitCode.DONE;
    }

    private static JsonObject asJson(RunExport export) {
        JsonObject object = new JsonObject();
        object.addProperty("file", export.file().toString());
        object.addProperty("step", export.step());
        object.addProperty("steps", export.steps());
        object.addProperty("numbers", export.numbers());
        object.addProperty("finished", export.finished());
        return object;
    }
}
