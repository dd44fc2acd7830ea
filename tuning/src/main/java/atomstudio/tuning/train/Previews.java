package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Applied;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.TextToImage;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.picture.PngWriter;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.tuning.adapter.AdapterFile;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Pictures of one prompt and seed as training goes on. The prompt's embedding is kept from the first on, unless training changes it.
final class Previews {
    private static final long SEED = 0;
    private static final int STEPS = 20;
    private static final double GUIDANCE = 4;

    private final RunFolder folder;
    private final ModelFolder model;
    private final TextToImage maker;
    private final String prompt;

    Previews(RunFolder folder, ModelFolder model, TextToImage maker, RunInfo.Subject subject) {
        this.folder = folder;
        this.model = model;
        this.maker = maker;
        this.prompt = "a " + subject.token() + " " + subject.className() + " on the grass";
    }

    String prompt() {
        return prompt;
    }

    /// Embeds the prompts, so that the text encoder is needed no more.
    void embed() throws Failure {
        maker.prepare(prompt, List.of());
        maker.prepare("", List.of());
    }

    /// Returns the file's path within the run folder.
    String write(AdapterFile adapter, int step) throws Failure {
        SamplerName sampler = SamplerName.ofClass(model.scheduler().className()).orElse(SamplerName.DDIM);
        Generation.Settings settings = new Generation.Settings(sampler, SamplerName.Spaced.MODEL, STEPS, GUIDANCE, model.pictureSize(), model.pictureSize());
        Generation generation = new Generation(new Generation.Prompt(prompt, ""), settings, SEED, List.of(new Applied(adapter.adapter("preview"), 1)));
        Picture picture = maker.picture(generation, StepListener.none()).orElseThrow();
        String file = String.format(Locale.ROOT, "previews/%06d.png", step);
        PngWriter.write(folder.file(file), picture, Map.of());
        return file;
    }
}
