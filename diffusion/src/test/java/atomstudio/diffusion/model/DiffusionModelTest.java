package atomstudio.diffusion.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.diffusion.tensor.TorchArchives;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiffusionModelTest {
    private static final String WEIGHTS = "unet/diffusion_pytorch_model.safetensors";

    @TempDir
    Path folder;

    @Test
    void opensTheDefaultModel() throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        for (Component component : model.components().keySet()) {
            try (Checkpoint checkpoint = model.openCheckpoint(component)) {
                long stored = 0;
                for (String name : checkpoint.keys()) stored += checkpoint.info(name).shape().elements();
                long unused = checkpoint.unusedKeys(model.layers(component))
                        .stream()
                        .mapToLong(name -> checkpoint.info(name).shape().elements())
                        .sum();
                assertEquals(stored - unused, Layer.parameterCount(model.layers(component)), component.toString());
            }
        }
        assertTrue(model.knownWords().contains("car"), "words: " + model.knownWords());
    }

    @Test
    void listsMissingAndMismatchingTensors() throws Exception {
        copy("sd1");
        Map<String, Tensor> weights = weights();
        weights.remove("conv_in.weight");
        weights.put("conv_out.bias", Tensor.zeros(Shape.of(5)));
        SafetensorsWriter.write(folder.resolve(WEIGHTS), weights, Map.of());
        Failure.Incompatible failure = assertThrows(Failure.Incompatible.class,
                () -> DiffusionModel.open(folder).openCheckpoint(Component.UNET));
        assertTrue(failure.getMessage().contains("2 tensors do not match"), failure.getMessage());
        assertTrue(failure.getMessage().contains("conv_in.weight: expected (16,4,3,3), found nothing"),
                failure.getMessage());
        assertTrue(failure.getMessage().contains("conv_out.bias: expected (4), found (5)"), failure.getMessage());
    }

    @Test
    void readsShards() throws Exception {
        copy("sd1");
        Map<String, Tensor> weights = weights();
        Map<String, Tensor> first = new LinkedHashMap<>();
        Map<String, Tensor> second = new LinkedHashMap<>();
        StringBuilder map = new StringBuilder();
        for (Map.Entry<String, Tensor> entry : weights.entrySet()) {
            boolean early = first.size() <= weights.size() / 2;
            (early ? first : second).put(entry.getKey(), entry.getValue());
            map.append(map.isEmpty() ? "" : ",")
                    .append('"')
                    .append(entry.getKey())
                    .append("\":\"shard-")
                    .append(early ? 1 : 2)
                    .append(".safetensors\"");
        }
        Files.delete(folder.resolve(WEIGHTS));
        SafetensorsWriter.write(folder.resolve("unet/shard-1.safetensors"), first, Map.of());
        SafetensorsWriter.write(folder.resolve("unet/shard-2.safetensors"), second, Map.of());
        Files.writeString(folder.resolve("unet/diffusion_pytorch_model.safetensors.index.json"),
                "{\"weight_map\":{" + map + "}}");
        try (Checkpoint checkpoint = DiffusionModel.open(folder).openCheckpoint(Component.UNET)) {
            assertEquals(weights.get("conv_in.weight"), checkpoint.read("conv_in.weight"));
            assertEquals(folder.resolve("unet/shard-2.safetensors"),
                    checkpoint.file(List.copyOf(second.keySet()).getLast()));
        }
    }

    @Test
    void mapsOldNamesAndListsUnusedTensors() throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.own("goldens/nets/sd1/model"));
        try (Checkpoint text = model.openCheckpoint(Component.TEXT_ENCODER);
                Checkpoint vae = model.openCheckpoint(Component.VAE)) {
            assertEquals(List.of("text_model.embeddings.position_ids"),
                    text.unusedKeys(model.layers(Component.TEXT_ENCODER)));
            assertTrue(vae.has("decoder.mid_block.attentions.0.to_out.0.weight"));
        }
    }

    @Test
    void rejectsOtherFoldersAndPipelines() throws Exception {
        assertMessage("is not a model folder", Failure.Unreadable.class, folder);
        copy("sd1");
        Files.writeString(folder.resolve("model_index.json"), "{\"_class_name\": \"StableDiffusionXLPipeline\"}");
        assertMessage("StableDiffusionXLPipeline is not supported", Failure.Incompatible.class, folder);
        Files.writeString(folder.resolve("model_index.json"), "not JSON {");
        assertMessage("expected a JSON object", Failure.Unreadable.class, folder);
    }

    @Test
    void rejectsUnsupportedArchitectures() throws Exception {
        copy("sd1");
        Path config = folder.resolve("unet/config.json");
        String original = Files.readString(config);
        Files.writeString(config,
                original.replaceAll("\"addition_embed_type\": null", "\"addition_embed_type\": \"text_time\""));
        assertMessage("addition_embed_type", Failure.Incompatible.class, folder);
        Files.writeString(config, original.replaceAll("\"cross_attention_dim\": \\d+", "\"cross_attention_dim\": 31"));
        assertMessage("text_encoder has 24 features per token, unet expects 31", Failure.Incompatible.class, folder);
        Files.writeString(config, original.replaceAll("\"norm_num_groups\": \\d+", "\"norm_num_groups\": 7"));
        assertMessage("norm_num_groups = 7 does not divide the width 16", Failure.Incompatible.class, folder);
    }

    @Test
    void readsPickledWeightsWithoutSafetensors() throws Exception {
        copy("sd1");
        Map<String, Tensor> weights = weights();
        Files.delete(folder.resolve(WEIGHTS));
        TorchArchives.save(folder.resolve("unet/diffusion_pytorch_model.bin"), weights);
        try (Checkpoint checkpoint = DiffusionModel.open(folder).openCheckpoint(Component.UNET)) {
            assertEquals(weights.get("conv_in.weight"), checkpoint.read("conv_in.weight"));
        }
    }

    @Test
    void sizeProblemNamesNearestValidSize() throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        assertEquals(Optional.empty(), model.sizeProblem(136, 104));
        assertTrue(model.sizeProblem(100, 131).orElseThrow().endsWith("the nearest valid size is 104x128"));
        assertTrue(model.sizeProblem(0, 8).orElseThrow().endsWith("8x8"));
    }

    private static <F extends Failure> void assertMessage(String part, Class<F> kind, Path folder) {
        F failure = assertThrows(kind, () -> DiffusionModel.open(folder));
        assertTrue(failure.getMessage().contains(part), failure.getMessage());
    }

    private Map<String, Tensor> weights() throws Failure {
        Map<String, Tensor> weights = new LinkedHashMap<>();
        try (SafetensorsFile file = SafetensorsFile.open(folder.resolve(WEIGHTS))) {
            for (String name : file.tensors().keySet()) weights.put(name, file.read(name));
        }
        return weights;
    }

    private void copy(String name) throws IOException {
        Path from = Shared.own("goldens/nets/" + name + "/model");
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Path to = folder.resolve(from.relativize(file).toString());
                if (Files.isDirectory(file)) Files.createDirectories(to);
                else Files.copy(file, to);
            }
        }
    }

    @Test
    void messagesNameFileAndKeyOfInvalidValues() throws Exception {
        copy("sd1");
        Map<String, List<String>> wrong = Map.of("layers_per_block",
                List.of("16000000", "[2]", "\"2\"", "1e99", "2.5", "-1", "{}"), "block_out_channels",
                List.of("{}", "[\"a\"]", "[[1]]", "[1e30]"),
                "down_block_types", List.of("7", "[7]", "[]"), "norm_eps", List.of("\"NaN\"", "[]", "1e999"),
                "use_linear_projection", List.of("1", "\"yes\""), "cross_attention_dim", List.of("[1,2]", "true", "0"),
                "sample_size", List.of("[16, 8]", "[]", "[16,16,16]", "1000000", "\"16\""));
        Path config = folder.resolve("unet/config.json");
        JsonObject validConfig = JsonParser.parseString(Files.readString(config)).getAsJsonObject();
        for (Map.Entry<String, List<String>> entry : wrong.entrySet()) {
            for (String value : entry.getValue()) {
                JsonObject changed = validConfig.deepCopy();
                changed.add(entry.getKey(), JsonParser.parseString(value));
                Files.writeString(config, changed.toString());
                String message = assertThrows(Failure.class, () -> DiffusionModel.open(folder),
                        entry.getKey() + " " + value).getMessage();
                assertTrue(message.startsWith(config + ": ") && message.contains(entry.getKey()), message);
            }
        }
    }

    @Test
    void sampleSizeMayBeWrittenAsTwoSides() throws Exception {
        copy("sd1");
        Path config = folder.resolve("unet/config.json");
        int size = DiffusionModel.open(folder).sampleSize();
        JsonObject changed = JsonParser.parseString(Files.readString(config)).getAsJsonObject();
        changed.add("sample_size", JsonParser.parseString("[" + size + "," + size + "]"));
        Files.writeString(config, changed.toString());
        assertEquals(size, DiffusionModel.open(folder).sampleSize());
    }

    @Test
    void rejectsInvalidShardIndex() throws Exception {
        copy("sd1");
        Files.delete(folder.resolve(WEIGHTS));
        Path index = folder.resolve("unet/diffusion_pytorch_model.safetensors.index.json");
        for (String map : List.of("7", "[]", "{}", "{\"conv_in.weight\": 7}", "{\"conv_in.weight\": [\"a\"]}",
                "{\"conv_in.weight\": null}", "{\"conv_in.weight\": \"a\\u0000b\"}", "{\"conv_in.weight\": \"../a\"}",
                "{\"conv_in.weight\": \"..\"}")) {
            Files.writeString(index, "{\"weight_map\": " + map + "}");
            String message = assertThrows(Failure.Unreadable.class,
                    () -> DiffusionModel.open(folder).openCheckpoint(Component.UNET), map).getMessage();
            assertTrue(message.startsWith(index + ": ")
                    && (message.contains("weight_map") || message.contains("conv_in.weight")), message);
        }
    }
}
