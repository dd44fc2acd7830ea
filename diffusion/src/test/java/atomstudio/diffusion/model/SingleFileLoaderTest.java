package atomstudio.diffusion.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.net.Network;
import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.sample.PredictionType;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.diffusion.sample.SchedulerConfig;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.diffusion.tensor.TensorFile;
import atomstudio.diffusion.tensor.TensorInfo;
import atomstudio.diffusion.tensor.TorchArchives;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SingleFileLoaderTest {
    private static final String UNET = "model.diffusion_model.";

    @TempDir
    Path folder;

    @ParameterizedTest @CsvSource({"sd1.ckpt, sd1", "sd2.safetensors, sd2", "inpaint.ckpt, inpaint"})
    void networksAndWeightsEqualThoseOfTheFolder(String file, String net) throws Exception {
        DiffusionModel one = DiffusionModel.open(Shared.own("goldens/files/" + file));
        DiffusionModel other = DiffusionModel.open(Shared.own("goldens/nets/" + net + "/model"));
        assertEquals(other.components().keySet(), one.components().keySet());
        for (Component component : one.components().keySet()) {
            try (Checkpoint mine = one.openCheckpoint(component); Checkpoint theirs = other.openCheckpoint(component)) {
                mine.requireLayers(one.layers(component));
                for (var layer : one.layers(component))
                    assertEquals(theirs.read(layer.weightKey()), mine.read(layer.weightKey()), layer.name());
            }
        }
    }

    /// The published scheduler configurations of stable-diffusion-v1-5 and stable-diffusion-2-1.
    @Test
    void schedulesEqualThoseOfThePublishedFolder() throws Exception {
        String common = "\"beta_end\": 0.012, \"beta_schedule\": \"scaled_linear\", \"beta_start\": 0.00085, "
                + "\"clip_sample\": false, \"num_train_timesteps\": 1000, \"set_alpha_to_one\": false, "
                + "\"skip_prk_steps\": true, \"steps_offset\": 1, \"trained_betas\": null";
        assertEqualSchedules("sd1.ckpt",
                "{\"_class_name\": \"PNDMScheduler\", \"_diffusers_version\": \"0.6.0\", " + common + "}");
        assertEqualSchedules("inpaint.ckpt",
                "{\"_class_name\": \"PNDMScheduler\", \"_diffusers_version\": \"0.6.0\", " + common + "}");
        assertEqualSchedules("sd2.safetensors",
                "{\"_class_name\": \"DDIMScheduler\", \"_diffusers_version\": \"0.8.0\", "
                        + "\"prediction_type\": \"v_prediction\", " + common + "}");
    }

    private static void assertEqualSchedules(String file, String published) throws Failure {
        DiffusionModel model = DiffusionModel.open(Shared.own("goldens/files/" + file), ModelLoadOptions.defaults()
                .withPredictionType(published.contains("v_prediction") ? PredictionType.V : PredictionType.EPSILON));
        SchedulerConfig folder = SchedulerConfig.parse(file, published);
        assertEquals(SamplerName.of(folder), SamplerName.of(model.scheduler()));
        for (SamplerName sampler : SamplerName.values()) {
            for (ScheduleName schedule : sampler.schedules()) {
                for (int steps : new int[] {1, 4, 20, 50}) {
                    SamplingSettings sampling = SamplingSettings.of(sampler, schedule, steps);
                    assertEquals(sampling.plan(folder), sampling.plan(model.scheduler()),
                            file + " " + sampler + " " + schedule + " " + steps);
                }
            }
        }
    }

    @Test
    void fusedProjectionsAreByteRangesOfTheFile() throws Exception {
        try (Checkpoint text = DiffusionModel.open(Shared.own("goldens/files/sd2.safetensors"))
                .openCheckpoint(Component.TEXT_ENCODER)) {
            TensorInfo q = text.info("text_model.encoder.layers.1.self_attn.q_proj.weight");
            TensorInfo k = text.info("text_model.encoder.layers.1.self_attn.k_proj.weight");
            assertEquals(q.offset() + q.byteLength(), k.offset());
            assertEquals(Shape.of(32, 32), k.shape());
            assertEquals(3,
                    DiffusionModel.open(Shared.own("goldens/files/sd2.safetensors"))
                            .textEncoder()
                            .transformer()
                            .depth(),
                    "one layer less than in the file");
        }
    }

    @Test
    void infersUnetConfigFromShapes() throws Exception {
        Map<String, Shape> published = new LinkedHashMap<>();
        UNet first = unet(8, 768, UNet.Projection.CONV);
        first.layers().forEach(layer -> published.put(layer.weightKey(), layer.weightShape()));
        Sidecar noSidecar = Sidecar.of(folder.resolve("a.safetensors"), Map.of());
        assertEquals(first,
                NetworkFactory.unet(noSidecar.mergedConfig("unet", new InferredConfigs(folder, published).unet())));
        Map<String, Shape> second = new LinkedHashMap<>();
        UNet wide = unet(0, 1024, UNet.Projection.LINEAR);
        wide.layers().forEach(layer -> second.put(layer.weightKey(), layer.weightShape()));
        assertEquals(wide,
                NetworkFactory.unet(noSidecar.mergedConfig("unet", new InferredConfigs(folder, second).unet())),
                "head dimension 64: 5, 10, 20, 20 heads");
    }

    private static UNet unet(int heads, int context, UNet.Projection projection) throws Failure {
        String text = "{\"cross_attention_dim\":" + context + ",\"use_linear_projection\":"
                + (projection == UNet.Projection.LINEAR) + ",\"attention_head_dim\":"
                + (heads == 0 ? "[5,10,20,20]" : heads) + "}";
        return NetworkFactory
                .unet(new ModelConfig(Path.of("unet"), com.google.gson.JsonParser.parseString(text).getAsJsonObject()));
    }

    @Test
    void sidecarFolderOverridesInferredConfig() throws Exception {
        Path file = Files.copy(Shared.own("goldens/files/sd1.ckpt"), folder.resolve("mine.ckpt"));
        assertTrue(assertThrows(Failure.Incompatible.class, () -> DiffusionModel.open(file)).getMessage()
                .contains("norm_num_groups = 32 does not divide the width"),
                "the small model has fewer groups than inferred");
        for (String component : List.of("unet", "vae", "text_encoder")) {
            Files.createDirectories(folder.resolve("mine").resolve(component));
            Files.copy(Shared.own("goldens/nets/sd1/model/" + component + "/config.json"),
                    folder.resolve("mine").resolve(component).resolve("config.json"));
        }
        assertEquals(networks(DiffusionModel.open(Shared.own("goldens/nets/sd1/model"))),
                networks(DiffusionModel.open(file)));
    }

    @Test
    void predictionTypeIsInferredReportedAndOverridable() throws Exception {
        DiffusionModel first = DiffusionModel.open(Shared.own("goldens/files/sd1.ckpt"));
        assertEquals(PredictionType.EPSILON, first.scheduler().predictionType());
        assertTrue(
                first.warnings()
                        .getFirst()
                        .contains("was inferred as epsilon (as in all published Stable Diffusion 1 models)"),
                first.warnings().toString());
        DiffusionModel overridden = DiffusionModel.open(Shared.own("goldens/files/sd1.ckpt"),
                ModelLoadOptions.defaults().withPredictionType(PredictionType.V));
        assertEquals(PredictionType.V, overridden.scheduler().predictionType());
        assertEquals(List.of(), overridden.warnings());
        assertEquals(PredictionType.V,
                DiffusionModel
                        .open(Shared.own("goldens/nets/sd1/model"),
                                ModelLoadOptions.defaults().withPredictionType(PredictionType.V))
                        .scheduler()
                        .predictionType(),
                "a folder");
    }

    @Test
    void predictionTypeOfSd2IsDetected() throws Exception {
        Map<String, Tensor> tensors = tensors("sd2.safetensors");
        String norm = UNET + "output_blocks.8.1.transformer_blocks.0.norm1.bias";
        Tensor wide = tensors.get(norm);
        for (int i = 0; i < wide.data().length; i++) wide.data()[i] = i % 2 == 0 ? 0.2f : -0.2f;
        assertEquals(PredictionType.V, open("a", tensors, Map.of()).scheduler().predictionType());
        for (int i = 0; i < wide.data().length; i++) wide.data()[i] = i % 2 == 0 ? 0.02f : -0.02f;
        assertEquals(PredictionType.EPSILON, open("b", tensors, Map.of()).scheduler().predictionType());
        assertEquals(PredictionType.V,
                open("c", tensors, Map.of("modelspec.prediction_type", "v")).scheduler().predictionType(),
                "metadata takes precedence");
        assertEquals(PredictionType.V, open("d-vpred", tensors, Map.of()).scheduler().predictionType(), "file name");
        Files.writeString(folder.resolve("e.yaml"), "model:\n  params:\n    parameterization: \"v\"\n");
        assertEquals(PredictionType.V, open("e", tensors, Map.of()).scheduler().predictionType(),
                "the original configuration");
        tensors.put("v_pred", Tensor.zeros(Shape.of(1)));
        tensors.put("ztsnr", Tensor.zeros(Shape.of(1)));
        DiffusionModel marked = open("f", tensors, Map.of());
        assertEquals(PredictionType.V, marked.scheduler().predictionType());
        assertTrue(marked.scheduler().toString().contains("\"rescale_betas_zero_snr\":true"),
                marked.scheduler().toString());
    }

    @Test
    void zeroTerminalSnrSelectsDdim() throws Exception {
        Map<String, Tensor> tensors = tensors("sd1.ckpt");
        tensors.put("v_pred", Tensor.zeros(Shape.of(1)));
        tensors.put("ztsnr", Tensor.zeros(Shape.of(1)));
        Path file = folder.resolve("zero.safetensors");
        SafetensorsWriter.write(file, tensors, Map.of());
        Files.copy(Shared.own("goldens/files/sd1.json"), folder.resolve("zero.json"));
        SchedulerConfig schedule = DiffusionModel.open(file).scheduler();
        assertEquals(SamplerName.DDIM, SamplerName.of(schedule), "PNDM would divide by zero");
        assertEquals(999,
                SamplingSettings.of(SamplerName.DDIM, ScheduleName.AUTOMATIC, 20)
                        .plan(schedule)

                        .steps()
                        .getFirst()
                        .timestep());
    }

    /// Extra tensors and nesting as training programs write them.
    @Test
    void acceptsExtraTensorsAndRejectsIncompleteModels() throws Exception {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        try (TensorFile file = TensorFile.open(Shared.own("goldens/files/sd1.ckpt"))) {
            for (TensorInfo info : file.tensors().values()) tensors.put(info.name(), file.read(info));
        }
        Files.copy(Shared.own("goldens/files/sd1.json"), folder.resolve("left.json"));
        tensors.put("embedding_manager.string_to_param_dict.*", Tensor.zeros(Shape.of(1, 8)));
        TorchArchives.save(folder.resolve("left.ckpt"), tensors);
        DiffusionModel expected = DiffusionModel.open(Shared.own("goldens/files/sd1.ckpt"));
        assertEquals(networks(expected), networks(DiffusionModel.open(folder.resolve("left.ckpt"))));
        Map<String, Tensor> without = new LinkedHashMap<>(tensors);
        without.keySet().removeIf(name -> name.startsWith("first_stage_model."));
        TorchArchives.save(folder.resolve("left.ckpt"), without);
        String message = assertThrows(Failure.Incompatible.class,
                () -> DiffusionModel.open(folder.resolve("left.ckpt"))).getMessage();
        assertTrue(message.contains("has no autoencoder"), message);
        assertEquals(expected.unet(),
                DiffusionModel
                        .open(folder.resolve("left.ckpt"),
                                ModelLoadOptions.defaults().withVae(Shared.own("goldens/nets/sd1/model")))
                        .unet());
        Map<String, Tensor> emaOnly = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> emaOnly
                .put(name.replace("model.diffusion_model.", "model_ema.diffusion_model"), tensor));
        TorchArchives.save(folder.resolve("left.ckpt"), emaOnly);
        assertTrue(assertThrows(Failure.Incompatible.class, () -> DiffusionModel.open(folder.resolve("left.ckpt")))
                .getMessage()
                .contains("only the EMA weights"));
    }

    @Test
    void yamlOfBlanksIsParsedInTime() throws Exception {
        Path file = Files.copy(Shared.own("goldens/files/sd1.ckpt"), folder.resolve("blank.ckpt"));
        Files.copy(Shared.own("goldens/files/sd1.json"), folder.resolve("blank.json"));
        for (String blank : List.of("\n", " ", "\t\r\n")) {
            Files.writeString(folder.resolve("blank.yaml"), blank.repeat((1 << 20) / blank.length() - 10) + "x: y");
            assertEquals(PredictionType.EPSILON,
                    assertTimeoutPreemptively(Duration.ofSeconds(5), () -> DiffusionModel.open(file)).scheduler()
                            .predictionType());
        }
    }

    @Test
    void ignoresOtherValuesInSidecar() throws Exception {
        Path file = Files.copy(Shared.own("goldens/files/sd1.ckpt"), folder.resolve("noted.ckpt"));
        JsonObject own = JsonParser.parseString(Files.readString(Shared.own("goldens/files/sd1.json")))
                .getAsJsonObject();
        Files.createDirectories(folder.resolve("noted/vae"));
        Files.writeString(folder.resolve("noted/vae/config.json"), own.get("vae").toString());
        own.addProperty("vae", "Automatic");
        own.addProperty("tokenizer", "Automatic");
        own.addProperty("name", 7);
        own.add("scheduler", new JsonArray());
        own.addProperty("description", "");
        Files.writeString(folder.resolve("noted.json"), own.toString());
        DiffusionModel model = DiffusionModel.open(file);
        assertEquals("noted", model.name());
        assertEquals(PredictionType.EPSILON, model.scheduler().predictionType());
    }

    @Test
    void searchesTokenizerNextToFileThenInGivenFolders() throws Exception {
        Path file = Files.copy(Shared.own("goldens/files/sd1.ckpt"), folder.resolve("mine.ckpt"));
        Files.copy(Shared.own("goldens/files/sd1.json"), folder.resolve("mine.json"));
        Path home = Files.createDirectories(folder.resolve("home/clip-vocabulary"));
        Path embedded = Shared.root().resolve("assets/default-model/tokenizer");
        DiffusionModel withoutTokenizer = DiffusionModel.open(file,
                ModelLoadOptions.ofTokenizerFolders(List.of(home, embedded)));
        String message = assertThrows(Failure.Unreadable.class, withoutTokenizer::tokenizer).getMessage();
        assertTrue(message.contains("no tokenizer of 1000 tokens") && message.contains("bpe_simple_vocab_16e6.txt.gz")
                && message.contains("into " + home), message);
        vocabulary(home, 1000);
        assertEquals(1000, withoutTokenizer.tokenizer().vocabularySize());
        vocabulary(Files.createDirectories(folder.resolve("tokenizer")), 1000);
        Files.writeString(home.resolve("vocab.json"), "damaged");
        assertEquals(1000, withoutTokenizer.tokenizer().vocabularySize(),
                "the folder next to the file takes precedence");
        Path large = vocabulary(Files.createDirectories(folder.resolve("large")), 1001);
        DiffusionModel withTokenizer = DiffusionModel.open(file, ModelLoadOptions.defaults().withTokenizer(large));
        assertTrue(assertThrows(Failure.Incompatible.class, withTokenizer::tokenizer).getMessage()
                .contains("has 1001 tokens, but the text encoder"), "size differs from the text encoder's");
    }

    /// Writes a vocabulary of single characters with the given size.
    private static Path vocabulary(Path folder, int size) throws Exception {
        StringBuilder json = new StringBuilder("{\"<|startoftext|>\":0,\"<|endoftext|>\":1");
        for (int id = 2; id < size; id++) json.append(",\"").append((char) (0x4E00 + id)).append("\":").append(id);
        Files.writeString(folder.resolve("vocab.json"), json + "}");
        Files.writeString(folder.resolve("merges.txt"), "#version: 0.2\n");
        return folder;
    }

    @Test
    void vaeOptionReplacesAutoencoder() throws Exception {
        Path own = Shared.own("goldens/files/sd1.ckpt");
        Path ofFolder = Shared.own("goldens/nets/sd2/model/vae");
        DiffusionModel model = DiffusionModel.open(own, ModelLoadOptions.defaults().withVae(ofFolder));
        try (Checkpoint mine = model.openCheckpoint(Component.VAE);
                Checkpoint theirs = DiffusionModel.open(Shared.own("goldens/nets/sd2/model"))
                        .openCheckpoint(Component.VAE)) {
            assertEquals(theirs.read("decoder.conv_in.weight"), mine.read("decoder.conv_in.weight"));
        }
        DiffusionModel wholeFile = DiffusionModel.open(Shared.own("goldens/nets/sd1/model"),
                ModelLoadOptions.defaults().withVae(Shared.own("goldens/files/sd2.safetensors")));
        wholeFile.openCheckpoint(Component.VAE).close();
        Path weights = ofFolder.resolve("diffusion_pytorch_model.safetensors");
        DiffusionModel.open(own, ModelLoadOptions.defaults().withVae(weights))
                .openCheckpoint(Component.VAE)
                .close();
        Map<String, Tensor> alone = new HashMap<>();
        tensors("sd2.safetensors").forEach((name, tensor) -> {
            if (name.startsWith("first_stage_model.")) alone.put(name.substring("first_stage_model.".length()), tensor);
        });
        Path file = folder.resolve("vae.safetensors");
        SafetensorsWriter.write(file, alone, Map.of("config", "{\"vae\":{\"norm_num_groups\":4}}"));
        DiffusionModel.open(own, ModelLoadOptions.defaults().withVae(file)).openCheckpoint(Component.VAE).close();
        Failure missing = assertThrows(Failure.Unreadable.class,
                () -> DiffusionModel.open(own, ModelLoadOptions.defaults().withVae(folder.resolve("nothing"))));
        assertTrue(missing.getMessage().contains("expected an autoencoder"), missing.getMessage());
        Failure noVae = assertThrows(Failure.Incompatible.class,
                () -> DiffusionModel.open(own, ModelLoadOptions.defaults()
                        .withVae(Shared.own("goldens/nets/sd1/model/unet/diffusion_pytorch_model.safetensors"))));
        assertTrue(noVae.getMessage().contains("has no autoencoder"), noVae.getMessage());
    }

    @ParameterizedTest @ValueSource(strings = {
            "conditioner.embedders.0.transformer.text_model.embeddings.position_embedding.weight "
                    + "| is Stable Diffusion XL",
            "model.diffusion_model.joint_blocks.0.context_block.attn.proj.weight | is Stable Diffusion 3",
            "double_blocks.0.img_attn.norm.key_norm.scale | is a Flux model",
            "lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight "
                    + "| is a LoRA, not a model",
            "control_model.input_blocks.0.0.weight | is a ControlNet",
            "down_blocks.0.resnets.0.conv1.weight | is a UNet alone",
            "encoder.conv_in.weight | is not a Stable Diffusion model",
            "text_model.encoder.layers.0.layer_norm1.weight | is a text encoder alone"})
    void messageNamesUnsupportedKindOfFile(String example) throws Exception {
        String[] parts = example.split(" \\| ");
        Path file = folder.resolve("other.safetensors");
        SafetensorsWriter.write(file, Map.of(parts[0], Tensor.zeros(Shape.of(1))), Map.of());
        Failure message = assertThrows(Failure.Incompatible.class, () -> DiffusionModel.open(file));
        assertTrue(message.getMessage().startsWith(file + ": " + parts[1]), message.getMessage());
    }

    @Test
    void messageNamesMissingComponents() throws Exception {
        Map<String, Tensor> tensors = tensors("sd2.safetensors");
        tensors.keySet().removeIf(name -> name.startsWith("cond_stage_model."));
        assertTrue(assertThrows(Failure.Incompatible.class, () -> open("a", tensors, Map.of())).getMessage()
                .contains("has no text encoder"));
        tensors.keySet().removeIf(name -> name.startsWith("first_stage_model."));
        assertTrue(assertThrows(Failure.Incompatible.class, () -> open("b", tensors, Map.of())).getMessage()
                .contains("has no autoencoder"));
        Map<String, Tensor> complete = tensors("sd2.safetensors");
        complete.remove(UNET + "middle_block.0.in_layers.2.bias");
        Failure incomplete = assertThrows(Failure.Incompatible.class,
                () -> open("c", complete, Map.of()).openCheckpoint(Component.UNET));
        assertTrue(incomplete.getMessage().contains("mid_block.resnets.0.conv1.bias: expected (32), found nothing"),
                incomplete.getMessage());
        Map<String, Tensor> eightChannels = tensors("sd2.safetensors");
        eightChannels.put(UNET + "input_blocks.0.0.weight", Tensor.zeros(Shape.of(16, 8, 3, 3)));
        Failure other = assertThrows(Failure.Incompatible.class, () -> open("d", eightChannels, Map.of()));
        assertTrue(other.getMessage().contains("8 input channels") && other.getMessage().contains("9 (inpainting)"),
                other.getMessage());
    }

    @Test
    void messagesDistinguishOtherFolderFromMissingPath() {
        assertTrue(assertThrows(Failure.Unreadable.class, () -> DiffusionModel.open(folder)).getMessage()
                .contains("found a folder without it"));
        assertTrue(assertThrows(Failure.Unreadable.class, () -> DiffusionModel.open(folder.resolve("gone.ckpt")))
                .getMessage()
                .contains("found nothing"));
        assertFalse(Files.exists(folder.resolve("gone.ckpt")));
    }

    private static List<Network> networks(DiffusionModel model) {
        return model.components().values().stream().<Network>map(NetworkFile::network).toList();
    }

    private Map<String, Tensor> tensors(String name) throws Failure {
        Map<String, Tensor> tensors = new HashMap<>();
        try (TensorFile file = TensorFile.open(Shared.own("goldens/files/" + name))) {
            for (String key : file.tensors().keySet()) tensors.put(key, file.read(key));
        }
        return tensors;
    }

    /// Opens a file of these tensors with a sidecar for the heads and groups of the small models.
    private DiffusionModel open(String name, Map<String, Tensor> tensors, Map<String, String> metadata)
            throws Exception {
        Path file = folder.resolve(name + ".safetensors");
        SafetensorsWriter.write(file, tensors, metadata);
        Files.copy(Shared.own("goldens/files/sd2.json"), folder.resolve(name + ".json"),
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        return DiffusionModel.open(file);
    }
}
