package atomstudio.diffusion.model;

import atomstudio.diffusion.Shared;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// The reference's smallest model, of the layout of Stable Diffusion 1.x or 2.x, with a tokenizer of single
/// characters beside it.
public final class TinyModel {
    private TinyModel() {}

    /// The part of the model that the project keeps for its tests, without a tokenizer.
    public static Path reference(String name) {
        return Shared.root().resolve("diffusion/src/test/resources/goldens/nets/" + name + "/model");
    }

    /// A model folder that images can be sampled with.
    public static DiffusionModel make(Path folder, String name) throws Exception {
        copy(reference(name), folder);
        tokenizer(folder);
        return DiffusionModel.open(folder);
    }

    /// A tokenizer of single letters.
    static void tokenizer(Path folder) throws IOException {
        Files.createDirectories(folder.resolve("tokenizer"));
        JsonObject vocabulary = new JsonObject();
        int id = 0;
        for (String end : List.of("", "</w>")) for (char c = 'a'; c <= 'z'; c++) vocabulary.addProperty(c + end, id++);
        vocabulary.addProperty("<|startoftext|>", 998);
        vocabulary.addProperty("<|endoftext|>", 999);
        Files.writeString(folder.resolve("tokenizer/vocab.json"), vocabulary.toString());
        Files.writeString(folder.resolve("tokenizer/merges.txt"), "#version: 0.2\n");
        Files.writeString(folder.resolve("tokenizer/tokenizer_config.json"), "{\"model_max_length\": 77}");
    }

    private static void copy(Path from, Path to) throws IOException {
        try (var files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Path target = to.resolve(from.relativize(file).toString());
                if (Files.isDirectory(file)) Files.createDirectories(target);
                else Files.copy(file, target);
            }
        }
    }
}
