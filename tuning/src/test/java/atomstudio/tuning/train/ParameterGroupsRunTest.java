package atomstudio.tuning.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.config.ChosenSettings;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.config.TrainingRequest;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ModelSize;
import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.RunControl;
import atomstudio.tuning.run.RunFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Runs with parameter groups.
class ParameterGroupsRunTest {
    @TempDir
    static Path shared;
    @TempDir
    Path folder;
    private static DiffusionModel model;
    private static Path photos;
    private static Path home;

    @BeforeAll
    static void prepare() throws Exception {
        model = TinyModel.make(shared.resolve("model"), "sd1");
        photos = Files.createDirectory(shared.resolve("subject"));
        for (int i = 0; i < 2; i++)
            PngWriter.write(photos.resolve("photo" + i + ".png"), RunTest.photo(i), Map.of());
        home = Files.createDirectory(shared.resolve("home"));
        Files.createSymbolicLink(home.resolve("natives"), Files.createDirectories(RunTest.home().resolve("natives")));
    }

    private static TrainingRequest request(MethodName name, String groups) {
        ChosenSettings chosen = new ChosenSettings(Optional.of(name), Optional.empty(),
                Map.of(TrainingSetting.GROUPS, groups, TrainingSetting.STEPS, "3", TrainingSetting.WARMUP_STEPS, "0",
                        TrainingSetting.BATCH_SIZE, "1"));
        MethodSettings method = chosen.methodSettings(name);
        TrainingConfig config = chosen.trainingSettings(method, ModelSize.SMALL).toConfig(method, ModelSize.SMALL);
        return TrainingRequest.of(model.path(), photos, "thing", method).with(config);
    }

    private AdapterFile train(MethodName name, String groups) throws Failure {
        Path run = folder.resolve(name.option() + Math.abs(groups.hashCode()));
        new TrainingService(new TrainingEnvironment(Device.CPU, 1, home)).run(request(name, groups), run,
                RunControl.none(), EventSink.none());
        assertEquals(request(name, groups).config(), new RunFolder(run).info().config().requested());
        return new RunFolder(run).latestAdapter().orElseThrow();
    }

    @Test
    void aGroupWithRateZeroLeavesItsLayersUnchanged() throws Exception {
        AdapterFile adapter = train(MethodName.LORA, "up_blocks.*:learning-rate=0,weight-decay=0.5");
        adapter.values().forEach((key, value) -> {
            if (!key.endsWith(".B")) return;
            float[] initial = new float[value.data().length];
            if (key.startsWith("up_blocks.")) assertArrayEquals(initial, value.data(), key);
            else assertTrue(!Arrays.equals(initial, value.data()), key);
        });
    }

    @Test
    void aGroupWithTheMethodsRateChangesNothing() throws Exception {
        double rate = MethodName.ATOMS_AND_WORD.learningRate();
        AdapterFile plain = train(MethodName.ATOMS_AND_WORD, "");
        AdapterFile same = train(MethodName.ATOMS_AND_WORD, "unet:learning-rate=" + rate);
        AdapterFile slower = train(MethodName.ATOMS_AND_WORD, "text_encoder:learning-rate=0");
        plain.values().forEach((key, value) -> assertArrayEquals(value.data(), same.values().get(key).data(), key));
        String word = plain.values().keySet().stream().filter(key -> key.endsWith(".rows")).findAny().orElseThrow();
        float[] start = slower.values().get(word.replace(".rows", ".start")).data();
        assertArrayEquals(start, slower.values().get(word).data());
        assertNotEquals(Arrays.toString(start), Arrays.toString(plain.values().get(word).data()));
    }

    @Test
    void ranksOfGroupsReachTheAdapter() throws Exception {
        for (MethodName name : new MethodName[] {MethodName.LORA, MethodName.DORA, MethodName.LOKR}) {
            AdapterFile adapter = train(name, "up_blocks.*:rank=3,learning-rate=1e-3");
            assertEquals("up_blocks.*=3", adapter.method().entries().get("rank-pattern"));
            if (name == MethodName.LOKR) continue;
            adapter.values().forEach((key, value) -> {
                if (key.endsWith(".A"))
                    assertEquals(key.startsWith("up_blocks.") ? 3 : 4, value.shape().size(0), key);
            });
        }
    }

    @Test
    void patternsWithoutLayersAreAnErrorWithCloseNames() {
        for (String group : new String[] {"up_bloks.*:learning-rate=0", "up_bloks.*:rank=2"}) {
            Failure failure = assertThrows(Failure.Incompatible.class, () -> train(MethodName.LORA, group));
            assertTrue(failure.getMessage().contains("up_bloks.*: matches no layer") && failure.getMessage()
                    .contains("close names: up"), failure.getMessage());
        }
    }
}
