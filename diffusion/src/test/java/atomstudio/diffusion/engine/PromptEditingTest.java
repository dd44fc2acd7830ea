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
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What the network attends to while a prompt changes, heard where it is asked.
class PromptEditingTest {
    private final List<Tensor> heard = new ArrayList<>();
    private final Map<Tensor, String> known = new HashMap<>();
    private DiffusionModel model;
    private Engine engine;

    @BeforeEach
    void open() throws Exception {
        model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        engine = OnnxEngine.open(model, Device.CPU, 2);
        PromptEncoder encoder = PromptEncoder.of(model, engine);
        for (String text : List.of("a red car", "a blue car", "snow", "rain", ""))
            known.put(encoder.encode(new PromptPair(text, ""), 1, List.of()).prompt(), text);
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

    /// The prompts of each time that the network was asked, the negative one first.
    private List<String> asked(Generation generation) throws Exception {
        heard.clear();
        DiffusionPipeline.of(model, listening()).sampleLatents(generation, StepListener.none());
        return heard.stream()
                .map(context -> known.get(context.rows(0, 1)) + "|" + known.get(context.rows(1, 2)))
                .toList();
    }

    private Engine listening() {
        return (Engine) Proxy.newProxyInstance(Engine.class.getClassLoader(), new Class<?>[] {Engine.class},
                (proxy, method, arguments) -> {
                    if (method.getName().equals("predictNoise")) heard.add((Tensor) arguments[2]);
                    try {
                        return method.invoke(engine, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    @Test
    void bothPromptsChangeFromStepToStep() throws Exception {
        assertEquals(List.of("snow|a red car", "rain|a red car", "snow|a blue car", "rain|a blue car"),
                asked(generation("a [red:blue:2] car", "[snow|rain]", SamplerName.DDIM)));
    }

    @Test
    void aSamplerThatAsksTwiceAStepHearsOfOnePrompt() throws Exception {
        assertEquals(List.of("|a red car", "|a red car", "|a blue car", "|a blue car", "|a red car", "|a red car",
                "|a blue car"), asked(generation("a [red|blue] car", "", SamplerName.HEUN)));
    }

    @Test
    void stepsAreThoseThatAreWalkedAndASecondPassGoesOnCounting() throws Exception {
        Generation plain = generation("a [red:blue:.5] car", "", SamplerName.DDIM);
        assertEquals(List.of("|a red car", "|a blue car"), asked(
                plain.withSource(new Source.FromImage(RgbImage.filled(64, 64, 0x808080), Optional.empty(), 0.5))));
        assertEquals(List.of("|a red car", "|a red car", "|a blue car", "|a blue car", "|a blue car", "|a blue car"),
                asked(plain.with(new Hires(1.5, 0.5))));
        assertEquals(List.of("|a red car", "|a red car", "|a red car", "|a red car", "|a red car", "|a blue car"),
                asked(generation("a [red:blue:1.5] car", "", SamplerName.DDIM).with(new Hires(1.5, 0.5))));
    }
}
