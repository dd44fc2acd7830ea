package atomstudio.app.export;

import atomstudio.diffusion.Failure;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.train.RunFolder;
import atomstudio.tuning.train.RunStatus;
import java.nio.file.Path;

/// Adapters out of run folders.
public final class RunExporter implements AdapterExporter {
    @Override public String export(Path run, Path file) throws Failure {
        RunFolder folder = new RunFolder(run);
        if (folder.status() != RunStatus.FINISHED) throw new Failure.Incompatible(run.getFileName() + " is not finished; resume it first");
        AdapterFile.read(folder.adapter()).write(file);
        return "";
    }
}
