package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.FileHashes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// A run as it lies on disk: read by window, export and comparison, written by `Tuning` alone.
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
        if (!exists()) throw new Failure.Unreadable(folder + ": expected a run folder with run.json, found " + (Files.isDirectory(folder) ? "none in it" : "nothing") + "; `tune --out` makes one");
        return RunInfo.read(file("run.json"));
    }

    public RunStatus status() {
        if (RunLock.held(folder)) return RunStatus.RUNNING;
        return Files.isRegularFile(report()) && Files.isRegularFile(adapter()) ? RunStatus.FINISHED : RunStatus.UNFINISHED;
    }

    /// Steps that the checkpoint holds; 0 where there is none yet.
    public int step() throws Failure {
        return Files.isRegularFile(checkpoint()) ? own(checkpoint()).training().steps() : 0;
    }

    /// Checks that the adapter and the checkpoint, where there are any, are this run's and not damaged.
    void requireOwn(RunInfo info) throws Failure {
        for (Path file : List.of(adapter(), checkpoint())) {
            if (!Files.isRegularFile(file)) continue;
            try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
                info.requireMade(AdapterFile.of(tensors), file);
                if (file.equals(checkpoint())) TrainingState.check(tensors, info);
            }
        }
        requireReported();
    }

    /// Checks that the adapter is the one of which the report gives the hash.
    private void requireReported() throws Failure {
        Optional<String> hash = result().flatMap(report -> report.adapter().sha256());
        if (hash.isEmpty() || !Files.isRegularFile(adapter())) return;
        String found = FileHashes.compute(adapter());
        if (!found.equals(hash.get())) {
            throw new Failure.Unreadable(adapter() + ": expected the adapter that report.json tells of (SHA-256 " + hash.get() + "), found another (" + found + "); put it back, or train the run again");
        }
    }

    private AdapterFile own(Path file) throws Failure {
        AdapterFile adapter = AdapterFile.read(file);
        if (exists()) info().requireMade(adapter, file);
        return adapter;
    }

    /// The result of a finished run.
    public Optional<Report> result() throws Failure {
        return Files.isRegularFile(report()) ? Optional.of(Report.read(report())) : Optional.empty();
    }

    /// The adapter of a finished run, or what its last checkpoint holds; empty before the first.
    public Optional<AdapterFile> trained() throws Failure {
        boolean finished = status() == RunStatus.FINISHED;
        if (finished) requireReported();
        Path newest = finished ? adapter() : checkpoint();
        return Files.isRegularFile(newest) ? Optional.of(own(newest)) : Optional.empty();
    }

    /// What has happened so far.
    public List<TimedEvent> events() throws Failure {
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
    public Path pictures() {
        return file("pictures");
    }

    /// The prepared masks, named as their pictures.
    Path masks() {
        return file("masks");
    }

    /// The prepared pictures of other members of the class.
    Path prior() {
        return file("prior");
    }

    /// The adapter at the best validation.
    public Path best() {
        return file("best.safetensors");
    }

    /// What the network's lower part says of noisy pictures, while the run goes on.
    Path bank() {
        return file("bank");
    }

    Path checkpoint() {
        return file("checkpoint.safetensors");
    }

    Path report() {
        return file("report.json");
    }

    Path description() {
        return file("run.json");
    }

    Path file(String name) {
        return folder.resolve(name);
    }
}
