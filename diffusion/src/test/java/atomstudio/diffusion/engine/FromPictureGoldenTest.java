package atomstudio.diffusion.engine;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Generation.Hires;
import atomstudio.diffusion.engine.Generation.Prompt;
import atomstudio.diffusion.engine.Generation.Settings;
import atomstudio.diffusion.engine.Generation.Source;
import atomstudio.diffusion.engine.PromptEncoder.Contexts;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.picture.Mask;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.picture.Pictures;
import atomstudio.diffusion.picture.Resampling;
import atomstudio.diffusion.sample.Sampled;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.Sampling;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.Safetensors;
import atomstudio.diffusion.tensor.Tensor;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Pictures from pictures against the reference's pipelines; `make.py` beside the goldens made them.
class FromPictureGoldenTest {
    private static final Path GOLDENS = Shared.own("goldens/from-pictures");
    private static final double TOLERANCE = 1e-3;

    @ParameterizedTest
    @ValueSource(strings = {"img2img-ddim-0.5", "img2img-ddim-0.8", "img2img-euler-0.5", "img2img-euler-0.8", "img2img-euler-a", "inpaint-ddim", "inpaint-ddim-0.7", "inpaint-euler", "inpaint-euler-a",
        "hires-ddim-2", "hires-euler-1.5"})
    void startsFromPicturesLikeTheReference(String name) throws Exception {
        ModelFolder model = ModelFolder.open(Shared.root().resolve("assets/default-model"));
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 2); Safetensors golden = Safetensors.open(GOLDENS.resolve(name + ".safetensors"))) {
            JsonObject made = made(golden);
            Generation generation = generation(made, made.get("prompt").getAsString(), model);
            Contexts contexts = PromptEncoder.of(model, engine).contexts(generation.prompt(), 1, List.of());
            compare(golden, generation, new Painter(model, engine), contexts);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"nine-ddim", "nine-ddim-0.7", "nine-euler-a"})
    void givesANetworkOfNineChannelsTheMaskAndTheMaskedPicture(String name) throws Exception {
        ModelFolder model = ModelFolder.open(Shared.own("goldens/nets/inpaint/model"));
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 2); Safetensors golden = Safetensors.open(GOLDENS.resolve(name + ".safetensors"))) {
            Generation generation = generation(made(golden), "", model);
            compare(golden, generation, new Painter(model, engine), new Contexts(golden.read("context"), golden.read("negative")));
        }
    }

    private static void compare(Safetensors golden, Generation generation, Painter painter, Contexts contexts) throws Exception {
        int[] heard = {0};
        Sampled.Finished sampled = assertInstanceOf(Sampled.Finished.class, painter.paint(generation, contexts, progress -> {
            heard[0]++;
            return progress.done() == heard[0] ? StepListener.Next.CONTINUE : StepListener.Next.STOP;
        }));
        assertTrue(heard[0] == painter.steps(generation), heard[0] + " steps were done, " + painter.steps(generation) + " announced");
        Tensor expected = golden.read("latents");
        Deviation deviation = Deviation.relative(golden.file().getFileName().toString(), expected, sampled.latents(), TOLERANCE);
        assertTrue(deviation.within(), deviation.toString());
    }

    private static JsonObject made(Safetensors golden) {
        return JsonParser.parseString(golden.metadata().get("case")).getAsJsonObject();
    }

    private static Generation generation(JsonObject made, String prompt, ModelFolder model) throws Exception {
        int width = made.has("width") ? made.get("width").getAsInt() : 128;
        int height = made.has("height") ? made.get("height").getAsInt() : 128;
        SamplerName sampler = SamplerName.of(model.scheduler().forClass(made.get("scheduler").getAsString()));
        Settings settings = Settings.of(Sampling.of(sampler, ScheduleName.MODEL, made.get("steps").getAsInt()), made.get("guidance").getAsDouble(), width, height);
        Generation plain = new Generation(new Prompt(prompt, ""), settings, made.get("seed").getAsLong(), List.of());
        double denoise = made.get("denoise").getAsDouble();
        return switch (made.get("kind").getAsString()) {
            case "hires" -> plain.with(new Hires(made.get("scale").getAsDouble(), denoise));
            case "img2img" -> plain.from(new Source.FromPicture(picture(width, height), Optional.empty(), denoise));
            default -> plain.from(new Source.FromPicture(picture(width, height), Optional.of(mask(width, height)), denoise));
        };
    }

    /// Stretched to the size, as the script does; what is of that size already is not cropped.
    private static Picture picture(int width, int height) throws Exception {
        return Pictures.read(GOLDENS.resolve("picture.png")).resize(width, height);
    }

    private static Mask mask(int width, int height) throws Exception {
        return new Mask(Mask.of(Pictures.read(GOLDENS.resolve("mask.png"))).grey().resize(width, height, Resampling.BILINEAR));
    }
}
