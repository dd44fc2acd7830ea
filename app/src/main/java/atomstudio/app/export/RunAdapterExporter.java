package atomstudio.app.export;

import atomstudio.diffusion.Failure;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.export.ExportFormat;
import java.nio.file.Path;

/// The same export as on the command line. The chooser has asked before an existing file is replaced.
public record RunAdapterExporter(TrainingEnvironment machine) implements ExportViewModel.Exporter {
    @Override
    public String export(Path run, Path file, ExportFormat format) throws Failure {
        return AdapterExport.write(run, file, AdapterExport.IfExists.REPLACE, format, machine).warning();
    }
}
