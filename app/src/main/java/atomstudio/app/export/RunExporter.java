package atomstudio.app.export;

import atomstudio.diffusion.Failure;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.export.AdapterWriter;
import atomstudio.tuning.export.ExportPlan;
import java.nio.file.Path;
import java.util.function.Consumer;

/// Exports of run folders; existing files are replaced, since the file chooser has confirmed it.
public record RunExporter(TrainingEnvironment machine) implements ExportViewModel.Exporter {
    @Override
    public String export(Path run, Path file, AdapterWriter format) throws Failure {
        return AdapterExport.write(run, file, AdapterExport.IfExists.REPLACE, format, machine).warning();
    }

    @Override
    public ExportPlan plan(Path run, Consumer<ExportPlan> onSizes) throws Failure {
        return AdapterExport.plan(run, machine, onSizes);
    }
}
