package atomstudio.app.export;

import atomstudio.app.jobs.RunExport;
import atomstudio.diffusion.Failure;
import atomstudio.tuning.adapter.ExportFormat;
import java.nio.file.Path;

/// The same export as on the command line. The chooser has asked before an existing file is replaced.
public final class RunExporter implements AdapterExporter {
    @Override public String export(Path run, Path file) throws Failure {
        return RunExport.write(run, file, RunExport.Existing.REPLACE, ExportFormat.ATOMSTUDIO).remark();
    }
}
