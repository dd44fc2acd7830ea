package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.DiffusionPipeline;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.RunInfo;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Generates previews during training: with one prompt and seed at regular steps, and with prompts that the user
/// requests. The training engine is used, since it has the derived values that the adapter file leaves out.
final class PreviewGenerator {
    private static final long SEED = 0;
    static final int STEPS = 20;
    static final double GUIDANCE = 4;

    private final RunFolder folder;
    private final DiffusionModel model;
    private final DiffusionPipeline pipeline;
    private final RunInfo.SubjectInfo subject;
    private int requested;

    PreviewGenerator(RunFolder folder, DiffusionModel model, DiffusionPipeline pipeline,
            RunInfo.SubjectInfo subject) {
        this.folder = folder;
        this.model = model;
        this.pipeline = pipeline;
        this.subject = subject;
    }

    DiffusionPipeline pipeline() {
        return pipeline;
    }

    /// @param file relative to the run folder
    record GeneratedPreview(RgbImage image, String file, String prompt) {}

    String prompt() {
        return prompt(subject.phrase());
    }

    /// The prompt of a subject's previews.
    static String prompt(RunInfo.SubjectInfo subject) {
        return promptFor(subject.phrase());
    }

    /// The preview prompt with these words for the subject.
    String prompt(String phrase) {
        return promptFor(phrase);
    }

    private static String promptFor(String phrase) {
        return "a " + phrase + " on the grass";
    }

    /// Encodes the prompts, so that the text encoder can be released.
    void encodePrompts() throws Failure {
        pipeline.promptEncoder().encode(new Generation.PromptPair(prompt(), ""), 1, List.of());
    }

    /// The preview of a step; empty when stopped.
    Optional<GeneratedPreview> atStep(int step, AdapterFile adapter, StepListener listener) throws Failure {
        return generate(prompt(), adapter, String.format(Locale.ROOT, "previews/%06d.png", step), listener);
    }

    /// A requested preview; `{}` in the prompt stands for the subject.
    Optional<GeneratedPreview> requested(String prompt, int step, AdapterFile adapter, StepListener listener)
            throws Failure {
        String file = String.format(Locale.ROOT, "previews/%06d-asked-%d.png", step, ++requested);
        return generate(prompt.replace(TrainingConfig.SUBJECT_PLACEHOLDER, subject.phrase()), adapter, file, listener);
    }

    private Optional<GeneratedPreview> generate(String prompt, AdapterFile adapter, String file, StepListener listener)
            throws Failure {
        Generation generation = new Generation(new Generation.PromptPair(prompt, ""), generationSettings(model), SEED,
                List.of(new WeightedAdapter(adapter.toAdapterWithoutDerived("preview"), 1)));
        Optional<RgbImage> image = pipeline.generate(generation, listener);
        if (image.isPresent()) PngWriter.write(folder.file(file), image.get(), Map.of());
        return image.map(each -> new GeneratedPreview(each, file, prompt));
    }

    /// Sampling settings of previews and class images.
    static Generation.GenerationSettings generationSettings(DiffusionModel model) throws Failure {
        return generationSettings(model, STEPS);
    }

    static Generation.GenerationSettings generationSettings(DiffusionModel model, int steps) throws Failure {
        SamplerName sampler = SamplerName.ofSupported(model.scheduler()).orElse(SamplerName.DDIM);
        return Generation.GenerationSettings.of(SamplingSettings.of(sampler, ScheduleName.AUTOMATIC, steps), GUIDANCE,
                model.defaultImageSize(), model.defaultImageSize());
    }
}
