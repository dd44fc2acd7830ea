package atomstudio.diffusion.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.ClipTestModels;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingPlan;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.diffusion.tensor.TensorFile;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A folder and a single file of the same weights and settings are read to the same components, networks, layers,
/// weights and sampling plans.
class ModelReadersLawTest {
    @TempDir
    Path folder;

    @ParameterizedTest @CsvSource({"sd1.ckpt, sd1", "sd2.safetensors, sd2", "inpaint.ckpt, inpaint"})
    void publishedModels(String file, String net) throws Exception {
        Path modelFolder = Shared.own("goldens/nets/" + net + "/model");
        Files.copy(Shared.own("goldens/files/" + file), folder.resolve(file));
        writeSidecar(net, modelFolder, json(Shared.own("goldens/files/" + net + ".json")));
        DiffusionModel one = assertSameModel(modelFolder, folder.resolve(file));
        assertEquals(Set.of(Component.UNET, Component.VAE, Component.TEXT_ENCODER), one.components().keySet());
    }

    @Test
    void modelWithTwoTextEncoders() throws Exception {
        DiffusionModel model = assertSameModel(folderWithTwoTextEncoders(), fileWithTwoTextEncoders());
        Component second = Component.textEncoder(2);
        assertEquals(List.of(Component.UNET, Component.VAE, Component.TEXT_ENCODER, second),
                List.copyOf(model.components().keySet()));
        assertEquals(model.layers(Component.TEXT_ENCODER).stream().map(Layer::path).toList(),
                model.layers(second).stream().map(Layer::path).toList());
        List<String> names = model.trainableLayers().stream().map(Layer::name).toList();
        assertEquals(names.size(), new HashSet<>(names).size(), "names are unique in a model");
        Failure unsupported = assertThrows(Failure.Unsupported.class, () -> OnnxEngine.open(model, Device.CPU, 1));
        assertTrue(unsupported.getMessage().contains("has 2 text encoders"), unsupported.getMessage());
    }

    @Test
    void componentThatTheIndexDoesNotListIsNotRead() throws Exception {
        Path model = folderWithTwoTextEncoders();
        JsonObject index = json(model.resolve("model_index.json"));
        JsonArray none = new JsonArray();
        none.add((String) null);
        none.add((String) null);
        index.add("text_encoder_2", none);
        Files.writeString(model.resolve("model_index.json"), index.toString());
        String message = assertThrows(Failure.Incompatible.class, () -> DiffusionModel.open(model)).getMessage();
        assertTrue(message.contains("has 24 features per token, unet expects 48"), message);
    }

    private static DiffusionModel assertSameModel(Path modelFolder, Path file) throws Exception {
        DiffusionModel expected = DiffusionModel.open(modelFolder);
        DiffusionModel found = DiffusionModel.open(file);
        assertEquals(expected.components().keySet(), found.components().keySet());
        assertEquals(expected.sampleSize(), found.sampleSize());
        for (SamplerName sampler : SamplerName.values()) assertEquals(plan(expected, sampler), plan(found, sampler));
        for (Component component : expected.components().keySet()) {
            assertEquals(expected.components().get(component).network(), found.components().get(component).network());
            assertEquals(expected.layers(component), found.layers(component));
            try (Checkpoint theirs = expected.openCheckpoint(component);
                    Checkpoint mine = found.openCheckpoint(component)) {
                for (Layer layer : expected.layers(component)) {
                    assertEquals(component, layer.component());
                    assertEquals(theirs.read(layer.weightKey()), mine.read(layer.weightKey()), layer.name());
                    if (layer.hasBias())
                        assertEquals(theirs.read(layer.biasKey()), mine.read(layer.biasKey()), layer.name());
                }
            }
        }
        return found;
    }

    private static SamplingPlan plan(DiffusionModel model, SamplerName sampler) throws Failure {
        return SamplingSettings.of(sampler, ScheduleName.AUTOMATIC, 12).plan(model.scheduler());
    }

    /// The settings that a file does not have, with the folder's scheduler.
    private void writeSidecar(String name, Path modelFolder, JsonObject sidecar) throws Exception {
        sidecar.add("scheduler", json(modelFolder.resolve("scheduler/scheduler_config.json")));
        Files.writeString(folder.resolve(name + ".json"), sidecar.toString());
    }

    /// The smallest model of Stable Diffusion 1 with its text encoder twice, the second one with GELU.
    private Path folderWithTwoTextEncoders() throws Exception {
        Path model = folder.resolve("model");
        ClipTestModels.copy(Shared.own("goldens/nets/sd1/model"), model);
        ClipTestModels.copy(model.resolve("text_encoder"), model.resolve("text_encoder_2"));
        JsonObject index = json(model.resolve("model_index.json"));
        index.add("text_encoder_2", index.get("text_encoder"));
        Files.writeString(model.resolve("model_index.json"), index.toString());
        JsonObject second = json(model.resolve("text_encoder_2/config.json"));
        second.addProperty("hidden_act", "gelu");
        Files.writeString(model.resolve("text_encoder_2/config.json"), second.toString());
        JsonObject unet = json(model.resolve("unet/config.json"));
        unet.addProperty("cross_attention_dim", 48);
        Files.writeString(model.resolve("unet/config.json"), unet.toString());
        Path weights = model.resolve("unet/diffusion_pytorch_model.safetensors");
        SafetensorsWriter.write(weights, withDoubledContext(tensors(weights)), Map.of());
        return model;
    }

    /// The same in one file, with the names of Stable Diffusion XL: the second text encoder has OpenCLIP's.
    private Path fileWithTwoTextEncoders() throws Exception {
        Map<String, Tensor> stored = withDoubledContext(tensors(Shared.own("goldens/files/sd1.ckpt")));
        Map<String, Tensor> tensors = new HashMap<>();
        String prefix = "cond_stage_model.transformer.";
        Map<String, Tensor> text = new HashMap<>();
        stored.forEach((name, tensor) -> {
            if (!name.startsWith(prefix)) tensors.put(name, tensor);
            else text.put(name.substring(prefix.length()), tensor);
        });
        text.forEach((name, tensor) -> tensors.put("conditioner.embedders.0.transformer." + name, tensor));
        openClip(text).forEach((name, tensor) -> tensors.put("conditioner.embedders.1.model." + name, tensor));
        JsonObject sidecar = json(Shared.own("goldens/files/sd1.json"));
        JsonObject second = sidecar.getAsJsonObject("text_encoder").deepCopy();
        second.addProperty("hidden_act", "gelu");
        sidecar.add("text_encoder_2", second);
        writeSidecar("two", Shared.own("goldens/nets/sd1/model"), sidecar);
        Path file = folder.resolve("two.safetensors");
        SafetensorsWriter.write(file, tensors, Map.of());
        return file;
    }

    /// OpenCLIP's names of a text encoder, whose query, key and value projections are fused.
    private static Map<String, Tensor> openClip(Map<String, Tensor> text) {
        Map<String, Tensor> names = new HashMap<>();
        names.put("token_embedding.weight", text.get("text_model.embeddings.token_embedding.weight"));
        names.put("positional_embedding", text.get("text_model.embeddings.position_embedding.weight"));
        for (String kind : List.of("weight", "bias")) {
            names.put("ln_final." + kind, text.get("text_model.final_layer_norm." + kind));
            for (int i = 0; text.containsKey("text_model.encoder.layers." + i + ".mlp.fc1.weight"); i++) {
                String layer = "text_model.encoder.layers." + i + ".";
                String block = "transformer.resblocks." + i + ".";
                names.put(block + "ln_1." + kind, text.get(layer + "layer_norm1." + kind));
                names.put(block + "ln_2." + kind, text.get(layer + "layer_norm2." + kind));
                names.put(block + "mlp.c_fc." + kind, text.get(layer + "mlp.fc1." + kind));
                names.put(block + "mlp.c_proj." + kind, text.get(layer + "mlp.fc2." + kind));
                names.put(block + "attn.out_proj." + kind, text.get(layer + "self_attn.out_proj." + kind));
                names.put(block + "attn.in_proj_" + kind,
                        Tensor.concatenate(text.get(layer + "self_attn.q_proj." + kind),
                                text.get(layer + "self_attn.k_proj." + kind),
                                text.get(layer + "self_attn.v_proj." + kind)));
            }
        }
        return names;
    }

    /// The keys and values of the cross-attention for contexts of twice the width.
    private static Map<String, Tensor> withDoubledContext(Map<String, Tensor> tensors) {
        tensors.replaceAll((name, tensor) -> name.matches(".*attn2\\.to_[kv]\\.weight") ? doubled(tensor) : tensor);
        return tensors;
    }

    private static Tensor doubled(Tensor weight) {
        int rows = Math.toIntExact(weight.shape().size(0)), columns = Math.toIntExact(weight.shape().size(1));
        float[] data = new float[2 * rows * columns];
        for (int row = 0; row < rows; row++)
            for (int copy = 0; copy < 2; copy++)
                System.arraycopy(weight.data(), row * columns, data, (2 * row + copy) * columns, columns);
        return new Tensor(Shape.of(rows, 2L * columns), data);
    }

    private static Map<String, Tensor> tensors(Path path) throws Failure {
        Map<String, Tensor> tensors = new HashMap<>();
        try (TensorFile file = TensorFile.open(path)) {
            for (String key : file.tensors().keySet()) tensors.put(key, file.read(key));
        }
        return tensors;
    }

    private static JsonObject json(Path file) throws Exception {
        return JsonParser.parseString(Files.readString(file)).getAsJsonObject();
    }
}
