package atomstudio.tuning.run;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.file.Sha256;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.config.StartingAdapters;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// The files of a run: read by window, export and comparison, written only by `TrainingService`.
public record RunFolder(Path folder) {
    public RunFolder {
        folder = folder.toAbsolutePath().normalize();
    }

    /// Whether the folder holds a run.
    public boolean exists() {
        return Files.isRegularFile(file("run.json"));
    }

    /// @throws Failure.Unreadable when the folder holds no run, or its description is damaged
    public RunInfo info() throws Failure {
        if (!exists())
            throw new Failure.Unreadable(folder + ": expected a run folder with run.json, found "
                    + (Files.isDirectory(folder) ? "none in it" : "nothing") + "; training creates one");
        return RunInfo.read(file("run.json"));
    }

    /// Rejects a folder with an active run, or with something else.
    /// @param initialFiles that may be there before the run begins
    public void requireUsable(Set<String> initialFiles) throws Failure {
        if (RunLock.isHeld(folder)) throw RunLock.occupied(folder);
        if (exists() || !Files.exists(folder)) return;
        if (!Files.isDirectory(folder))
            throw new Failure.Conflict(folder + ": expected a folder for the run, found a file; choose another folder");
        try (Stream<Path> list = Files.list(folder)) {
            List<String> others = list.filter(file -> !AtomicFile.isPartFile(file))
                    .map(file -> file.getFileName().toString())
                    .filter(name -> !initialFiles.contains(name))
                    .sorted()
                    .toList();
            if (!others.isEmpty())
                throw new Failure.Conflict(folder + ": expected an empty folder or a run, found " + others.getFirst()
                        + (others.size() > 1 ? " and more" : "") + "; choose another folder");
        } catch (IOException e) {
            throw new Failure.Unreadable(folder + ": cannot be listed: " + e.getMessage(), e);
        }
    }

    public Status status() {
        if (RunLock.isHeld(folder)) return Status.RUNNING;
        return Files.isRegularFile(reportFile()) && Files.isRegularFile(adapter()) ? Status.FINISHED
                : Status.UNFINISHED;
    }

    /// Steps at the checkpoint; 0 without one.
    public int checkpointStep() throws Failure {
        return Files.isRegularFile(checkpoint()) ? readAdapter(checkpoint()).training().steps() : 0;
    }

    /// Checks that the adapter and the checkpoint, if present, belong to this run and are not damaged.
    public void requireConsistent(RunInfo info) throws Failure {
        for (Path file : List.of(adapter(), checkpoint())) {
            if (!Files.isRegularFile(file)) continue;
            try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
                RunComparison.requireBelongs(info, AdapterFile.of(tensors), file);
                if (file.equals(checkpoint())) TrainingState.validate(tensors, info);
            }
        }
        requireReportedHash();
    }

    /// Checks the adapter's hash against the report's.
    private void requireReportedHash() throws Failure {
        Optional<String> hash = trainingReport().flatMap(report -> report.adapterFile().sha256());
        if (hash.isEmpty() || !Files.isRegularFile(adapter())) return;
        String found = Sha256.of(adapter());
        if (!found.equals(hash.get())) {
            throw new Failure.Unreadable(adapter() + ": expected the adapter of report.json (SHA-256 "
                    + hash.get() + "), found another (" + found + "); put it back, or train the run again");
        }
    }

    /// Checks that it belongs to this run.
    private AdapterFile readAdapter(Path file) throws Failure {
        AdapterFile adapter = AdapterFile.read(file);
        if (exists()) RunComparison.requireBelongs(info(), adapter, file);
        return adapter;
    }

    /// The report of a finished run.
    public Optional<TrainingReport> trainingReport() throws Failure {
        return Files.isRegularFile(reportFile()) ? Optional.of(TrainingReport.read(reportFile())) : Optional.empty();
    }

    /// The adapter of a finished run, or of its last checkpoint; empty without either.
    public Optional<AdapterFile> latestAdapter() throws Failure {
        boolean finished = status() == Status.FINISHED;
        if (finished) requireReportedHash();
        Path file = finished ? adapter() : checkpoint();
        return Files.isRegularFile(file) ? Optional.of(readAdapter(file)) : Optional.empty();
    }

    public List<TrainingEvent.Timed> events() throws Failure {
        return EventLog.read(eventLog());
    }

    /// Loss, previews and timings, one event per line.
    public Path eventLog() {
        return file("events.jsonl");
    }

    public Path adapter() {
        return file("adapter.safetensors");
    }

    /// The prepared photos.
    public Path photos() {
        return file("pictures");
    }

    /// The prepared masks, named like their photos.
    public Path masks() {
        return file("masks");
    }

    /// The class images.
    public Path classImages() {
        return file("prior");
    }

    /// The adapter at the best validation.
    public Path bestAdapter() {
        return file("best.safetensors");
    }

    /// The cached features of the UNet encoder; deleted at the end of the run.
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

    /// The adapters that the run starts from.
    /// @throws Failure.Unreadable if one is missing or was changed
    public StartingAdapters startingAdapters(RunInfo info) throws Failure {
        if (info.continued().isPresent() && !Files.isRegularFile(continuedAdapter()))
            throw new Failure.Unreadable(continuedAdapter() + ": expected the adapter that the run continues, found "
                    + "none; put it back, or start a new run");
        return StartingAdapters.ofRun(continuedAdapter(), mergedAdapter(), info.baseModel().merged());
    }

    /// The adapter that the run starts from, in this program's format.
    public Path continuedAdapter() {
        return file("from.safetensors");
    }

    /// The folder with a copy of the adapter that is merged into the base model.
    public Path mergedAdapter() {
        return file("on");
    }

    /// Finished, resumable, or running in some process.
    public enum Status { FINISHED, UNFINISHED, RUNNING }
}
