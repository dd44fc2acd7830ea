package atomstudio.app.hub;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.json.Json;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/// The files of a repository that make one model: a diffusers folder in one precision, or one file.
/// @param choice what distinguishes it from the other plans of the repository
/// @param files in the order of the download: the files by which a folder or file is recognized as a model are last
public record DownloadPlan(HubRepository repository, Choice choice, List<HubFile> files) {
    static final String MODEL_INDEX = "model_index.json";

    /// Which model of a repository.
    public sealed interface Choice {
        /// A diffusers folder.
        /// @param variant such as `fp16`; empty: the files without a variant
        record Folder(String variant) implements Choice {}

        /// A single-file checkpoint.
        record SingleFile(String path) implements Choice {}
    }

    public DownloadPlan {
        files = List.copyOf(files);
    }

    /// Bytes to download.
    public long size() {
        return files.stream().mapToLong(HubFile::size).sum();
    }

    /// For display, in a list of the repository's plans.
    public String title() {
        return switch (choice) {
            case Choice.Folder(String variant) when variant.isEmpty() -> "Folder, as published";
            case Choice.Folder(String variant) when variant.equals("fp16") -> "Folder, half precision (fp16)";
            case Choice.Folder(String variant) -> "Folder, variant " + variant;
            case Choice.SingleFile(String path) -> path;
        };
    }

    /// All plans of a repository: folders first, without a variant before the others; empty if it has no model.
    /// @param modelIndex the content of model_index.json, if the repository has one
    /// @throws Failure.Incompatible if a component has no weights in a supported format
    static List<DownloadPlan> of(HubRepository repository, Optional<Json> modelIndex) throws Failure {
        Set<DownloadPlan> plans = new LinkedHashSet<>();
        if (modelIndex.isPresent()) {
            List<String> components = components(modelIndex.get());
            List<HubFile> published = folderFiles(repository, components, "");
            plans.add(new DownloadPlan(repository, new Choice.Folder(""), published));
            for (String variant : variants(repository, components)) {
                List<HubFile> files = folderFiles(repository, components, variant);
                if (!files.equals(published))
                    plans.add(new DownloadPlan(repository, new Choice.Folder(variant), files));
            }
        }
        for (HubFile file : repository.files()) {
            if (!file.path().contains("/") && file.path().endsWith(".safetensors"))
                plans.add(new DownloadPlan(repository, new Choice.SingleFile(file.path()),
                        singleFile(repository, file)));
        }
        return List.copyOf(plans);
    }

    /// The components with a class; `[null, null]` is a component that the model does not have.
    private static List<String> components(Json modelIndex) {
        return modelIndex.object()
                .entrySet()
                .stream()
                .filter(entry -> entry.getValue().isJsonArray() && !entry.getValue().getAsJsonArray().isEmpty()
                        && !entry.getValue().getAsJsonArray().get(0).isJsonNull())
                .map(Map.Entry::getKey)
                .toList();
    }

    private static Set<String> variants(HubRepository repository, List<String> components) {
        Set<String> variants = new TreeSet<>();
        for (String component : components)
            variants.addAll(new ComponentWeights(filesIn(repository, component)).variants());
        return variants;
    }

    private static List<HubFile> filesIn(HubRepository repository, String folder) {
        return repository.files().stream().filter(file -> file.folder().equals(folder)).toList();
    }

    private static List<HubFile> folderFiles(HubRepository repository, List<String> components, String variant)
            throws Failure {
        List<HubFile> small = new ArrayList<>(rootFiles(repository));
        List<HubFile> weights = new ArrayList<>();
        for (String component : components) {
            List<HubFile> files = filesIn(repository, component);
            ComponentWeights selection = new ComponentWeights(files);
            List<HubFile> selected = selection.select(variant);
            weights.addAll(selected);
            files.stream().filter(DownloadPlan::isText).filter(Predicate.not(selection::isWeights)).forEach(small::add);
            // Every network has a config.json; tokenizers and schedulers have others.
            if (selected.isEmpty() && repository.file(component + "/config.json").isPresent())
                throw new Failure.Incompatible(repository.id() + ": " + SafeText.of(component)
                        + ": expected weights as .safetensors or .bin, found " + ComponentWeights.describe(files));
        }
        small.addAll(weights);
        repository.file(MODEL_INDEX).ifPresent(small::add);
        return small;
    }

    /// The licence, and the name and words that Atom Studio's own models have.
    private static List<HubFile> rootFiles(HubRepository repository) {
        return filesIn(repository, "").stream()
                .filter(file -> file.path().equals("metadata.json")
                        || file.path().toUpperCase(Locale.ROOT).matches("LICEN[SC]E(\\.MD|\\.TXT)?"))
                .toList();
    }

    private static boolean isText(HubFile file) {
        return file.path().endsWith(".json") || file.path().endsWith(".txt") || file.path().endsWith(".model");
    }

    /// A checkpoint, its sidecars, and the repository's tokenizer if it has one.
    private static List<HubFile> singleFile(HubRepository repository, HubFile checkpoint) {
        String stem = checkpoint.path().replaceFirst("\\.safetensors$", "");
        List<HubFile> files = new ArrayList<>(rootFiles(repository));
        for (String sidecar : List.of(stem + ".yaml", stem + ".json"))
            repository.file(sidecar).ifPresent(files::add);
        filesIn(repository, "tokenizer").stream().filter(DownloadPlan::isText).forEach(files::add);
        files.add(checkpoint);
        return files;
    }
}
