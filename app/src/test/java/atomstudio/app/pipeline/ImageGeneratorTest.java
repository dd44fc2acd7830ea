package atomstudio.app.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.Generation.GenerationSettings;
import atomstudio.diffusion.engine.Generation.PromptPair;
import atomstudio.diffusion.engine.ProviderDevice;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelLoadOptions;
import atomstudio.diffusion.onnx.FakeProviderProgram;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.tuning.adapter.FileHashes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageGeneratorTest {
    @TempDir
    Path folder;

    private static String line(DiffusionModel model, FileHashes hashes) throws Exception {
        Generation generation = new Generation(new PromptPair("a", ""),
                GenerationSettings.of(SamplingSettings.of(SamplerName.DDIM, ScheduleName.AUTOMATIC, 1), 1,
                        model.defaultImageSize(), model.defaultImageSize()),
                5, List.of());
        try (ImageGenerator generator = ImageGenerator.open(model, Device.CPU)) {
            generator.computeModelHash(hashes);
            return generator.infotext(generation, Optional.empty()).format();
        }
    }

    @Test
    void infotextHasTheHashOfAModelInOneFile() throws Exception {
        FileHashes hashes = new FileHashes(folder.resolve("hashes.json"));
        Path file = Files.copy(Shared.own("goldens/files/sd1.ckpt"), folder.resolve("mine.ckpt"));
        Files.copy(Shared.own("goldens/files/sd1.json"), folder.resolve("mine.json"));
        Files.createDirectories(folder.resolve("words"));
        Files.writeString(folder.resolve("words/vocab.json"),
                "{\"a</w>\":0,\"<|startoftext|>\":998,\"<|endoftext|>\":999}");
        Files.writeString(folder.resolve("words/merges.txt"), "#version: 0.2\n");
        String one = line(DiffusionModel.open(file, ModelLoadOptions.defaults().withTokenizer(folder.resolve("words"))),
                hashes);
        assertEquals("Model hash: " + hashes.hash(file).substring(0, 10) + ", Model: mine",
                one.replaceFirst("(?s).*(Model hash: .*, Model: \\w+).*", "$1"));
        String other = line(DiffusionModel.open(Shared.root().resolve("assets/default-model")), hashes);
        assertFalse(other.contains("Model hash"), "a folder has no hash: " + other);
    }

    /// The device's provider is not registered, so the first network fails.
    @Test
    void theCpuReplacesADeviceThatFails() throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        Device device = new ProviderDevice("fake-gpu", new ProviderDevice.Hardware("FakeExecutionProvider", "Fake",
                ProviderDevice.Hardware.Kind.GPU, "", OptionalLong.empty()), ProviderDevice.Precision.FLOAT32);
        Generation generation = new Generation(new PromptPair("a red apple", ""),
                GenerationSettings.of(SamplingSettings.of(SamplerName.DDIM, ScheduleName.AUTOMATIC, 2), 1, 64, 64), 5,
                List.of());
        List<String> warnings = new ArrayList<>();
        try (ImageGenerator generator = ImageGenerator.open(model, device, EngineName.AUTO, warnings::add);
                ImageGenerator cpu = ImageGenerator.open(model, Device.CPU)) {
            RgbImage found = generator.generate(generation, step -> StepListener.Next.CONTINUE).orElseThrow();
            RgbImage expected = cpu.generate(generation, step -> StepListener.Next.CONTINUE).orElseThrow();
            assertArrayEquals(expected.argb(), found.argb());
        }
        assertEquals(1, warnings.size(), warnings::toString);
        assertTrue(warnings.getFirst().startsWith("Device fake-gpu failed, so the CPU computes: "), warnings::toString);
    }

    @Test
    void aProviderThatCrashesCostsOneImage() throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        Generation generation = new Generation(new PromptPair("a red apple", ""),
                GenerationSettings.of(SamplingSettings.of(SamplerName.DDIM, ScheduleName.AUTOMATIC, 3), 1, 64, 64), 5,
                List.of());
        List<String> warnings = new ArrayList<>();
        try (ImageGenerator generator = ImageGenerator.open(model, FakeProviderProgram.device(folder), EngineName.AUTO,
                warnings::add); ImageGenerator cpu = ImageGenerator.open(model, Device.CPU)) {
            RgbImage expected = cpu.generate(generation, StepListener.none()).orElseThrow();
            AtomicBoolean killed = new AtomicBoolean();
            RgbImage found = generator.generate(generation, step -> {
                if (step.completedSteps() == 1 && killed.compareAndSet(false, true)) killProcess();
                return StepListener.Next.CONTINUE;
            }).orElseThrow();
            assertArrayEquals(expected.argb(), found.argb(), "made again on the processor");
            assertEquals(1, warnings.size(), warnings::toString);
            assertTrue(warnings.getFirst().contains("its process crashed"), warnings::toString);
            assertTrue(generator.generate(generation, StepListener.none()).isPresent());
            assertEquals(2, FakeProviderProgram.started(folder).size(), "the next image uses a new process");
            assertEquals(Optional.empty(), generator.generate(generation, step -> StepListener.Next.STOP));
            assertEquals(1, warnings.size(), warnings::toString);
        }
    }

    private void killProcess() {
        try {
            FakeProviderProgram.kill(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void pyTorchDoesNotRunOnAProvider() throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        List<String> warnings = new ArrayList<>();
        String message = assertThrows(Failure.Incompatible.class, () -> ImageGenerator.open(model,
                FakeProviderProgram.device(folder), EngineName.TORCH, warnings::add)).getMessage();
        assertTrue(message.contains("fake-gpu") && message.contains("PyTorch"), message);
        assertEquals(List.of(), warnings);
    }
}
