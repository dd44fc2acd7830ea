package atomstudio.tuning.config;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// A training setting: its name on the command line and in run.json, its caption in the window, and its help.
public enum TrainingSetting {
    STEPS(List.of("steps"), "Steps", "N", "Training steps. Default: the method's."),
    LEARNING_RATE(List.of("learning-rate", "rate"), "Learning rate", "X",
            "Learning rate of the method. Default: the method's; 1 with prodigy, which adapts its own."),
    COMBINED_LEARNING_RATE(List.of("combined-learning-rate", "also-rate"), "Combined method LR", "X",
            "Learning rate of the method trained together with it (--combine-with). Default: that method's."),
    WORD_LEARNING_RATE(List.of("word-learning-rate", "word-rate"), "Trigger word LR", "X",
            "Learning rate of a word trained together with the method. Default: textual inversion's."),
    TEXT_ENCODER_LEARNING_RATE(List.of("text-encoder-learning-rate", "text-encoder-rate"),
            "Text encoder LR", "X",
            "Learning rate of LoRA on the text encoder (--train-text-encoder). Default: LoRA's."),
    SEED(List.of("seed"), "Seed", "N", "Random seed, from 0 to 18446744073709551615."),
    WARMUP_STEPS(List.of("warmup-steps", "warmup"), "Warm-up steps", "N",
            "Steps over which the learning rate rises linearly."),
    LR_SCHEDULER(List.of("lr-scheduler", "decay"), "LR scheduler", TrainingConfig.LearningRateScheduler.values(),
            "Learning rate after warmup: %s (decays to 0 at the last step, so steps cannot be added later)."),
    OPTIMIZER(List.of("optimizer"), "Optimizer", TrainingConfig.OptimizerName.values(), "%s."),
    BATCH_SIZE(List.of("batch-size", "batch"), "Batch size", "N",
            "Photos per batch. Default: by the size of the model."),
    GRADIENT_ACCUMULATION(List.of("gradient-accumulation", "accumulate"), "Gradient accumulation", "N",
            "Batches whose gradients make one step."),
    EMA_DECAY(List.of("ema-decay", "ema"), "EMA decay", "X",
            "Decay of the exponential moving average of the parameters, such as 0.99; the adapter is the average. "
                    + "0: no average."),
    RESOLUTION(List.of("resolution", "size"), "Resolution", "N",
            "Side of the training photos in pixels. Default: the model's."),
    CROP(List.of("crop"), "Cropping", TrainingConfig.CropMode.values(),
            "Part of a photo that is trained on: %s (random: another square each time; whole: all of it, in its own "
                    + "aspect ratio)."),
    FLIP(List.of("flip"), "Horizontal flip", "Also train on the mirrored photos."),
    CAPTIONS(List.of("captions"), "Use captions",
            "Use NAME.txt beside a photo as its caption; {} in it stands for the subject."),
    CAPTION_TEMPLATE(List.of("caption-template"), "Caption template", "TEXT",
            "Caption of photos without one of their own, such as \"a photo of {}\". Default: built-in templates."),
    MASKS(List.of("masks"), "Use masks",
            "Train only on the white parts of NAME-mask.png, or on what is not transparent."),
    CACHED_NOISE_SAMPLES(List.of("cached-noise-samples", "bank"), "Cached noise samples", "N",
            "Train on N fixed noisy samples, usually 64 to 128, and cache the UNet encoder's features of them on "
                    + "disk, which makes steps a little shorter. Needs --layers up. 0: new noise in every step, "
                    + "which is no worse and usually better."),
    MIN_SNR_GAMMA(List.of("min-snr-gamma", "min-snr"), "Min-SNR γ", "X",
            "Weight the loss of timesteps by min-SNR with this γ, usually 5."),
    NOISE_OFFSET(List.of("noise-offset"), "Noise offset", "X",
            "Share of the noise that shifts whole channels, for very dark or bright images; usually 0.1 at most."),
    CLASS_IMAGES(List.of("class-images", "prior"), "Class images", "DIR|auto",
            "Prior preservation: also train on images of the class, so that the model keeps it. A folder, or auto to "
                    + "generate them once with the base model."),
    PRIOR_LOSS_WEIGHT(List.of("prior-loss-weight", "prior-weight"), "Prior loss weight", "X",
            "Weight of the class images' loss."),
    PREVIEW_EVERY(List.of("preview-every"), "Preview interval", "N", "Steps between previews; 0: no previews."),
    VALIDATE(List.of("validate"), "Validation",
            "Hold out one of five or more photos and record its loss (with fewer, score the previews where the model "
                    + "can); keep the best checkpoint as the adapter."),
    EARLY_STOPPING(List.of("early-stopping", "stop-early"), "Early stopping",
            "Stop when validation no longer improves."),
    PRECISION(List.of("precision"), "Precision of frozen weights", TrainingConfig.PrecisionMode.values(),
            "Precision of the frozen weights: %s."),
    GRADIENT_CHECKPOINTING(List.of("gradient-checkpointing", "checkpointing"), "Gradient checkpointing",
            "Recompute activations instead of keeping them: less memory, more time.");

    public static final String YES = "yes";
    public static final String NO = "no";

    private final List<String> names;
    private final String title;
    private final String valueLabel;
    private final String description;
    private final List<String> allowedValues;

    TrainingSetting(List<String> names, String title, String valueLabel, String description) {
        this(names, title, valueLabel, description, List.of());
    }

    TrainingSetting(List<String> names, String title, TrainingConfig.OptionValue[] values, String description) {
        List<String> options = Stream.of(values).map(TrainingConfig.OptionValue::option).toList();
        this(names, title, "NAME", description.formatted(String.join(", ", options)), options);
    }

    /// A setting that is switched on by its name.
    TrainingSetting(List<String> names, String title, String description) {
        this(names, title, "YES", description, List.of(NO, YES));
    }

    TrainingSetting(List<String> names, String title, String valueLabel, String description,
            List<String> allowedValues) {
        this.names = names;
        this.title = title;
        this.valueLabel = valueLabel;
        this.description = description;
        this.allowedValues = allowedValues;
    }

    /// @param name the option's or an older one
    public static Optional<TrainingSetting> ofOption(String name) {
        return Stream.of(values()).filter(setting -> setting.names.contains(name)).findFirst();
    }

    static TrainingSetting of(TrainingConfig.Feature feature) {
        return valueOf(feature.name());
    }

    List<String> names() {
        return names;
    }

    /// The name on the command line (after `--`) and in run.json.
    public String option() {
        return names.getFirst();
    }

    /// Older names, which are still read.
    public List<String> aliases() {
        return names.subList(1, names.size());
    }

    /// The caption in the window.
    public String title() {
        return title;
    }

    /// Stands for the value in the help.
    public String valueLabel() {
        return valueLabel;
    }

    public String description() {
        return description;
    }

    /// The possible values, where these are a few names; else empty.
    public List<String> allowedValues() {
        return allowedValues;
    }

    /// Whether it is switched on by its name alone.
    public boolean isFlag() { return allowedValues.equals(List.of(NO, YES)); }

    /// Title and value for summaries: `Steps 50`, `Horizontal flip`.
    public String describe(String value) {
        return isFlag() ? title : title + " " + value;
    }
}
