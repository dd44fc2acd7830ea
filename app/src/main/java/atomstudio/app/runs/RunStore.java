package atomstudio.app.runs;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.desktop.FailureText;
import atomstudio.app.process.RunSpec;
import atomstudio.diffusion.Failure;
import atomstudio.tuning.config.TrainingSettings;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.ModelSize;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.RunInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The run folders, named `SUBJECT-METHOD` or `SUBJECT-METHOD-n`. For job threads.
public final class RunStore {
    private static final Logger log = LoggerFactory.getLogger(RunStore.class);
    private static final String METHODS = Stream.of(MethodName.values())
            .map(method -> Pattern.quote(method.option()))
            .collect(Collectors.joining("|"));

    private final Path folder;

    public RunStore(Path folder) {
        this.folder = folder;
    }

    /// The training queue, beside the folder of the runs.
    public QueueFile queue() {
        return new QueueFile(folder.resolveSibling("queue.json"));
    }

    /// A run that cannot be read, and why.
    public record DamagedRun(Path folder, String reason) {}

    /// @param runs newest first
    public record RunListing(List<RunSummary> runs, List<DamagedRun> damaged) {}

    /// Runs of a subject, newest first, without damaged ones.
    public List<RunSummary> list(String subject) throws Failure {
        return listAll(subject).runs;
    }

    /// Runs of a subject.
    public RunListing listAll(String subject) throws Failure {
        if (!Files.isDirectory(folder)) return new RunListing(List.of(), List.of());
        Pattern name = Pattern.compile(Pattern.quote(subject) + "-(" + METHODS + ")(-\\d+)?");
        try (Stream<Path> folders = Files.list(folder)) {
            List<Path> found = folders.filter(path -> name.matcher(path.getFileName().toString()).matches())
                    .sorted()
                    .toList();
            List<RunSummary> runs = new ArrayList<>();
            List<DamagedRun> damaged = new ArrayList<>();
            for (Path path : found) {
                RunFolder run = new RunFolder(path);
                if (!run.exists()) continue;
                try {
                    runs.add(read(subject, run));
                } catch (Failure | IOException | RuntimeException unreadable) {
                    log.warn("damaged run {}", path, unreadable);
                    damaged.add(new DamagedRun(path, reason(unreadable)));
                }
            }
            runs.sort(
                    Comparator.comparing(RunSummary::created).reversed().thenComparing(run -> run.folder().toString()));
            return new RunListing(runs, damaged);
        } catch (IOException e) {
            throw new Failure.Unreadable(text("runs.the-runs-in-cannot-be-listed", folder, e.getMessage()), e);
        }
    }

    private static String reason(Exception unreadable) {
        return unreadable instanceof Failure failure ? FailureText.of(failure)
                : String.valueOf(unreadable.getMessage());
    }

    /// An unused folder name for a new run; the training process creates the folder.
    /// @param reserved names of queued runs
    public Path newFolder(String subject, MethodName method, Collection<Path> reserved) {
        String name = subject + "-" + method.option();
        Path path = folder.resolve(name);
        for (int n = 2; Files.exists(path) || reserved.contains(path); n++) path = folder.resolve(name + "-" + n);
        return path;
    }

    private static RunSummary read(String subject, RunFolder run) throws Failure, IOException {
        RunInfo info = run.info();
        RunSpec.TrainingChoices choices = new RunSpec.TrainingChoices(info.method(),
                TrainingSettings.of(info.config().requested(), info.method(), ModelSize.SMALL));
        RunSpec spec = new RunSpec(subject, info.baseModel().path(), run.photos(),
                new RunSpec.SubjectPhrase(info.subject().className(), info.subject().token()),
                choices, run.folder());
        RunFolder.Status status = run.status();
        RunProgress progress = new EventLogReader(run.eventLog(), RunProgress.initial(RunProgress.RunPhase.CANCELLED))
                .poll();
        if (progress.isActive() && status != RunFolder.Status.RUNNING)
            progress = progress.with(RunProgress.RunPhase.CANCELLED, "");
        return new RunSummary(spec, Instant.parse(info.created()), progress, status, run.trainingReport(),
                RunLabel.read(run.folder()));
    }
}
