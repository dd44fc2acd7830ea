package atomstudio.app.cli;

import atomstudio.app.pipeline.LoadedAdapter;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.export.ExportBaseModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Adapters in the order in which they are merged.
/// @param before the adapter on which one of the others was trained
record MergeOrder(List<WeightedAdapter> before, List<WeightedAdapter> adapters) {
    /// @throws Failure.Incompatible if the adapter on which one was trained is not there, or two are needed
    static MergeOrder of(AdapterOptions.LoadedAdapters loaded, ExportBaseModel base, DiffusionModel model)
            throws Failure {
        List<AdapterFile> onMerged = loaded.loaded()
                .stream()
                .map(LoadedAdapter::source)
                .filter(source -> source instanceof AdapterFile file && file.base().merged().isPresent())
                .map(AdapterFile.class::cast)
                .toList();
        if (onMerged.isEmpty()) return new MergeOrder(List.of(), loaded.weights());
        AdapterFile first = onMerged.getFirst();
        for (AdapterFile other : onMerged)
            if (!other.base().merged().equals(first.base().merged()))
                throw new Failure.Incompatible("the adapters were trained on " + first.base().title() + " and on "
                        + other.base().title() + ": merge them one after the other");
        List<WeightedAdapter> before = base.mergedBefore(first, model);
        Set<String> included = before.stream().map(each -> each.adapter().hash()).collect(Collectors.toSet());
        return new MergeOrder(before, loaded.weights()
                .stream()
                .filter(each -> !included.contains(each.adapter().hash()))
                .toList());
    }

    /// The files of the options, and those beside them.
    static List<Path> candidates(List<AdapterOptions.AdapterArgument> arguments) throws Failure {
        Set<Path> files = new LinkedHashSet<>();
        for (AdapterOptions.AdapterArgument argument : arguments) files.add(argument.file().toAbsolutePath());
        for (Path file : List.copyOf(files)) {
            try (Stream<Path> beside = Files.list(file.getParent())) {
                beside.filter(each -> each.toString().matches("(?i).*\\.(safetensors|pt|bin|ckpt)"))
                        .sorted()
                        .forEach(files::add);
            } catch (IOException e) {
                throw new Failure.Unreadable(file.getParent() + ": cannot be listed: " + e.getMessage(), e);
            }
        }
        return List.copyOf(files);
    }
}
