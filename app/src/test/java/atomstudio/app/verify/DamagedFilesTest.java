package atomstudio.app.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.compare.Comparison;
import atomstudio.app.compare.FakeRun;
import atomstudio.app.inspect.Inspection;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Mutations;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.ModelLoadOptions;
import atomstudio.diffusion.prompt.Tokenizer;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.torch.TorchSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Changed goldens, runs, comparisons and configs are read, or rejected with a failure that names the file.
class DamagedFilesTest {
    private static final Path GOLDENS = Shared.own("goldens");

    @TempDir
    Path folder;

    private static Verifier.Verification verify(Path golden) throws Failure {
        return new Verifier(Optional.empty(), ModelLoadOptions.defaults(), _ -> List.of(), Device.CPU,
                TorchSettings.standard().withThreads(1)).verify(golden);
    }

    @Test @Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void changedFilesAreReadOrRejectedByName() throws Exception {
        change(60, 50);
    }

    @Test @Tag("slow")
    void manyChangedFilesAreReadOrRejectedByName() throws Exception {
        change(1000, 51);
    }

    private void change(int times, long seed) throws Exception {
        Mutations mutations = new Mutations(seed);
        int rejected = 0;
        for (String name : List.of("euler-a-10", "dpmpp-2m-karras-10", "unipc-10")) {
            Path golden = Files.copy(GOLDENS.resolve("samplers/" + name + ".safetensors"),
                    folder.resolve(name + ".safetensors"));
            rejected += mutations.run(golden, times, () -> verify(golden));
        }
        Path tokens = Files.copy(GOLDENS.resolve("tokenizer/plain.jsonl"), folder.resolve("plain.jsonl"));
        Tokenizer plain = Tokenizer.open(GOLDENS.resolve("tokenizer/plain"));
        Files.write(tokens, Files.readAllLines(tokens).subList(0, 12));
        rejected += mutations.run(tokens, times, () -> TokenizerGolden.verify(tokens, plain));
        Path run = new FakeRun(Shared.root().resolve("assets/default-model"),
                new BaseModelHashes(folder.resolve("hashes.json")), "atoms").write(folder.resolve("run"));
        rejected += mutations.run(run.resolve("run.json"), 2 * times, () -> Inspection.of(run).json().toString());
        rejected += mutations.run(run.resolve("report.json"), times, () -> Inspection.of(run).json().toString());
        Path config = Files.copy(Shared.root().resolve("assets/default-model/unet/config.json"),
                folder.resolve("config.json"));
        rejected += mutations.run(config, times, () -> Inspection.of(config).lines());
        Path comparison = Files.createDirectories(folder.resolve("comparison"));
        Files.writeString(comparison.resolve(Comparison.FILE), new Comparison("model", "car", "sks", List.of("a {}"),
                List.of(1L, 2L), List.of(Comparison.ComparisonRow.base())).toJson());
        rejected += mutations.run(comparison.resolve(Comparison.FILE), times,
                () -> Comparison.read(comparison).toJson());
        assertTrue(rejected > 2 * times, rejected + " rejected");
    }

    @ParameterizedTest @ValueSource(strings = {"[]", "7", "", "{}", "{\"kind\":7,\"denoise\":\"x\"}",
            "{\"kind\":\"hires\",\"denoise\":0.5,\"scheduler\":[],\"width\":1e9}",
            "{\"prompt\":[],\"config\":{},\"scheduler\":\"DDIMScheduler\"}",
            "{\"prompt\":\"a\",\"seed\":1,\"config\":{\"beta_start\":\"x\"},\"scheduler\":\"DDIMScheduler\","
                    + "\"steps\":2,"
                    + "\"guidance\":1}"})
    void goldenWithWrongMetadataIsRejectedByName(String description) throws Exception {
        Path golden = folder.resolve("golden.safetensors");
        Tensor some = Tensor.zeros(Shape.of(1, 4, 2, 2));
        for (Map<String, Tensor> tensors : List.of(Map.of("noise", some, "latents", some, "pixels", some),
                Map.of("latents", some))) {
            SafetensorsWriter.write(golden, tensors, Map.of("case", description));
            String message = assertThrows(Failure.class, () -> verify(golden)).getMessage();
            assertTrue(message.startsWith(golden.toString()) || message.contains("beta_start"), message);
        }
        SafetensorsWriter.write(golden, Map.of("context.0", some), Map.of("cases", description));
        if (!description.equals("[]"))
            assertTrue(assertThrows(Failure.class, () -> verify(golden)).getMessage().startsWith(golden.toString()));
    }

    @Test
    void rejectsTheRootFolder() {
        Path root = folder.getRoot();
        assertTrue(assertThrows(Failure.Unreadable.class, () -> Inspection.of(root)).getMessage()
                .startsWith(root + ": expected a model folder"));
        assertTrue(assertThrows(Failure.Unreadable.class, () -> verify(root)).getMessage()
                .startsWith(root + ": expected a golden"));
    }

    @Test
    void modelIndexStandsForTheModelFolder() throws Exception {
        Path model = Shared.root().resolve("assets/default-model");
        assertEquals(Inspection.of(model).json().get("unet"),
                Inspection.of(model.resolve("model_index.json")).json().get("unet"));
    }
}
