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

/// Which files of a part's folder hold its weights: one or shards that an index names, safetensors before what PyTorch pickled.
final class WeightFiles {
    private static final List<String> SAFE = List.of("diffusion_pytorch_model", "model", "diffusion_pytorch_model.fp16", "model.fp16");
    private static final List<String> PICKLED = List.of("diffusion_pytorch_model", "pytorch_model", "diffusion_pytorch_model.fp16", "pytorch_model.fp16");

    private static final int MOST_SHARDS = 1000;

    private WeightFiles() {}

    /// @throws Failure.Unreadable when there are none, or too many to tell
    static List<Path> in(Path folder) throws Failure {
        if (!Files.isDirectory(folder)) throw new Failure.Unreadable(folder + ": expected a folder with weights, found nothing");
        List<Path> found;
        try (Stream<Path> list = Files.list(folder)) {
            found = list.filter(Files::isRegularFile).sorted().toList();
        } catch (IOException e) {
            throw new Failure.Unreadable(folder + ": cannot be listed: " + e.getMessage(), e);
        }
        for (Kind kind : List.of(new Kind(".safetensors", SAFE), new Kind(".bin", PICKLED))) {
            Optional<List<Path>> files = kind.in(folder, found);
            if (files.isPresent()) return files.get();
        }
        List<Path> weights = found.stream().filter(file -> file.toString().endsWith(".safetensors")).toList();
        throw new Failure.Unreadable(folder + ": expected diffusion_pytorch_model.safetensors or model.safetensors, found "
                + (weights.isEmpty() ? "no weights" : weights.size() + " safetensors files and no index that names them"));
    }

    /// Files of one ending, and the names that they may have.
    private record Kind(String ending, List<String> stems) {
        Optional<List<Path>> in(Path folder, List<Path> found) throws Failure {
            for (String stem : stems) {
                boolean half = stem.endsWith(".fp16");
                Path index = folder.resolve(stem.replace(".fp16", "") + ending + ".index" + (half ? ".fp16" : "") + ".json");
                if (found.contains(folder.resolve(stem + ending))) return Optional.of(List.of(folder.resolve(stem + ending)));
                if (found.contains(index)) return Optional.of(shards(index));
            }
            List<Path> all = found.stream().filter(file -> file.toString().endsWith(ending)).toList();
            return all.size() == 1 ? Optional.of(all) : Optional.empty();
        }
    }

    private static List<Path> shards(Path index) throws Failure {
        Json map = Json.read(index).object("weight_map");
        TreeSet<String> names = new TreeSet<>();
        for (String tensor : map.object().keySet()) names.add(map.string(tensor));
        if (names.isEmpty()) throw new Failure.Unreadable(index + ": weight_map: expected the files of tensors, found none");
        if (names.size() > MOST_SHARDS) throw new Failure.Unreadable(index + ": weight_map: expected at most " + MOST_SHARDS + " files, found " + names.size());
        List<Path> shards = new ArrayList<>();
        for (String name : names) shards.add(shard(index, name));
        return shards;
    }

    private static Path shard(Path index, String name) throws Failure {
        if (name.contains("/") || name.contains("\\") || name.equals("..")) throw new Failure.Unreadable(index + ": weight_map: " + SafeText.of(name) + " lies outside the folder; expected a file name");
        try {
            return index.resolveSibling(name);
        } catch (InvalidPathException e) {
            throw new Failure.Unreadable(index + ": weight_map: expected a file name, found " + SafeText.of(name), e);
        }
    }
}
