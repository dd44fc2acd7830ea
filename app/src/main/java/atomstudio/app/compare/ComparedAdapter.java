package atomstudio.app.compare;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.dataset.Subject;
import atomstudio.app.generate.ImageSettings.SelectedAdapter;
import atomstudio.app.process.RunSpec;
import atomstudio.app.runs.RunSummary;
import atomstudio.diffusion.Failure;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.AdapterSource;
import atomstudio.tuning.run.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// What a row of a comparison adds to the base model.
public sealed interface ComparedAdapter {
    String title();

    /// Empty: the base model.
    Optional<Path> file();

    /// The words in the place of the subject in the row's prompts.
    String phrase(Subject subject);

    /// 0 for the base model.
    long parameters();

    /// Size of the file; 0 for the base model.
    long bytes();

    /// Name of the run's folder; empty without a run.
    default String runName() {
        return "";
    }

    /// The base model alone, which gets the class word.
    record BaseModel() implements ComparedAdapter {
        @Override
        public String title() {
            return text("compare.base");
        }

        @Override
        public Optional<Path> file() {
            return Optional.empty();
        }

        @Override
        public String phrase(Subject subject) {
            return subject.className();
        }

        @Override
        public long parameters() {
            return 0;
        }

        @Override
        public long bytes() {
            return 0;
        }
    }

    /// An adapter of a finished run, which gets the trigger word and class that it was trained with.
    /// @param checkpoint empty: the run's result
    record OfRun(RunSummary run, Optional<RunCheckpoint> checkpoint) implements ComparedAdapter {
        public OfRun(RunSummary run) {
            this(run, Optional.empty());
        }

        @Override
        public String title() {
            return run.title() + checkpoint.map(one -> " · " + one.title()).orElse("");
        }

        @Override
        public Optional<Path> file() {
            return Optional.of(checkpoint.map(RunCheckpoint::file).orElseGet(run::adapter));
        }

        @Override
        public String phrase(Subject subject) {
            return run.spec().phrase().text();
        }

        @Override
        public long parameters() {
            return run.report().orElseThrow().parameterCount();
        }

        @Override
        public long bytes() {
            return run.report().orElseThrow().bytes();
        }

        @Override
        public String runName() {
            return run.folder().getFileName().toString();
        }
    }

    /// A checkpoint of a run that is training, or was when it was read.
    /// @param path a copy: the run replaces its checkpoint
    record OfTraining(RunSpec run, Path path, int step, long parameters, long bytes) implements ComparedAdapter {
        private static final String FOLDER = "compared";

        /// The folder of a run's copies.
        static Path copies(Path run) {
            return run.resolve(FOLDER);
        }

        /// The newest checkpoint. For job threads.
        static OfTraining read(RunSpec run) throws Failure {
            AdapterFile adapter = AdapterFile.read(new RunFolder(run.folder()).checkpoint());
            int step = adapter.training().steps();
            Path copy = copies(run.folder()).resolve("step-%06d.safetensors".formatted(step));
            if (!Files.isRegularFile(copy)) adapter.write(copy);
            return new OfTraining(run, copy, step, adapter.parameterCount(), adapter.fileSize());
        }

        @Override
        public String title() {
            return run.title() + " · " + text("compare.step", step);
        }

        @Override
        public Optional<Path> file() {
            return Optional.of(path);
        }

        @Override
        public String phrase(Subject subject) {
            return run.phrase().text();
        }

        @Override
        public String runName() {
            return run.folder().getFileName().toString();
        }
    }

    /// An adapter file from anywhere.
    /// @param words its trigger words; empty if unknown: it then gets the class word
    record OfFile(Path path, String words, long parameters, long bytes) implements ComparedAdapter {
        /// Reads the metadata of the file.
        static OfFile read(Path path) throws Failure {
            List<AdapterSource.NamedAdapter> found = AdapterSource.read(path);
            String words = found.stream()
                    .map(one -> one.source().triggerWords())
                    .filter(phrase -> !phrase.isEmpty())
                    .findFirst()
                    .orElse("");
            try {
                return new OfFile(path, words, found.stream().mapToLong(one -> one.source().parameterCount()).sum(),
                        Files.size(path));
            } catch (IOException e) {
                throw new Failure.Unreadable(path + ": cannot be read: " + e.getMessage(), e);
            }
        }

        @Override
        public String title() {
            return new SelectedAdapter(path, 1).name();
        }

        @Override
        public Optional<Path> file() {
            return Optional.of(path);
        }

        @Override
        public String phrase(Subject subject) {
            return words.isEmpty() ? subject.className() : words;
        }
    }

    /// An earlier adapter of a run that is still on disk.
    record RunCheckpoint(Path file, int step) {
        public String title() {
            return text("compare.step", step);
        }

        /// The adapters of a run that are on disk, by step: its result, the best and the last. Reads the files.
        static List<RunCheckpoint> of(RunSummary run) throws Failure {
            RunFolder folder = new RunFolder(run.folder());
            Map<Integer, RunCheckpoint> byStep = new TreeMap<>();
            for (Path file : List.of(folder.adapter(), folder.bestAdapter(), folder.checkpoint())) {
                if (!Files.isRegularFile(file)) continue;
                int step = AdapterFile.read(file).training().steps();
                byStep.putIfAbsent(step, new RunCheckpoint(file, step));
            }
            return List.copyOf(byStep.values());
        }
    }
}
