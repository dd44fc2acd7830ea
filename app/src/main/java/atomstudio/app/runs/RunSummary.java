package atomstudio.app.runs;

import static atomstudio.app.text.Texts.count;
import static atomstudio.app.text.Texts.text;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.process.RunSpec;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.TrainingReport;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;

/// A run as shown in lists and galleries.
/// @param spec to resume it with
/// @param report present if the run is finished
public record RunSummary(RunSpec spec, Instant created, RunProgress progress, RunFolder.Status status,
        Optional<TrainingReport> report, RunLabel label) {
    /// Without a name and a note.
    public RunSummary(RunSpec spec, Instant created, RunProgress progress, RunFolder.Status status,
            Optional<TrainingReport> report) {
        this(spec, created, progress, status, report, RunLabel.NONE);
    }

    public Path folder() {
        return spec.folder();
    }

    public Path adapter() {
        return new RunFolder(folder()).adapter();
    }

    public boolean isDone() { return status == RunFolder.Status.FINISHED && report.isPresent(); }

    /// The name that the run was given, or its method.
    public String title() {
        return label.name().isEmpty() ? spec.title() : label.name();
    }

    /// `250 steps · today 10:42`, or for an unfinished run `step 100 of 250`.
    public String summary(Instant now) {
        return report.map(
                result -> count("runs.steps", result.steps()) + " · " + DisplayFormat.dateTime(created, now))
                .orElse(text("runs.step-of", progress.step(), Math.max(spec.choices().steps(), progress.steps())));
    }
}
