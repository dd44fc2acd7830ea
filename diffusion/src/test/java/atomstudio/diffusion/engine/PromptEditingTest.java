package atomstudio.diffusion.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Generation.GenerationSettings;
import atomstudio.diffusion.engine.Generation.Hires;
import atomstudio.diffusion.engine.Generation.PromptPair;
import atomstudio.diffusion.engine.Generation.Source;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The prompt embeddings passed to the UNet with prompt editing.
class PromptEditingTest {
    private final List<Tensor> contexts = new ArrayList<>();
    private final Map<Tensor, String> promptOfEmbedding = new HashMap<>();
    private DiffusionModel model;
    private Engine engine;

    @BeforeEach
    void open() throws Exception {
        model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        engine = OnnxEngine.open(model, Device.CPU, 2);
        PromptEncoder encoder = PromptEncoder.of(model, engine.textEncoder());
        for (String text : List.of("a red car", "a blue car", "snow", "rain", ""))
            promptOfEmbedding.put(encoder.encode(new PromptPair(text, ""), 1, List.of()).prompt(), text);
    }

    @AfterEach
    void close() {
        engine.close();
    }

    private Generation generation(String prompt, String negative, SamplerName sampler) {
        return new Generation(new PromptPair(prompt, negative),
                GenerationSettings.of(SamplingSettings.of(sampler, ScheduleName.AUTOMATIC, 4), 4, 64, 64), 1,
                List.of());
    }

    /// The prompts of every UNet call as "negative|positive".
    private List<String> promptsOfCalls(Generation generation) throws Exception {
        contexts.clear();
        DiffusionPipeline.of(model, recordingEngine()).sampleLatents(generation, StepListener.none());
        return contexts.stream()
                .map(context -> promptOfEmbedding.get(context.rows(0, 1)) + "|"
                        + promptOfEmbedding.get(context.rows(1, 2)))
                .toList();
    }

    private Engine recordingEngine() {
        NoisePredictor recording = (latents, timesteps, conditioning, adapters) -> {
            contexts.add(conditioning.hiddenStates());
            return engine.noisePredictor().predict(latents, timesteps, conditioning, adapters);
        };
        return new Engine(engine.textEncoder(), recording, engine.autoencoder(), engine.clipEncoders());
    }

    @Test
    void bothPromptsChangeBetweenSteps() throws Exception {
        assertEquals(List.of("snow|a red car", "rain|a red car", "snow|a blue car", "rain|a blue car"),
                promptsOfCalls(generation("a [red:blue:2] car", "[snow|rain]", SamplerName.DDIM)));
    }

    @Test
    void secondCallOfAStepHasTheSamePrompt() throws Exception {
        assertEquals(List.of("|a red car", "|a red car", "|a blue car", "|a blue car", "|a red car", "|a red car",
                "|a blue car"), promptsOfCalls(generation("a [red|blue] car", "", SamplerName.HEUN)));
    }

    @Test
    void countsTheStepsThatRunAcrossBothPasses() throws Exception {
        Generation plain = generation("a [red:blue:.5] car", "", SamplerName.DDIM);
        assertEquals(List.of("|a red car", "|a blue car"), promptsOfCalls(
                plain.withSource(new Source.FromImage(RgbImage.filled(64, 64, 0x808080), Optional.empty(), 0.5))));
        assertEquals(List.of("|a red car", "|a red car", "|a blue car", "|a blue car", "|a blue car", "|a blue car"),
                promptsOfCalls(plain.with(new Hires(1.5, 0.5))));
        assertEquals(List.of("|a red car", "|a red car", "|a red car", "|a red car", "|a red car", "|a blue car"),
                promptsOfCalls(generation("a [red:blue:1.5] car", "", SamplerName.DDIM).with(new Hires(1.5, 0.5))));
    }
}
