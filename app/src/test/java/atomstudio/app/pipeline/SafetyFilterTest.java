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

/// Images of a model with a safety checker.
class SafetyFilterTest {
    @TempDir
    Path folder;

    /// A model whose checker flags every image, or none.
    private DiffusionModel model(float limit) throws Exception {
        Path path = ClipTestModels.withSafetyChecker(folder.resolve("model " + limit));
        Files.createDirectories(path.resolve("tokenizer"));
        Files.writeString(path.resolve("tokenizer/vocab.json"),
                "{\"a\": 0, \"a</w>\": 1, \"<|startoftext|>\": 198, \"<|endoftext|>\": 199}");
        Files.writeString(path.resolve("tokenizer/merges.txt"), "#version: 0.2\n");
        Files.writeString(path.resolve("tokenizer/tokenizer_config.json"), "{\"model_max_length\": 16}");
        Path weights = path.resolve("safety_checker/model.safetensors");
        Map<String, Tensor> tensors = new HashMap<>();
        try (SafetensorsFile file = SafetensorsFile.open(weights)) {
            for (String name : file.tensors().keySet()) tensors.put(name, file.read(name));
        }
        tensors.computeIfPresent("concept_embeds_weights", (name, limits) -> Tensor.filled(limits.shape(), limit));
        SafetensorsWriter.write(weights, tensors, Map.of());
        return DiffusionModel.open(path);
    }

    private record GeneratedImage(RgbImage image, List<RgbImage> previews, List<String> notes) {}

    private static GeneratedImage generate(DiffusionModel model, SafetyFilter safety) throws Exception {
        List<String> notes = new ArrayList<>();
        List<RgbImage> previews = new ArrayList<>();
        Generation generation = new Generation(new PromptPair("a", ""),
                GenerationSettings.of(SamplingSettings.of(SamplerName.DDIM, ScheduleName.AUTOMATIC, 4), 1,
                        model.defaultImageSize(), model.defaultImageSize()),
                5, List.of());
        try (ImageGenerator generator = ImageGenerator.open(model, Device.CPU, EngineName.AUTO, notes::add)) {
            generator.setSafetyFilter(safety);
            LivePreview preview = new LivePreview(generator, (row, image) -> previews.add(image));
            RgbImage image = generator.generate(generation, step -> {
                preview.show(step.denoised());
                return StepListener.Next.CONTINUE;
            }).orElseThrow();
            return new GeneratedImage(image, previews, notes);
        }
    }

    private static boolean isBlack(RgbImage image) {
        return Arrays.stream(image.argb()).allMatch(pixel -> pixel == 0xFF000000);
    }

    @Test
    void flaggedImageIsBlackWithAWarningUnlessTheFilterIsOff() throws Exception {
        DiffusionModel strict = model(-2);
        GeneratedImage filtered = generate(strict, SafetyFilter.ON), unfiltered = generate(strict, SafetyFilter.OFF);
        assertTrue(isBlack(filtered.image));
        assertEquals(1, filtered.notes.size());
        assertTrue(
                filtered.notes.getFirst().contains("seed 5")
                        && filtered.notes.getFirst().contains("with the safety checker off"),
                filtered.notes.getFirst());
        assertTrue(!isBlack(unfiltered.image) && unfiltered.notes.isEmpty());
        assertEquals(1, filtered.previews.size(), "no preview after a flagged one");
        assertTrue(isBlack(filtered.previews.getFirst()));
        assertTrue(!unfiltered.previews.isEmpty() && unfiltered.previews.stream().noneMatch(SafetyFilterTest::isBlack));
        GeneratedImage mild = generate(model(2), SafetyFilter.ON);
        assertEquals(unfiltered.image, mild.image);
        assertEquals(List.of(), mild.notes);
        assertTrue(!mild.previews.isEmpty() && mild.previews.stream().noneMatch(SafetyFilterTest::isBlack),
                "a checker that flags nothing changes no preview");
    }
}
