package atomstudio.diffusion.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Generation.GenerationSettings;
import atomstudio.diffusion.engine.Generation.PromptPair;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.onnx.OnnxSettings;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.diffusion.sample.StepListener;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Reading a mapped file that was truncated kills the process, here the one of the tests. Weights of large models are
/// used memory-mapped. On Windows a mapped file cannot be changed.
@DisabledOnOs(OS.WINDOWS)
class ChangedFileTest {
    private static final Generation GENERATION = new Generation(new PromptPair("a red apple", ""),
            GenerationSettings.of(SamplingSettings.of(SamplerName.DDIM, ScheduleName.AUTOMATIC, 4), 4, 64, 64), 1,
            List.of());

    @TempDir
    private Path folder;

    private DiffusionModel model;

    @BeforeEach
    void copyModel() throws Exception {
        Path original = Shared.root().resolve("assets/default-model");
        try (Stream<Path> files = Files.walk(original)) {
            for (Path file : files.toList()) {
                Path copy = folder.resolve(original.relativize(file).toString());
                if (Files.isDirectory(file)) Files.createDirectories(copy);
                else Files.copy(file, copy, StandardCopyOption.REPLACE_EXISTING);
            }
        }
        model = DiffusionModel.open(folder);
    }

    private Path weights(String component) {
        return folder.resolve(
                component + (component.equals("text_encoder") ? "/model.safetensors"
                        : "/diffusion_pytorch_model.safetensors"));
    }

    private static void truncate(Path file) {
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            open.setLength(4096);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /// @param prepackLimit bytes up to which weights are copied
    @ParameterizedTest @ValueSource(longs = {0, Long.MAX_VALUE})
    void modelTruncatedDuringSamplingFailsAndNamesTheFile(long prepackLimit) throws Exception {
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 2,
                new OnnxSettings(prepackLimit, OnnxSettings.AdapterMode.FUSED))) {
            List<Integer> steps = new ArrayList<>();
            Failure failure = assertThrows(Failure.Unreadable.class,
                    () -> DiffusionPipeline.of(model, engine).generate(GENERATION, step -> {
                        steps.add(step.completedSteps());
                        if (step.completedSteps() == 2) truncate(weights("unet"));
                        return StepListener.Next.CONTINUE;
                    }));
            assertTrue(failure.getMessage().startsWith(weights("unet") + ": changed while it was in use"),
                    failure.getMessage());
            assertEquals(2, steps.getLast());
        }
    }

    @Test
    void namesTheComponentTruncatedBetweenTwoImages() throws Exception {
        for (String component : List.of("text_encoder", "unet", "vae")) {
            copyModel();
            try (Engine engine = OnnxEngine.open(model, Device.CPU, 2)) {
                DiffusionPipeline.of(model, engine).generate(GENERATION, StepListener.none());
                truncate(weights(component));
                assertThrows(Failure.Unreadable.class, engine::checkFiles);
                Failure failure = assertThrows(Failure.Unreadable.class,
                        () -> DiffusionPipeline.of(model, engine).generate(GENERATION, StepListener.none()));
                assertTrue(failure.getMessage().contains(weights(component).toString()), failure.getMessage());
            }
        }
    }

    @Test
    void rejectsModelThatWasWrittenReplacedOrDeleted() throws Exception {
        for (int kind = 0; kind < 3; kind++) {
            copyModel();
            try (Engine engine = OnnxEngine.open(model, Device.CPU, 2)) {
                Path file = weights("vae");
                if (kind == 0) Files.setLastModifiedTime(file, FileTime.fromMillis(1_000_000));
                if (kind == 1) replace(file);
                if (kind == 2) Files.delete(file);
                assertThrows(Failure.Unreadable.class, engine::checkFiles);
            }
        }
    }

    /// By a copy of the same size and time.
    private void replace(Path file) throws IOException {
        Path other = Files.copy(file, folder.resolve("other"), StandardCopyOption.COPY_ATTRIBUTES);
        Files.move(other, file, StandardCopyOption.REPLACE_EXISTING);
    }
}
