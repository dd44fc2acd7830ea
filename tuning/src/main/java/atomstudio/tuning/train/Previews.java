package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.DiffusionPipeline;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.picture.PngWriter;
import atomstudio.diffusion.picture.RgbImage;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.tuning.adapter.AdapterFile;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Pictures of one prompt and seed as training goes on, and of prompts that a person asks for in between. They are made by the engine that
/// trains, which has derived what adapters leave out. The prompt's embedding is kept from the first on, unless training changes it.
final class Previews {
    private static final long SEED = 0;
    static final int STEPS = 20;
    static final double GUIDANCE = 4;

    private final RunFolder folder;
    private final DiffusionModel model;
    private final DiffusionPipeline maker;
    private final RunInfo.Subject subject;
    private int asked;

    Previews(RunFolder folder, DiffusionModel model, DiffusionPipeline maker, RunInfo.Subject subject) {
        this.folder = folder;
        this.model = model;
        this.maker = maker;
        this.subject = subject;
    }

    /// What makes the pictures.
    DiffusionPipeline maker() {
        return maker;
    }

    /// A picture, and its file within the run folder.
    record Made(RgbImage picture, String file, String prompt) {}

    String prompt() {
        return prompt(subject.words());
    }

    /// The prompt of a subject's previews.
    static String prompt(RunInfo.Subject subject) {
        return of(subject.words());
    }

    /// The preview's prompt with these words in the subject's place.
    String prompt(String words) {
        return of(words);
    }

    private static String of(String words) {
        return "a " + words + " on the grass";
    }

    /// Embeds the prompts, so that the text encoder is needed no more.
    void embed() throws Failure {
        maker.promptEncoder().encode(new Generation.PromptPair(prompt(), ""), 1, List.of());
    }

    /// The preview of a step; empty when the listener said stop.
    Optional<Made> at(int step, AdapterFile adapter, StepListener listener) throws Failure {
        return made(prompt(), adapter, String.format(Locale.ROOT, "previews/%06d.png", step), listener);
    }

    /// A picture that a person asks for; `{}` in the prompt stands for the subject.
    Optional<Made> asked(String prompt, int step, AdapterFile adapter, StepListener listener) throws Failure {
        String file = String.format(Locale.ROOT, "previews/%06d-asked-%d.png", step, ++asked);
        return made(prompt.replace(Captions.PLACEHOLDER, subject.words()), adapter, file, listener);
    }

    private Optional<Made> made(String prompt, AdapterFile adapter, String file, StepListener listener) throws Failure {
        Generation generation = new Generation(new Generation.PromptPair(prompt, ""), settings(model), SEED, List.of(new WeightedAdapter(adapter.toAdapterWithoutDerived("preview"), 1)));
        Optional<RgbImage> picture = maker.generate(generation, listener);
        if (picture.isPresent()) PngWriter.write(folder.file(file), picture.get(), Map.of());
        return picture.map(each -> new Made(each, file, prompt));
    }

    /// How pictures are sampled while training goes on.
    static Generation.GenerationSettings settings(DiffusionModel model) throws Failure {
        return settings(model, STEPS);
    }

    /// The same with another number of steps.
    static Generation.GenerationSettings settings(DiffusionModel model, int steps) throws Failure {
        SamplerName sampler = SamplerName.ofSupported(model.scheduler()).orElse(SamplerName.DDIM);
        return Generation.GenerationSettings.of(SamplingSettings.of(sampler, ScheduleName.MODEL, steps), GUIDANCE, model.defaultImageSize(), model.defaultImageSize());
    }
}
