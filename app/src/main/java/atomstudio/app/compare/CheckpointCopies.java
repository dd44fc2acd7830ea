package atomstudio.app.compare;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.compare.ComparedAdapter.OfTraining;
import atomstudio.app.jobs.Jobs;
import atomstudio.diffusion.Failure;
import atomstudio.tuning.run.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Deletes the copies of checkpoints ([OfTraining]) of runs that have ended. Images of the gallery do not need them:
/// an image has its adapters in itself, or names its run. Window's thread.
final class CheckpointCopies {
    private static final Logger log = LoggerFactory.getLogger(CheckpointCopies.class);

    private final Jobs jobs;
    /// Runs that have ended and may have copies.
    private final Set<Path> ended = new LinkedHashSet<>();
    private boolean deleting;

    CheckpointCopies(Jobs jobs) {
        this.jobs = jobs;
    }

    /// Adds runs whose copies may go; one that trains again keeps its own.
    void addEnded(Collection<Path> runs) {
        ended.addAll(runs);
    }

    /// @param used files that rows or images in the queue still need
    void deleteUnused(Set<Path> used) {
        if (ended.isEmpty() || deleting) return;
        deleting = true;
        Set<Path> runs = Set.copyOf(ended), kept = Set.copyOf(used);
        jobs.start(text("compare.deleting-copies"), cancellation -> {
            Set<Path> done = new HashSet<>();
            for (Path run : runs) if (delete(run, kept)) done.add(run);
            return done;
        }, done -> {
            deleting = false;
            ended.removeAll(done);
        }, message -> {
            deleting = false;
            log.warn("copies of checkpoints were not deleted: {}", message);
        });
    }

    /// @return whether no copy is left that could be deleted later
    private static boolean delete(Path run, Set<Path> kept) throws Failure {
        Path folder = OfTraining.copies(run);
        if (!Files.isDirectory(folder) || new RunFolder(run).status() == RunFolder.Status.RUNNING) return true;
        List<Path> unused = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> found = files.toList();
            found.stream().filter(file -> !kept.contains(file)).forEach(unused::add);
            for (Path file : unused) Files.delete(file);
            if (unused.size() < found.size()) return false;
            Files.delete(folder);
            return true;
        } catch (IOException e) {
            throw new Failure.Unwritable(text("compare.copies-not-deleted", folder, e.getMessage()), e);
        }
    }
}
