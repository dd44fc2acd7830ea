package atomstudio.tuning.config;

import static atomstudio.tuning.config.SettingType.flag;
import static atomstudio.tuning.config.SettingType.integer;
import static atomstudio.tuning.config.SettingType.learningRate;
import static atomstudio.tuning.config.SettingType.number;
import static atomstudio.tuning.config.SettingType.oneOf;
import static atomstudio.tuning.config.SettingType.optionalLearningRate;
import static atomstudio.tuning.config.SettingType.seed;
import static atomstudio.tuning.config.SettingType.text;

import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Stream;

/// A training setting: its name on the command line and in run.json, its caption in the window, its help, its values,
/// its default, and its value in a config. A new setting is a constant here and a component in [TrainingConfig].
public enum TrainingSetting {
    STEPS(SettingGroup.SCHEDULE, List.of("steps"), "Steps", "Training steps. Default: the method's.",
            integer().in("at least 1", steps -> steps >= 1), (method, _) -> method.choice().steps(),
            config -> config.schedule().steps()),
    LEARNING_RATE(SettingGroup.SCHEDULE, List.of("learning-rate", "rate"), "Learning rate",
            "Learning rate of the method. Default: the method's; 1 with prodigy, which adapts its own.",
            learningRate(), (method, optimizer) -> optimizer.learningRate(method.choice()),
            config -> config.schedule().learningRate()),
    COMBINED_LEARNING_RATE(SettingGroup.SCHEDULE, List.of("combined-learning-rate", "also-rate"), "Combined method LR",
            "Learning rate of the method trained together with it (--combine-with). Default: that method's.",
            optionalLearningRate("--combine-with METHOD (a word has --word-learning-rate)"),
            (method, optimizer) -> optimizer.learningRate(
                    method.combinedWith().filter(other -> other != MethodName.TEXTUAL_INVERSION)),
            config -> config.schedule().learningRates().combinedMethod()),
    WORD_LEARNING_RATE(SettingGroup.SCHEDULE, List.of("word-learning-rate", "word-rate"), "Trigger word LR",
            "Learning rate of a word trained together with the method. Default: textual inversion's.",
            optionalLearningRate("--method atoms+word or --combine-with textual-inversion"),
            (method, optimizer) -> optimizer.learningRate(
                    Optional.of(MethodName.TEXTUAL_INVERSION).filter(_ -> method.trainsWord())),
            config -> config.schedule().learningRates().triggerWord()),
    TEXT_ENCODER_LEARNING_RATE(SettingGroup.SCHEDULE, List.of("text-encoder-learning-rate", "text-encoder-rate"),
            "Text encoder LR",
            "Learning rate of LoRA on the text encoder (--train-text-encoder). Default: LoRA's.",
            optionalLearningRate("--train-text-encoder"),
            (method, optimizer) -> optimizer.learningRate(
                    Optional.of(MethodName.LORA).filter(_ -> method.trainsTextEncoder())),
            config -> config.schedule().learningRates().textEncoder()),
    SEED(SettingGroup.SCHEDULE, List.of("seed"), "Seed", "Random seed, from 0 to 18446744073709551615.", seed(),
            (_, _) -> 0L, config -> config.schedule().seed()),
    WARMUP_STEPS(SettingGroup.SCHEDULE, List.of("warmup-steps", "warmup"), "Warm-up steps",
            "Steps over which the learning rate rises linearly.",
            integer().in("0 (none) or more", steps -> steps >= 0), (_, _) -> 20,
            config -> config.schedule().warmupSteps()),
    LR_SCHEDULER(SettingGroup.SCHEDULE, List.of("lr-scheduler", "decay"), "LR scheduler",
            "Learning rate after warmup: %s (decays to 0 at the last step, so steps cannot be added later).",
            oneOf(TrainingConfig.LearningRateScheduler.class),
            (_, _) -> TrainingConfig.LearningRateScheduler.CONSTANT, config -> config.schedule().scheduler()),
    OPTIMIZER(SettingGroup.OPTIMIZATION, List.of("optimizer"), "Optimizer", "%s.",
            oneOf(TrainingConfig.OptimizerName.class), (_, _) -> TrainingConfig.OptimizerName.ADAMW,
            config -> config.optimizer().name()),
    BATCH_SIZE(SettingGroup.OPTIMIZATION, List.of("batch-size", "batch"), "Batch size",
            "Photos per batch. Default: by the size of the model.",
            integer().in("at least 1", size -> size >= 1).unset(TrainingConfig.UNSET, "model default"),
            (_, _) -> TrainingConfig.UNSET, config -> config.optimizer().batchSize()),
    GRADIENT_ACCUMULATION(SettingGroup.OPTIMIZATION, List.of("gradient-accumulation", "accumulate"),
            "Gradient accumulation", "Batches whose gradients make one step.",
            integer().in("at least 1", batches -> batches >= 1), (_, _) -> 1,
            config -> config.optimizer().accumulationSteps()),
    EMA_DECAY(SettingGroup.OPTIMIZATION, List.of("ema-decay", "ema"), "EMA decay",
            "Decay of the exponential moving average of the parameters, such as 0.99; the adapter is the average. "
                    + "0: no average.",
            number().in("0 (none) or a number below 1 such as 0.99", decay -> decay >= 0 && decay < 1),
            (_, _) -> 0.0, config -> config.optimizer().emaDecay()),
    RESOLUTION(SettingGroup.PHOTOS, List.of("resolution", "size"), "Resolution",
            "Side of the training photos in pixels. Default: the model's.",
            integer().in("at least 1", side -> side >= 1).unset(TrainingConfig.UNSET, "model default"),
            (_, _) -> TrainingConfig.UNSET, config -> config.data().resolution()),
    CROP(SettingGroup.PHOTOS, List.of("crop"), "Cropping",
            "Part of a photo that is trained on: %s (random: another square each time; whole: all of it, in its own "
                    + "aspect ratio).",
            oneOf(TrainingConfig.CropMode.class), (_, _) -> TrainingConfig.CropMode.CENTRE,
            config -> config.data().crop()),
    FLIP(SettingGroup.PHOTOS, List.of("flip"), "Horizontal flip", "Also train on the mirrored photos.",
            TrainingConfig.Feature.FLIP),
    CAPTIONS(SettingGroup.PHOTOS, List.of("captions"), "Use captions",
            "Use NAME.txt beside a photo as its caption; {} in it stands for the subject.",
            TrainingConfig.Feature.CAPTIONS),
    CAPTION_TEMPLATE(SettingGroup.PHOTOS, List.of("caption-template"), "Caption template",
            "Caption of photos without one of their own, such as \"a photo of {}\". Default: built-in templates.",
            text("TEXT").in("{} for the subject, as in \"a photo of {}\"",
                    template -> template.contains(TrainingConfig.SUBJECT_PLACEHOLDER))
                    .unset("", "built-in templates"),
            (_, _) -> "", config -> config.data().captionTemplate()),
    MASKS(SettingGroup.PHOTOS, List.of("masks"), "Use masks",
            "Train only on the white parts of NAME-mask.png, or on what is not transparent.",
            TrainingConfig.Feature.MASKS),
    CACHED_NOISE_SAMPLES(SettingGroup.PERFORMANCE, List.of("cached-noise-samples", "bank"), "Cached noise samples",
            "Train on N fixed noisy samples, usually 64 to 128, and cache the UNet encoder's features of them on "
                    + "disk, which makes steps a little shorter. Needs --layers up. 0: new noise in every step, "
                    + "which is no worse and usually better.",
            integer().in("0 (none) or a number of samples, usually 64 to 128", samples -> samples >= 0),
            (_, _) -> 0, config -> config.data().cachedNoiseSamples()),
    MIN_SNR_GAMMA(SettingGroup.OPTIMIZATION, List.of("min-snr-gamma", "min-snr"), "Min-SNR γ",
            "Weight the loss of timesteps by min-SNR with this γ, usually 5.",
            number().in("a number above 0, usually 5", gamma -> gamma > 0 && Double.isFinite(gamma))
                    .unset(0.0, "none"),
            (_, _) -> 0.0, config -> config.loss().minSnrGamma()),
    NOISE_OFFSET(SettingGroup.OPTIMIZATION, List.of("noise-offset"), "Noise offset",
            "Share of the noise that shifts whole channels, for very dark or bright images; usually 0.1 at most.",
            number().in("0 to 1, usually 0.1 at most", offset -> offset >= 0 && offset <= 1), (_, _) -> 0.0,
            config -> config.loss().noiseOffset()),
    CLASS_IMAGES(SettingGroup.PRIOR_PRESERVATION, List.of("class-images", "prior"), "Class images",
            "Prior preservation: also train on images of the class, so that the model keeps it. A folder, or auto to "
                    + "generate them once with the base model.",
            text("DIR|auto").in("a folder of images, or auto", source -> !source.isBlank()).unset("", "none"),
            (_, _) -> "", config -> config.loss()
                    .priorPreservation()
                    .map(TrainingConfig.PriorPreservation::source)
                    .orElse("")),
    PRIOR_LOSS_WEIGHT(SettingGroup.PRIOR_PRESERVATION, List.of("prior-loss-weight", "prior-weight"),
            "Prior loss weight",
            "Weight of the class images' loss.",
            number().in("a number above 0, usually 1", weight -> weight > 0 && Double.isFinite(weight))
                    .unset(0.0, ""),
            (_, _) -> 1.0, config -> config.loss()
                    .priorPreservation()
                    .map(TrainingConfig.PriorPreservation::weight)
                    .orElse(0.0)),
    PREVIEW_EVERY(SettingGroup.PREVIEWS, List.of("preview-every"), "Preview interval",
            "Steps between previews; 0: no previews.", integer().in("0 (none) or more", steps -> steps >= 0),
            (_, _) -> 0, config -> config.runtime().previewEvery()),
    VALIDATE(SettingGroup.PREVIEWS, List.of("validate"), "Validation",
            "Hold out one of five or more photos and record its loss (with fewer, score the previews where the model "
                    + "can); keep the best checkpoint as the adapter.",
            TrainingConfig.Feature.VALIDATE),
    EARLY_STOPPING(SettingGroup.PREVIEWS, List.of("early-stopping", "stop-early"), "Early stopping",
            "Stop when validation no longer improves.", TrainingConfig.Feature.EARLY_STOPPING),
    PRECISION(SettingGroup.PERFORMANCE, List.of("precision"), "Precision of frozen weights",
            "Precision of the frozen weights: %s.", oneOf(TrainingConfig.PrecisionMode.class),
            (_, _) -> TrainingConfig.PrecisionMode.FP32, config -> config.runtime().precision()),
    GRADIENT_CHECKPOINTING(SettingGroup.PERFORMANCE, List.of("gradient-checkpointing", "checkpointing"),
            "Gradient checkpointing", "Recompute activations instead of keeping them: less memory, more time.",
            TrainingConfig.Feature.GRADIENT_CHECKPOINTING);

    public static final String YES = "yes";
    public static final String NO = "no";

    private final SettingGroup group;
    private final List<String> names;
    private final String title;
    private final String description;
    private final SettingType<Object> type;
    private final BiFunction<MethodSettings, TrainingConfig.OptimizerName, ?> defaultValue;
    private final Function<TrainingConfig, ?> value;

    /// @param description `%s` in it stands for the allowed values
    @SuppressWarnings("unchecked") // All values come from `type`, `defaultValue` and `value`, which agree in T.
    <T> TrainingSetting(SettingGroup group, List<String> names, String title, String description, SettingType<T> type,
            BiFunction<MethodSettings, TrainingConfig.OptimizerName, T> defaultValue,
            Function<TrainingConfig, T> value) {
        this.group = group;
        this.names = names;
        this.title = title;
        this.description = description.replace("%s", String.join(", ", type.allowedValues()));
        this.type = (SettingType<Object>) type;
        this.defaultValue = defaultValue;
        this.value = value;
    }

    TrainingSetting(SettingGroup group, List<String> names, String title, String description,
            TrainingConfig.Feature feature) {
        this(group, names, title, description, flag(), (_, _) -> false, config -> config.has(feature));
    }

    /// The defaults of a method with an optimizer.
    static Map<TrainingSetting, Object> defaults(MethodSettings method, TrainingConfig.OptimizerName optimizer) {
        Map<TrainingSetting, Object> defaults = new EnumMap<>(TrainingSetting.class);
        for (TrainingSetting setting : values())
            defaults.put(setting, setting.defaultValue.apply(method, optimizer));
        return defaults;
    }

    SettingType<Object> type() {
        return type;
    }

    /// Its value in a config.
    Object of(TrainingConfig config) {
        return value.apply(config);
    }

    /// @throws IllegalArgumentException if its value is out of range
    void check(TrainingConfig config) {
        Object found = of(config);
        if (!type.isUnset(found)) check(found);
    }

    /// @throws IllegalArgumentException if a value is out of range or left open
    void check(Object found) {
        Object shown = SettingType.jsonValue(found);
        if (!type.isValid().test(found))
            throw invalid(type.range(), shown instanceof String ? "\"" + shown + "\"" : shown);
    }

    /// The value of a text.
    /// @param defaultValue if left open and the type requires other options, the setting cannot be chosen
    /// @throws IllegalArgumentException that starts with the setting's name
    Object parse(String text, Object defaultValue) {
        String required = type.unset().map(SettingType.Unset::required).orElse("");
        if (!required.isEmpty() && type.isUnset(defaultValue)) throw missing(required);
        try {
            Object parsed = type.parse().apply(text);
            if (type.isUnset(parsed)) throw invalid(type.range(), 0);
            return parsed;
        } catch (NumberFormatException | NoSuchElementException e) {
            throw invalid(type.form(), allowedValues().isEmpty() || isFlag() ? text : "\"" + text + "\"");
        }
    }

    /// The setting was chosen without the options that it needs.
    IllegalArgumentException missing(String required) {
        return invalid(required + " with it", "none");
    }

    private IllegalArgumentException invalid(String expected, Object found) {
        return new IllegalArgumentException(option() + ": expected " + expected + ", found " + found);
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

    public SettingGroup group() {
        return group;
    }

    /// The caption in the window.
    public String title() {
        return title;
    }

    /// Stands for the value in the help.
    public String valueLabel() {
        return type.label();
    }

    public String description() {
        return description;
    }

    /// The possible values, where these are a few names; else empty.
    public List<String> allowedValues() {
        return type.allowedValues();
    }

    /// Whether it is switched on by its name alone.
    public boolean isFlag() { return allowedValues().equals(List.of(NO, YES)); }

    /// Shown in the window for a default that is left open.
    public String unsetLabel() {
        return type.unset().map(SettingType.Unset::label).orElse("");
    }

    /// Whether a run that is continued may have another value.
    public boolean mayChangeOnResume() { return this == STEPS; }

    /// Title and value for summaries: `Steps 50`, `Horizontal flip`.
    public String describe(String value) {
        return isFlag() ? title : title + " " + value;
    }
}
