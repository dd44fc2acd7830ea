package atomstudio.tuning.run;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.Sha256;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.tuning.adapter.AdapterFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// A run as it lies on disk: read by window, export and comparison, written by `TrainingService` alone.
public record RunFolder(Path folder) {
    public RunFolder {
        folder = folder.toAbsolutePath().normalize();
    }

    /// Whether there is a run here at all.
    public boolean exists() {
        return Files.isRegularFile(file("run.json"));
    }

    /// @throws Failure.Unreadable when there is no run here, or its description is damaged
    public RunInfo info() throws Failure {
        if (!exists())
            throw new Failure.Unreadable(folder + ": expected a run folder with run.json, found "
                    + (Files.isDirectory(folder) ? "none in it" : "nothing") + "; `tune --out` makes one");
        return RunInfo.read(file("run.json"));
    }

    public Status status() {
        if (RunLock.isHeld(folder)) return Status.RUNNING;
        return Files.isRegularFile(reportFile()) && Files.isRegularFile(adapter()) ? Status.FINISHED
                : Status.UNFINISHED;
    }

    /// Steps that the checkpoint holds; 0 where there is none yet.
    public int checkpointStep() throws Failure {
        return Files.isRegularFile(checkpoint()) ? readOwn(checkpoint()).training().steps() : 0;
    }

    /// Checks that the adapter and the checkpoint, where there are any, are this run's and not damaged.
    public void requireConsistent(RunInfo info) throws Failure {
        for (Path file : List.of(adapter(), checkpoint())) {
            if (!Files.isRegularFile(file)) continue;
            try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
                info.requireBelongs(AdapterFile.of(tensors), file);
                if (file.equals(checkpoint())) TrainingState.validate(tensors, info);
            }
        }
        requireReportedHash();
    }

    /// Checks that the adapter is the one of which the report gives the hash.
    private void requireReportedHash() throws Failure {
        Optional<String> hash = trainingReport().flatMap(report -> report.adapterFile().sha256());
        if (hash.isEmpty() || !Files.isRegularFile(adapter())) return;
        String found = Sha256.of(adapter());
        if (!found.equals(hash.get())) {
            throw new Failure.Unreadable(adapter() + ": expected the adapter that report.json tells of (SHA-256 "
                    + hash.get() + "), found another (" + found + "); put it back, or train the run again");
        }
    }

    private AdapterFile readOwn(Path file) throws Failure {
        AdapterFile adapter = AdapterFile.read(file);
        if (exists()) info().requireBelongs(adapter, file);
        return adapter;
    }

    /// The result of a finished run.
    public Optional<TrainingReport> trainingReport() throws Failure {
        return Files.isRegularFile(reportFile()) ? Optional.of(TrainingReport.read(reportFile())) : Optional.empty();
    }

    /// The adapter of a finished run, or what its last checkpoint holds; empty before the first.
    public Optional<AdapterFile> latestAdapter() throws Failure {
        boolean finished = status() == Status.FINISHED;
        if (finished) requireReportedHash();
        Path file = finished ? adapter() : checkpoint();
        return Files.isRegularFile(file) ? Optional.of(readOwn(file)) : Optional.empty();
    }

    /// What has happened so far.
    public List<TrainingEvent.Timed> events() throws Failure {
        return EventLog.read(eventLog());
    }

    /// Loss, previews and timings, a line each: for readers that follow it.
    public Path eventLog() {
        return file("events.jsonl");
    }

    public Path adapter() {
        return file("adapter.safetensors");
    }

    /// The prepared pictures.
    public Path photos() {
        return file("pictures");
    }

    /// The prepared masks, named as their pictures.
    public Path masks() {
        return file("masks");
    }

    /// The prepared pictures of other members of the class.
    public Path classImages() {
        return file("prior");
    }

    /// The adapter at the best validation.
    public Path bestAdapter() {
        return file("best.safetensors");
    }

    /// What the network's lower part says of noisy pictures, while the run goes on.
    public Path featureCache() {
        return file("bank");
    }

    public Path checkpoint() {
        return file("checkpoint.safetensors");
    }

    public Path reportFile() {
        return file("report.json");
    }

    public Path infoFile() {
        return file("run.json");
    }

    public Path file(String name) {
        return folder.resolve(name);
    }

    /// Whether a run has ended, can go on, or is going on in some process right now.
    public enum Status { FINISHED, UNFINISHED, RUNNING }
}
