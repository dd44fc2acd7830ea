package atomstudio.app.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.engine.ClipTestModels;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.Generation.GenerationSettings;
import atomstudio.diffusion.engine.Generation.PromptPair;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Pictures of a model that brings a safety checker.
class SafetyFilterTest {
    @TempDir
    Path folder;

    /// Whose checker takes every picture for unsafe, or none.
    private DiffusionModel model(float limit) throws Exception {
        Path place = ClipTestModels.withSafetyChecker(folder.resolve("model " + limit));
        Files.createDirectories(place.resolve("tokenizer"));
        Files.writeString(place.resolve("tokenizer/vocab.json"),
                "{\"a\": 0, \"a</w>\": 1, \"<|startoftext|>\": 198, \"<|endoftext|>\": 199}");
        Files.writeString(place.resolve("tokenizer/merges.txt"), "#version: 0.2\n");
        Files.writeString(place.resolve("tokenizer/tokenizer_config.json"), "{\"model_max_length\": 16}");
        Path weights = place.resolve("safety_checker/model.safetensors");
        Map<String, Tensor> tensors = new HashMap<>();
        try (SafetensorsFile file = SafetensorsFile.open(weights)) {
            for (String name : file.tensors().keySet()) tensors.put(name, file.read(name));
        }
        tensors.computeIfPresent("concept_embeds_weights", (name, limits) -> Tensor.filled(limits.shape(), limit));
        SafetensorsWriter.write(weights, tensors, Map.of());
        return DiffusionModel.open(place);
    }

    private record GeneratedImage(RgbImage picture, List<RgbImage> looks, List<String> notes) {}

    private static GeneratedImage make(DiffusionModel model, SafetyFilter safety) throws Exception {
        List<String> notes = new ArrayList<>();
        List<RgbImage> looks = new ArrayList<>();
        Generation generation = new Generation(new PromptPair("a", ""),
                GenerationSettings.of(SamplingSettings.of(SamplerName.DDIM, ScheduleName.AUTOMATIC, 4), 1,
                        model.defaultImageSize(), model.defaultImageSize()),
                5, List.of());
        try (ImageGenerator maker = ImageGenerator.open(model, Device.CPU, EngineName.AUTO, notes::add)) {
            maker.setSafetyFilter(safety);
            LivePreview preview = new LivePreview(maker, looks::add);
            RgbImage picture = maker.generate(generation, step -> {
                preview.show(step.denoised());
                return StepListener.Next.CONTINUE;
            }).orElseThrow();
            return new GeneratedImage(picture, looks, notes);
        }
    }

    private static boolean black(RgbImage picture) {
        return Arrays.stream(picture.argb()).allMatch(pixel -> pixel == 0xFF000000);
    }

    @Test
    void anUnsafePictureIsBlackAndSaidToBeUnlessTheCheckerIsOff() throws Exception {
        DiffusionModel strict = model(-2);
        GeneratedImage heeded = make(strict, SafetyFilter.ON), not = make(strict, SafetyFilter.OFF);
        assertTrue(black(heeded.picture));
        assertEquals(1, heeded.notes.size());
        assertTrue(heeded.notes.getFirst().contains("seed 5") && heeded.notes.getFirst().contains("--safety off"),
                heeded.notes.getFirst());
        assertTrue(!black(not.picture) && not.notes.isEmpty());
        assertEquals(1, heeded.looks.size(), "what would be withheld is not looked at again");
        assertTrue(black(heeded.looks.getFirst()));
        assertTrue(!not.looks.isEmpty() && not.looks.stream().noneMatch(SafetyFilterTest::black));
        GeneratedImage mild = make(model(2), SafetyFilter.ON);
        assertEquals(not.picture, mild.picture);
        assertEquals(List.of(), mild.notes);
        assertTrue(!mild.looks.isEmpty() && mild.looks.stream().noneMatch(SafetyFilterTest::black),
                "a checker that is content withholds no preview");
    }
}
