package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.json.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;

/// Finds the weight files of a component folder: one file, or the shards of an index; safetensors before PyTorch
/// pickles.
final class WeightFiles {
    private static final List<String> SAFETENSORS_NAMES = List.of("diffusion_pytorch_model", "model",
            "diffusion_pytorch_model.fp16", "model.fp16");
    private static final List<String> PICKLE_NAMES = List.of("diffusion_pytorch_model", "pytorch_model",
            "diffusion_pytorch_model.fp16", "pytorch_model.fp16");

    private static final int MAX_SHARDS = 1000;

    private WeightFiles() {}

    /// @throws Failure.Unreadable when there are none, or several without an index
    static List<Path> find(Path folder) throws Failure {
        if (!Files.isDirectory(folder))
            throw new Failure.Unreadable(folder + ": expected a folder with weights, found nothing");
        List<Path> listing;
        try (Stream<Path> list = Files.list(folder)) {
            listing = list.filter(Files::isRegularFile).sorted().toList();
        } catch (IOException e) {
            throw new Failure.Unreadable(folder + ": cannot be listed: " + e.getMessage(), e);
        }
        for (Format format : List.of(new Format(".safetensors", SAFETENSORS_NAMES), new Format(".bin", PICKLE_NAMES))) {
            Optional<List<Path>> files = format.find(folder, listing);
            if (files.isPresent()) return files.get();
        }
        List<Path> safetensors = listing.stream().filter(file -> file.toString().endsWith(".safetensors")).toList();
        throw new Failure.Unreadable(
                folder + ": expected diffusion_pytorch_model.safetensors or model.safetensors, found "
                        + (safetensors.isEmpty() ? "no weights"
                                : safetensors.size() + " safetensors files without an index"));
    }

    /// A file extension and the file names to search, in order of precedence.
    private record Format(String extension, List<String> names) {
        Optional<List<Path>> find(Path folder, List<Path> listing) throws Failure {
            for (String name : names) {
                boolean isFp16 = name.endsWith(".fp16");
                Path index = folder
                        .resolve(name.replace(".fp16", "") + extension + ".index" + (isFp16 ? ".fp16" : "") + ".json");
                if (listing.contains(folder.resolve(name + extension)))
                    return Optional.of(List.of(folder.resolve(name + extension)));
                if (listing.contains(index)) return Optional.of(shards(index));
            }
            List<Path> candidates = listing.stream().filter(file -> file.toString().endsWith(extension)).toList();
            return candidates.size() == 1 ? Optional.of(candidates) : Optional.empty();
        }
    }

    private static List<Path> shards(Path index) throws Failure {
        Json weightMap = Json.read(index).object("weight_map");
        TreeSet<String> names = new TreeSet<>();
        for (String tensor : weightMap.object().keySet()) names.add(weightMap.string(tensor));
        if (names.isEmpty())
            throw new Failure.Unreadable(index + ": weight_map: expected the tensors' file names, found none");
        if (names.size() > MAX_SHARDS)
            throw new Failure.Unreadable(
                    index + ": weight_map: expected at most " + MAX_SHARDS + " files, found " + names.size());
        List<Path> shards = new ArrayList<>();
        for (String name : names) shards.add(shard(index, name));
        return shards;
    }

    private static Path shard(Path index, String name) throws Failure {
        if (name.contains("/") || name.contains("\\") || name.equals(".."))
            throw new Failure.Unreadable(
                    index + ": weight_map: " + SafeText.of(name) + " is outside the folder; expected a file name");
        try {
            return index.resolveSibling(name);
        } catch (InvalidPathException e) {
            throw new Failure.Unreadable(index + ": weight_map: expected a file name, found " + SafeText.of(name), e);
        }
    }
}
