package atomstudio.app.generate;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.generate.ImageSettings.SelectedAdapter;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.runs.RunProgress;
import atomstudio.app.runs.RunSummary;
import atomstudio.diffusion.Failure;
import atomstudio.tuning.adapter.AdapterSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;

/// What is shown about adapters: those of the finished runs, which can be added to a prompt by name, and those of
/// files, read in the background. Window's thread.
public final class AdapterLibrary {
    private final Jobs jobs;
    private final Supplier<List<AdapterInfo>> runs;
    private final ReadOnlyObjectWrapper<Integer> changes = new ReadOnlyObjectWrapper<>(0);
    private final Map<Path, ReadOnlyObjectWrapper<AdapterInfo>> files = new HashMap<>();

    /// @param detail       the method; empty if unknown
    /// @param triggerWords the words for the prompt; empty if there are none
    /// @param thumbnail    an image file
    public record AdapterInfo(Path file, String title, String detail, String triggerWords, Optional<Path> thumbnail) {
        /// Of a finished run, with its last preview.
        public static AdapterInfo of(RunSummary run, String subject) {
            List<RunProgress.PreviewImage> previews = run.progress().previews();
            return new AdapterInfo(run.adapter(), subject, run.title(), run.spec().phrase().text(),
                    previews.isEmpty() ? Optional.empty()
                            : Optional.of(run.folder().resolve(previews.getLast().file())));
        }
    }

    /// @param runs the finished runs at the time of the call, newest first
    public AdapterLibrary(Jobs jobs, Supplier<List<AdapterInfo>> runs) {
        this.jobs = jobs;
        this.runs = runs;
    }

    public List<AdapterInfo> runs() {
        return runs.get();
    }

    /// The number of files read so far.
    ReadOnlyObjectProperty<Integer> changes() {
        return changes.getReadOnlyProperty();
    }

    /// What is known about an adapter; a file's trigger words follow when they are read.
    public ReadOnlyObjectProperty<AdapterInfo> info(Path file) {
        Optional<AdapterInfo> run = runs().stream().filter(info -> info.file().equals(file)).findFirst();
        ReadOnlyObjectWrapper<AdapterInfo> known = files.computeIfAbsent(file, missing -> {
            ReadOnlyObjectWrapper<AdapterInfo> created = new ReadOnlyObjectWrapper<>(
                    new AdapterInfo(file, new SelectedAdapter(file, 1).name(), "", "", Optional.empty()));
            if (run.isEmpty()) read(created);
            return created;
        });
        run.ifPresent(known::set);
        return known.getReadOnlyProperty();
    }

    /// A file that cannot be read is reported by the generation.
    private void read(ReadOnlyObjectWrapper<AdapterInfo> info) {
        AdapterInfo shown = info.get();
        jobs.start(text("generate.reading", shown.file), cancellation -> readFile(shown), found -> {
            info.set(found);
            changes.set(changes.get() + 1);
        }, unreadable -> {});
    }

    private static AdapterInfo readFile(AdapterInfo shown) throws Failure {
        List<String> words = new ArrayList<>();
        for (AdapterSource.NamedAdapter found : AdapterSource.read(shown.file))
            if (!found.source().triggerWords().isEmpty()) words.add(found.source().triggerWords());
        return new AdapterInfo(shown.file, shown.title, shown.detail, String.join(", ", words),
                thumbnail(shown.file));
    }

    /// The image beside the file, named as in A1111; a PNG with embedded adapters is its own.
    private static Optional<Path> thumbnail(Path file) {
        String name = file.getFileName().toString();
        String stem = name.replaceFirst("\\.[^.]*$", "");
        return Stream.concat(Stream.of(name).filter(own -> own.endsWith(".png")),
                Stream.of(stem + ".preview.png", stem + ".png", stem + ".jpg", stem + ".jpeg"))
                .map(file::resolveSibling)
                .filter(Files::isRegularFile)
                .findFirst();
    }
}
