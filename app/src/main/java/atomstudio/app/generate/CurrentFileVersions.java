package atomstudio.app.generate;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.jobs.Jobs;
import java.nio.file.Path;
import java.util.Set;
import java.util.function.Consumer;

/// The versions of the files that a page's images are made with, read in the background. Window's thread.
public final class CurrentFileVersions {
    private final Jobs jobs;
    private final Consumer<String> problems;
    private FileVersions versions = FileVersions.NONE;
    private int running;

    public CurrentFileVersions(Jobs jobs, Consumer<String> problems) {
        this.jobs = jobs;
        this.problems = problems;
    }

    public FileVersions get() {
        return versions;
    }

    public boolean isReading() { return running > 0; }

    public boolean contains(Set<Path> files) {
        return files.stream().allMatch(versions::isKnown);
    }

    /// @param onRead called when [#get] has the versions of these files
    public void read(Set<Path> files, Runnable onRead) {
        running++;
        jobs.start(text("generate.reading-file-dates"), cancellation -> FileVersions.read(files), found -> {
            running--;
            versions = found;
            onRead.run();
        }, message -> {
            running--;
            problems.accept(message);
        });
    }
}
