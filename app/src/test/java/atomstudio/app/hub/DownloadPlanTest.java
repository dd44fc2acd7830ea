package atomstudio.app.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.hub.DownloadPlan.Choice;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class DownloadPlanTest {
    private static final String INDEX = """
            {"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"],
             "vae": ["diffusers", "AutoencoderKL"], "text_encoder": ["transformers", "CLIPTextModel"],
             "tokenizer": ["transformers", "CLIPTokenizer"], "scheduler": ["diffusers", "PNDMScheduler"],
             "safety_checker": [null, null]}""";

    /// The files of the public Stable Diffusion 1.5 repository, shortened.
    private static final List<String> STABLE_DIFFUSION = List.of(".gitattributes", "README.md", "LICENSE.md",
            "model_index.json", "v1-5-pruned.ckpt", "v1-5-pruned.safetensors", "v1-inference.yaml",
            "feature_extractor/preprocessor_config.json", "safety_checker/config.json",
            "safety_checker/model.safetensors", "scheduler/scheduler_config.json", "text_encoder/config.json",
            "text_encoder/model.fp16.safetensors", "text_encoder/model.safetensors",
            "text_encoder/pytorch_model.bin", "text_encoder/flax_model.msgpack", "text_encoder/model.onnx",
            "text_encoder/openvino_model.bin", "tokenizer/merges.txt", "tokenizer/vocab.json", "unet/config.json",
            "unet/diffusion_pytorch_model.bin", "unet/diffusion_pytorch_model.fp16.safetensors",
            "unet/diffusion_pytorch_model.non_ema.safetensors", "unet/diffusion_pytorch_model.safetensors",
            "vae/config.json", "vae/diffusion_pytorch_model.safetensors", "vae/openvino_decoder.xml");

    @Test
    void folderHasOneCopyOfEachWeightAndTheIndexIsLast() throws Failure {
        DownloadPlan plan = plans(STABLE_DIFFUSION).getFirst();
        assertEquals(new Choice.Folder(""), plan.choice());
        assertEquals(List.of("LICENSE.md", "unet/config.json", "vae/config.json", "text_encoder/config.json",
                "tokenizer/merges.txt", "tokenizer/vocab.json", "scheduler/scheduler_config.json",
                "unet/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.safetensors",
                "text_encoder/model.safetensors", "model_index.json"), paths(plan));
        assertEquals(11, plan.size());
    }

    @Test
    void variantReplacesTheWeightsThatHaveIt() throws Failure {
        List<DownloadPlan> plans = plans(STABLE_DIFFUSION);
        assertEquals(List.of("Folder, as published", "Folder, half precision (fp16)", "Folder, variant non_ema",
                "v1-5-pruned.safetensors"), plans.stream().map(DownloadPlan::title).toList());
        assertEquals(List.of("unet/diffusion_pytorch_model.fp16.safetensors", "vae/diffusion_pytorch_model.safetensors",
                "text_encoder/model.fp16.safetensors"), weights(plans.get(1)));
    }

    @Test
    void repositoryInHalfPrecisionOnlyIsOnePlan() throws Failure {
        List<DownloadPlan> plans = plans(Stream.of("unet", "vae", "text_encoder")
                .flatMap(folder -> Stream.of(folder + "/config.json", folder + "/model.fp16.safetensors"))
                .toList());
        assertEquals(1, plans.size());
        assertEquals("unet/model.fp16.safetensors", weights(plans.getFirst()).getFirst());
    }

    @Test
    void shardsAreDownloadedWithTheirIndex() throws Failure {
        List<String> files = List.of("unet/config.json", "unet/diffusion_pytorch_model-00001-of-00002.safetensors",
                "unet/diffusion_pytorch_model-00002-of-00002.safetensors",
                "unet/diffusion_pytorch_model.safetensors.index.json",
                "unet/diffusion_pytorch_model.fp16-00001-of-00001.safetensors",
                "unet/diffusion_pytorch_model.safetensors.index.fp16.json",
                "unet/diffusion_pytorch_model.bin.index.json");
        List<DownloadPlan> plans = plans(files);
        assertEquals(files.subList(1, 4), weights(plans.getFirst()));
        assertEquals(files.subList(4, 6), weights(plans.get(1)));
    }

    @Test
    void picklesAreUsedIfThereIsNothingElse() throws Failure {
        assertEquals(List.of("vae/diffusion_pytorch_model.bin"),
                weights(plans(List.of("vae/config.json", "vae/diffusion_pytorch_model.bin")).getFirst()));
        Failure none = assertThrows(Failure.Incompatible.class,
                () -> plans(List.of("vae/config.json", "vae/diffusion_flax_model.msgpack", "vae/model.onnx")));
        assertEquals("owner/model: vae: expected weights as .safetensors or .bin, found only .msgpack, .onnx",
                none.getMessage());
    }

    @Test
    void singleFilesAreSeparatePlansWithTheirSidecars() throws Failure {
        List<DownloadPlan> plans = DownloadPlan.of(repository(List.of("a.safetensors", "a.yaml", "b.safetensors",
                "b.ckpt", "tokenizer/vocab.json", "tokenizer/model.onnx", "nested/c.safetensors")), Optional.empty());
        assertEquals(List.of("a.safetensors", "b.safetensors"), plans.stream().map(DownloadPlan::title).toList());
        assertEquals(List.of("a.yaml", "tokenizer/vocab.json", "a.safetensors"), paths(plans.getFirst()));
    }

    @Test
    void contentWithoutModelIsNamed() {
        assertDescribed("an adapter (LoRA) for owner/base", List.of("x.bin"), "peft");
        assertDescribed("an adapter (LoRA) for owner/base", List.of("pytorch_lora_weights.bin"), "diffusers");
        assertDescribed("checkpoints as pickles (.ckpt) only", List.of("a.ckpt"), "");
        assertDescribed("a model for llama.cpp or ComfyUI (GGUF)", List.of("a.gguf"), "");
        assertDescribed("a model of transformers", List.of("config.json", "model.bin"), "transformers");
        assertDescribed("a single network of diffusers", List.of("config.json", "diffusion.bin"), "diffusers");
        assertDescribed("nothing", List.of(), "");
    }

    private static void assertDescribed(String expected, List<String> files, String library) {
        HubRepository repository = new HubRepository(RepositoryId.parse("owner/model", ""), "c",
                HubRepository.Licence.NONE,
                false, new HubRepository.ModelCard(library, List.of(), List.of("owner/base")),
                files.stream().map(DownloadPlanTest::file).toList());
        String described = RepositoryContent.describe(repository);
        assertTrue(described.startsWith(expected), described);
    }

    private static List<DownloadPlan> plans(List<String> paths) throws Failure {
        return DownloadPlan.of(repository(paths), Optional.of(Json.parse("model_index.json", INDEX)));
    }

    private static HubRepository repository(List<String> paths) {
        return new HubRepository(RepositoryId.parse("owner/model", ""), "c", HubRepository.Licence.NONE, false,
                new HubRepository.ModelCard("", List.of(), List.of()),
                paths.stream().map(DownloadPlanTest::file).toList());
    }

    private static HubFile file(String path) {
        return new HubFile(path, 1, HubFile.Checksum.parse("a".repeat(40)));
    }

    private static List<String> paths(DownloadPlan plan) {
        return plan.files().stream().map(HubFile::path).toList();
    }

    private static List<String> weights(DownloadPlan plan) {
        return paths(plan).stream()
                .filter(path -> path.contains("model") && path.contains("/") && !path.endsWith("/config.json"))
                .toList();
    }
}
