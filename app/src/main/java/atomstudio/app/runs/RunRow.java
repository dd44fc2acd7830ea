package atomstudio.app.runs;

import static atomstudio.app.text.Texts.text;

import atomstudio.tuning.run.RunFolder;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A row of the table of runs.
/// @param run null: damaged
record RunRow(@Nullable RunSummary run, RunStore.@Nullable DamagedRun damaged) {
    String title() {
        return run != null ? run.title() : damaged == null ? "" : damaged.folder().getFileName().toString();
    }

    String note() {
        return run != null ? run.label().note() : damaged == null ? "" : damaged.reason();
    }

    String method() {
        return run == null ? "" : run.spec().title();
    }

    String state() {
        if (run == null) return text("runs.state.damaged");
        if (run.status() == RunFolder.Status.RUNNING) return text("runs.state.elsewhere");
        if (run.isDone()) return text("runs.state.done");
        String at = text("runs.step", run.progress().step(),
                Math.max(run.spec().choices().steps(), run.progress().steps()));
        return run.progress().phase() == RunProgress.RunPhase.FAILED ? text("runs.state.failed-at", at)
                : text("runs.state.stopped-at", at);
    }

    boolean contains(String query) {
        return Stream.of(title(), note(), method(), state())
                .anyMatch(part -> part.toLowerCase(Locale.ROOT).contains(query));
    }
}
