package atomstudio.tuning.config;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.file.Sha256;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.AdapterSource;
import atomstudio.tuning.adapter.BaseModel;
import atomstudio.tuning.adapter.TrainableAdapter;
import atomstudio.tuning.adapter.Trigger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// The adapters that a training starts from: one whose training goes on, and one that is merged into the base model.
public record StartingAdapters(Optional<Continued> continued, Optional<Merged> merged) {
    public static final StartingAdapters NONE = new StartingAdapters(Optional.empty(), Optional.empty());

    /// Configuration that peft writes beside an adapter.
    private static final String PEFT_CONFIG = "adapter_config.json";

    /// An adapter of a kind that is trained here.
    /// @param sha256  of the user's file
    /// @param adapter in this program's format
    public record Continued(String fileName, String sha256, AdapterFile adapter) {
        /// @throws Failure.Incompatible if the file is of a kind that is not trained here, or does not fit the model
        public static Continued read(Path file, DiffusionModel model) throws Failure {
            return new Continued(file.getFileName().toString(), Sha256.of(file), TrainableAdapter.read(file, model));
        }

        /// Its trigger words; files of other programs have none.
        public Optional<Trigger> trigger() {
            return isOwn() ? Optional.of(adapter.trigger()) : Optional.empty();
        }

        /// Whether it was trained by this program, whose files name the base model's weights.
        private boolean isOwn() { return !adapter.base().hash().isEmpty(); }

        /// A warning if the adapter was trained on other weights.
        public Optional<String> warning(DiffusionModel model, BaseModel base) throws Failure {
            if (!isOwn()) return Optional.empty();
            if (!adapter.base().merged().equals(base.merged()))
                return Optional.of(fileName + " was trained on " + adapter.base().title() + ", this run is on "
                        + base.title());
            return adapter.compatibilityWarning(model.name(), model.trainableLayers(), Optional.of(base.hash()))
                    .map(warning -> fileName + ": " + warning);
        }
    }

    /// An adapter of any kind.
    public record Merged(Path file, double weight) {
        public BaseModel.MergedAdapter info() throws Failure {
            return new BaseModel.MergedAdapter(file.getFileName().toString(), Sha256.of(file), weight);
        }

        /// The adapters in the file, for a model.
        /// @throws Failure.Incompatible if one does not fit
        public List<WeightedAdapter> adapters(DiffusionModel model) throws Failure {
            return AdapterSource.weighted(file, weight, model);
        }

        /// Copies the file into a run, with the configuration that belongs to it.
        void copyTo(Path folder) throws Failure {
            for (Path source : List.of(file, file.resolveSibling(PEFT_CONFIG))) {
                if (!Files.isRegularFile(source)) continue;
                Path target = folder.resolve(source.getFileName());
                AtomicFile.write(target, out -> Files.copy(source, out));
            }
        }

        /// The copy in a run.
        /// @throws Failure.Unreadable if it is missing or was changed
        static Merged ofCopy(Path folder, BaseModel.MergedAdapter info) throws Failure {
            Path file = folder.resolve(info.fileName());
            if (!Files.isRegularFile(file) || !Sha256.of(file).equals(info.sha256()))
                throw new Failure.Unreadable(file + ": expected the adapter that the run is trained on (SHA-256 "
                        + info.sha256() + "), found " + (Files.isRegularFile(file) ? "another file" : "none")
                        + "; put it back, or start a new run");
            return new Merged(file, info.weight());
        }
    }

    /// Writes copies into a new run, so that it can be resumed without the user's files.
    public void write(Path continuedFile, Path mergedFolder) throws Failure {
        if (continued.isPresent()) continued.get().adapter().write(continuedFile);
        if (merged.isPresent()) merged.get().copyTo(mergedFolder);
    }

    /// The adapters of a run.
    /// @param info the merged adapter of the run, if any
    public static StartingAdapters ofRun(Path continuedFile, Path mergedFolder,
            Optional<BaseModel.MergedAdapter> info) throws Failure {
        Optional<Continued> continued = Optional.empty();
        if (Files.isRegularFile(continuedFile))
            continued = Optional.of(new Continued(continuedFile.getFileName().toString(), "",
                    AdapterFile.read(continuedFile)));
        return new StartingAdapters(continued,
                info.isPresent() ? Optional.of(Merged.ofCopy(mergedFolder, info.get())) : Optional.empty());
    }

    /// Messages about words of the merged adapter, which are not part of the weights.
    public List<String> warnings() throws Failure {
        if (merged.isEmpty()) return List.of();
        return AdapterSource.read(merged.get().file())
                .stream()
                .flatMap(found -> found.source() instanceof AdapterFile file ? file.embeddingToken().stream()
                        : Stream.empty())
                .map(token -> "only the weights of " + merged.get().file().getFileName() + " are merged: its word \""
                        + token.token() + "\" is not known to this run")
                .toList();
    }
}
