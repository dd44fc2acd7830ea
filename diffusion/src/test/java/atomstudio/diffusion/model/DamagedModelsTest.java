package atomstudio.diffusion.model;

import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Mutations;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.ClipTestModels;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.prompt.Tokenizer;
import atomstudio.diffusion.sample.NoiseSchedule;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.diffusion.tensor.TensorFile;
import atomstudio.diffusion.tensor.TensorInfo;
import atomstudio.diffusion.tensor.TorchArchives;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Readers of damaged model files return or fail in time, with a failure that names the file.
class DamagedModelsTest {
    @TempDir
    Path folder;

    @Test @Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void damagedFilesAreReadOrRejected() throws Exception {
        mutateFiles(25, 20);
    }

    @Test @Tag("slow")
    void manyDamagedFilesAreReadOrRejected() throws Exception {
        mutateFiles(1000, 21);
    }

    private void mutateFiles(int times, long seed) throws Exception {
        Mutations mutations = new Mutations(seed);
        Path model = model();
        List<String> json = List.of("model_index.json", "unet/config.json", "vae/config.json",
                "text_encoder/config.json", "scheduler/scheduler_config.json", "tokenizer/vocab.json",
                "tokenizer/tokenizer_config.json",
                "tokenizer/special_tokens_map.json", "tokenizer/merges.txt", "safety_checker/config.json",
                "image_encoder/config.json", "feature_extractor/preprocessor_config.json", "metadata.json",
                "unet/diffusion_pytorch_model.safetensors.index.json", "vae/diffusion_pytorch_model.safetensors",
                "text_encoder/model.safetensors");
        int rejected = 0;
        int files = 0;
        for (String name : json) {
            Path file = model.resolve(name);
            if (!Files.exists(file)) continue;
            rejected += mutations.run(file, times, () -> read(model));
            files++;
        }
        assertTrue(files >= 13, files + " files");
        rejected += mutations.run(tokenizerJson(), times,
                () -> Tokenizer.open(folder.resolve("words")).encodePadded("a"));
        for (Path file : List.of(pickle(), safetensors()))
            rejected += mutations.run(file, 6 * times, () -> tensors(file));
        for (String name : List.of("sd1.ckpt", "sd2.safetensors")) {
            Path file = Files.copy(Shared.own("goldens/files/" + name), folder.resolve(name));
            String sidecar = name.substring(0, 3) + ".json";
            Files.copy(Shared.own("goldens/files/" + sidecar), folder.resolve(sidecar));
            rejected += mutations.run(file, times / 2, () -> read(file));
            rejected += mutations.run(folder.resolve(sidecar), times, () -> read(file));
        }
        assertTrue(rejected > 10 * times, rejected + " rejected");
    }

    private static void read(Path path) throws Failure {
        DiffusionModel model = DiffusionModel.open(path,
                ModelLoadOptions.defaults().withTokenizerFolders(List.of(Shared.own("goldens/tokenizer/plain"))));
        model.knownWords();
        NoiseSchedule.of(model.scheduler());
        SamplerName.of(model.scheduler());
        for (Component component : model.components().keySet()) model.openCheckpoint(component).close();
        if (model.isSingleFile()) return;
        model.tokenizer().encodePadded("a photo of a dog, 12");
        model.imageEncoder();
        model.safetyChecker();
        model.textProjection();
    }

    private static void tensors(Path path) throws Failure {
        try (TensorFile file = TensorFile.open(path)) {
            TensorFileKind.detect(file);
            for (TensorInfo info : file.tensors().values()) if (info.dtype().isReadable()) file.read(info);
        }
    }

    /// A small model with every kind of file.
    private Path model() throws Exception {
        Path path = ClipTestModels.withSafetyChecker(folder.resolve("model"));
        ClipTestModels.copy(ClipTestModels.MODEL.resolve("image_encoder"), path.resolve("image_encoder"));
        Files.createDirectories(path.resolve("tokenizer"));
        for (String name : List.of("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json")) {
            Path from = Shared.own("goldens/tokenizer/plain").resolve(name);
            if (Files.exists(from))
                Files.copy(from, path.resolve("tokenizer/" + name), StandardCopyOption.REPLACE_EXISTING);
        }
        if (!Files.exists(path.resolve("metadata.json")))
            Files.writeString(path.resolve("metadata.json"), "{\"name\":\"small\",\"words\":[\"dog\",\"cat\"]}");
        Path weights = path.resolve("unet/diffusion_pytorch_model.safetensors");
        Files.move(weights, path.resolve("unet/shard-1.safetensors"));
        StringBuilder map = new StringBuilder();
        try (TensorFile file = TensorFile.open(path.resolve("unet/shard-1.safetensors"))) {
            for (String name : file.tensors().keySet())
                map.append(map.isEmpty() ? "" : ",").append('"').append(name).append("\":\"shard-1.safetensors\"");
        }
        Files.writeString(path.resolve("unet/diffusion_pytorch_model.safetensors.index.json"),
                "{\"weight_map\":{" + map + "}}");
        return path;
    }

    private Path tokenizerJson() throws IOException {
        Files.createDirectories(folder.resolve("words"));
        return Files.writeString(folder.resolve("words/tokenizer.json"),
                """
                {"added_tokens":[{"id":4,"content":"<|startoftext|>","normalized":false},
                    {"id":5,"content":"<|endoftext|>","normalized":false}],
                 "model":{"type":"BPE","merges":[["a","b</w>"]],
                    "vocab":{"a":0,"a</w>":1,"b</w>":2,"ab</w>":3,"<|startoftext|>":4,"<|endoftext|>":5}}}""");
    }

    private Path pickle() {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (int i = 0; i < 5; i++) tensors.put("layers." + i + ".weight", Tensor.zeros(Shape.of(2, 3)));
        Path file = folder.resolve("small.pt");
        TorchArchives.save(file, tensors);
        return file;
    }

    private Path safetensors() throws Failure {
        Path file = folder.resolve("small.safetensors");
        SafetensorsWriter.write(file, Map.of("a", Tensor.zeros(Shape.of(2, 3)), "b", Tensor.zeros(Shape.of()), "c",
                Tensor.zeros(Shape.of(4))), Map.of("k", "v"));
        return file;
    }
}
