package atomstudio.tuning.config;

import static atomstudio.tuning.setting.SettingType.flag;
import static atomstudio.tuning.setting.SettingType.integer;
import static atomstudio.tuning.setting.SettingType.learningRate;
import static atomstudio.tuning.setting.SettingType.list;
import static atomstudio.tuning.setting.SettingType.number;
import static atomstudio.tuning.setting.SettingType.oneOf;
import static atomstudio.tuning.setting.SettingType.optionalLearningRate;
import static atomstudio.tuning.setting.SettingType.seed;
import static atomstudio.tuning.setting.SettingType.text;

import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ModelSize;
import atomstudio.tuning.setting.Setting;
import atomstudio.tuning.setting.SettingGroup;
import atomstudio.tuning.setting.SettingType;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.stream.Stream;

/// A training setting: its name on the command line and in run.json, its caption in the window, its help, its values,
/// its default, and its value in a config. A new setting is a constant here and a component in [TrainingConfig].
public enum TrainingSetting implements Setting {
    STEPS(new Row<>(SettingGroup.SCHEDULE, List.of("steps"), "Steps", "steps",
            integer().in("at least 1", steps -> steps >= 1),
            "Training steps. Default: the method's for the model's size.")
            .changeableOnResume(), basis -> basis.method().choice().steps(basis.size()),
            config -> config.schedule().steps()),
    LEARNING_RATE(
            new Row<>(SettingGroup.SCHEDULE, List.of("learning-rate", "rate"), "Learning rate", "", learningRate(),
                    "Learning rate of the method. Default: the method's for the model's size; 1 with prodigy, which "
                            + "adapts its own."),
            basis -> basis.optimizer().learningRate(basis.method().choice(), basis.size()),
            config -> config.schedule().learningRate()),
    COMBINED_LEARNING_RATE(
            new Row<>(SettingGroup.SCHEDULE, List.of("combined-learning-rate", "also-rate"), "Combined method LR", "",
                    optionalLearningRate("“Combine with” METHOD (a word has “Trigger word LR”)"),
                    "Learning rate of the method trained together with it (“Combine with”). Default: that method's."),
            basis -> basis.learningRate(
                    basis.method().combinedWith().filter(other -> other != MethodName.TEXTUAL_INVERSION)),
            config -> config.schedule().learningRates().combinedMethod()),
    WORD_LEARNING_RATE(
            new Row<>(SettingGroup.SCHEDULE, List.of("word-learning-rate", "word-rate"), "Trigger word LR", "",
                    optionalLearningRate("the method atoms+word or “Combine with” textual-inversion"),
                    "Learning rate of a word trained together with the method. Default: textual inversion's."),
            basis -> basis.learningRate(
                    Optional.of(MethodName.TEXTUAL_INVERSION).filter(_ -> basis.method().trainsWord())),
            config -> config.schedule().learningRates().triggerWord()),
    TEXT_ENCODER_LEARNING_RATE(
            new Row<>(SettingGroup.SCHEDULE, List.of("text-encoder-learning-rate", "text-encoder-rate"),
                    "Text encoder LR", "", optionalLearningRate("“Train text encoder (LoRA)”"),
                    "Learning rate of LoRA on the text encoder (“Train text encoder (LoRA)”). Default: LoRA's."),
            basis -> basis.learningRate(
                    Optional.of(MethodName.LORA).filter(_ -> basis.method().trainsTextEncoder())),
            config -> config.schedule().learningRates().textEncoder()),
    SEED(new Row<>(SettingGroup.SCHEDULE, List.of("seed"), "Seed", "", seed(),
            "Random seed, from 0 to 18446744073709551615."), _ -> 0L, config -> config.schedule().seed()),
    WARMUP_STEPS(
            new Row<>(SettingGroup.SCHEDULE, List.of("warmup-steps", "warmup"), "Warm-up steps", "steps",
                    integer().in("0 (none) or more", steps -> steps >= 0),
                    "Steps over which the learning rate rises linearly."),
            _ -> 20, config -> config.schedule().warmupSteps()),
    LR_SCHEDULER(
            new Row<>(SettingGroup.SCHEDULE, List.of("lr-scheduler", "decay"), "LR scheduler", "",
                    oneOf(TrainingConfig.LearningRateScheduler.class),
                    "Learning rate after the warm-up: %s (decays to 0 at the last step, so steps cannot be added "
                            + "later)."),
            _ -> TrainingConfig.LearningRateScheduler.CONSTANT, config -> config.schedule().scheduler()),
    OPTIMIZER(
            new Row<>(SettingGroup.OPTIMIZATION, List.of("optimizer"), "Optimizer", "",
                    oneOf(TrainingConfig.OptimizerName.class), "Algorithm that updates the parameters: %s."),
            _ -> TrainingConfig.OptimizerName.ADAMW, config -> config.optimizer().name()),
    WEIGHT_DECAY(new Row<>(SettingGroup.OPTIMIZATION, List.of("weight-decay"), "Weight decay", "",
            number().in("0 to 1", decay -> decay >= 0 && decay <= 1).absent(0.0),
            "Decoupled decay of the trained parameters: each step takes away this share of them, times the learning "
                    + "rate."),
            _ -> 0.0, config -> config.optimizer().weightDecay()),
    GROUPS(new Row<>(SettingGroup.OPTIMIZATION, List.of("group"), "Parameter groups", "",
            list("LAYERS:VALUES", ParameterGroups.FORM, ParameterGroups::parse, ParameterGroups::read)
                    .in("groups without a rank (see “Ranks by layer”)", ParameterGroups::hasNoRanks)
                    .unset(ParameterGroups.NONE, "none")
                    .absent(ParameterGroups.NONE),
            "Other values for some layers, such as 'up_blocks.*:learning-rate=1e-4,weight-decay=0,rank=8' or "
                    + "'text_encoder:learning-rate=0'. The first group that matches a layer and has a value gives it. "
                    + "May be repeated."),
            _ -> ParameterGroups.NONE, config -> config.optimizer().groups()),
    BATCH_SIZE(
            new Row<>(SettingGroup.OPTIMIZATION, List.of("batch-size", "batch"), "Batch size", "photos",
                    integer().in("at least 1", size -> size >= 1).unset(TrainingConfig.UNSET, "model default"),
                    "Photos per batch. Default: by the size of the model."),
            _ -> TrainingConfig.UNSET, config -> config.optimizer().batchSize()),
    GRADIENT_ACCUMULATION(
            new Row<>(SettingGroup.OPTIMIZATION, List.of("gradient-accumulation", "accumulate"),
                    "Gradient accumulation", "batches", integer().in("at least 1", batches -> batches >= 1),
                    "Batches whose gradients make one step."),
            _ -> 1, config -> config.optimizer().accumulationSteps()),
    EMA_DECAY(new Row<>(SettingGroup.OPTIMIZATION, List.of("ema-decay", "ema"), "EMA decay", "",
            number().in("0 (none) or a number below 1 such as 0.99", decay -> decay >= 0 && decay < 1),
            "Decay of the exponential moving average of the parameters, such as 0.99; the adapter is the average. "
                    + "0: no average."),
            _ -> 0.0, config -> config.optimizer().emaDecay()),
    RESOLUTION(
            new Row<>(SettingGroup.PHOTOS, List.of("resolution", "size"), "Resolution", "pixels",
                    integer().in("at least 1", side -> side >= 1).unset(TrainingConfig.UNSET, "model default"),
                    "Side of the training photos. Default: the model's."),
            _ -> TrainingConfig.UNSET, config -> config.data().resolution()),
    CROP(new Row<>(SettingGroup.PHOTOS, List.of("crop"), "Cropping", "", oneOf(TrainingConfig.CropMode.class),
            "Part of a photo that is trained on: %s (random: another square each time; whole: all of it, in its own "
                    + "aspect ratio)."),
            _ -> TrainingConfig.CropMode.CENTRE, config -> config.data().crop()),
    FLIP(new Row<>(SettingGroup.PHOTOS, List.of("flip"), "Horizontal flip", "", flag(),
            "Also train on the mirrored photos."), TrainingConfig.Feature.FLIP),
    CAPTIONS(
            new Row<>(SettingGroup.PHOTOS, List.of("captions"), "Use captions", "", flag(),
                    "Use NAME.txt beside a photo as its caption; {} in it stands for the subject."),
            TrainingConfig.Feature.CAPTIONS),
    CAPTION_TEMPLATE(new Row<>(SettingGroup.PHOTOS, List.of("caption-template"), "Caption template", "",
            text("TEXT").in("{} for the subject, as in \"a photo of {}\"",
                    template -> template.contains(TrainingConfig.SUBJECT_PLACEHOLDER))
                    .unset("", "built-in templates"),
            "Caption of photos without one of their own, such as \"a photo of {}\". Default: built-in templates."),
            _ -> "", config -> config.data().captionTemplate()),
    MASKS(new Row<>(SettingGroup.PHOTOS, List.of("masks"), "Use masks", "", flag(),
            "Train only on the white parts of NAME-mask.png, or on what is not transparent."),
            TrainingConfig.Feature.MASKS),
    CACHED_NOISE_SAMPLES(new Row<>(SettingGroup.PERFORMANCE, List.of("cached-noise-samples", "bank"),
            "Cached noise samples", "samples",
            integer().in("0 (none) or a number of samples, usually 64 to 128", samples -> samples >= 0),
            "Train on N fixed noisy samples, usually 64 to 128, and cache the UNet encoder's features of them on "
                    + "disk, which makes steps a little shorter. Needs “Layers” up. 0: new noise in every step, "
                    + "which is no worse and usually better."),
            _ -> 0, config -> config.data().cachedNoiseSamples()),
    MIN_SNR_GAMMA(
            new Row<>(SettingGroup.OPTIMIZATION, List.of("min-snr-gamma", "min-snr"), "Min-SNR γ", "",
                    number().in("a number above 0, usually 5", gamma -> gamma > 0 && Double.isFinite(gamma))
                            .unset(0.0, "none"),
                    "Weight the loss of timesteps by min-SNR with this γ, usually 5."),
            _ -> 0.0, config -> config.loss().minSnrGamma()),
    NOISE_OFFSET(new Row<>(SettingGroup.OPTIMIZATION, List.of("noise-offset"), "Noise offset", "",
            number().in("0 to 1, usually 0.1 at most", offset -> offset >= 0 && offset <= 1),
            "Share of the noise that shifts whole channels, for very dark or bright images; usually 0.1 at most."),
            _ -> 0.0, config -> config.loss().noiseOffset()),
    CLASS_IMAGES(new Row<>(SettingGroup.PRIOR_PRESERVATION, List.of("class-images", "prior"), "Class images", "",
            text("DIR|auto").in("a folder of images, or auto", source -> !source.isBlank()).unset("", "none"),
            "Prior preservation: also train on images of the class, so that the model keeps it. A folder, or auto to "
                    + "generate them once with the base model."),
            _ -> "", config -> config.loss()
                    .priorPreservation()
                    .map(TrainingConfig.PriorPreservation::source)
                    .orElse("")),
    PRIOR_LOSS_WEIGHT(
            new Row<>(SettingGroup.PRIOR_PRESERVATION, List.of("prior-loss-weight", "prior-weight"),
                    "Prior loss weight", "",
                    number().in("a number above 0, usually 1", weight -> weight > 0 && Double.isFinite(weight))
                            .unset(0.0, ""),
                    "Weight of the class images' loss."),
            _ -> 1.0, config -> config.loss()
                    .priorPreservation()
                    .map(TrainingConfig.PriorPreservation::weight)
                    .orElse(0.0)),
    PREVIEW_EVERY(
            new Row<>(SettingGroup.PREVIEWS, List.of("preview-every"), "Preview interval", "steps",
                    integer().in("0 (none) or more", steps -> steps >= 0), "Steps between previews; 0: no previews."),
            _ -> 0, config -> config.runtime().previewEvery()),
    VALIDATE(new Row<>(SettingGroup.PREVIEWS, List.of("validate"), "Validation", "", flag(),
            "Hold out one of five or more photos and record its loss (with fewer, score the previews where the model "
                    + "can); keep the best checkpoint as the adapter."),
            TrainingConfig.Feature.VALIDATE),
    EARLY_STOPPING(new Row<>(SettingGroup.PREVIEWS, List.of("early-stopping", "stop-early"), "Early stopping", "",
            flag(), "Stop when validation no longer improves."), TrainingConfig.Feature.EARLY_STOPPING),
    PRECISION(
            new Row<>(SettingGroup.PERFORMANCE, List.of("precision"), "Precision of frozen weights", "",
                    oneOf(TrainingConfig.PrecisionMode.class), "Precision of frozen weights and activations: %s."),
            _ -> TrainingConfig.PrecisionMode.FP32, config -> config.runtime().precision()),
    GRADIENT_CHECKPOINTING(
            new Row<>(SettingGroup.PERFORMANCE, List.of("gradient-checkpointing", "checkpointing"),
                    "Gradient checkpointing", "", flag(),
                    "Recompute activations instead of keeping them: less memory, more time."),
            TrainingConfig.Feature.GRADIENT_CHECKPOINTING);

    public static final String NO = "no";

    private final Row<Object> row;
    private final Function<Basis, ?> defaultValue;
    private final Function<TrainingConfig, ?> value;

    @SuppressWarnings("unchecked") // All values come from `row`, `defaultValue` and `value`, which agree in T.
    <T> TrainingSetting(Row<T> row, Function<Basis, T> defaultValue,
            Function<TrainingConfig, T> value) {
        this.row = (Row<Object>) row;
        this.defaultValue = defaultValue;
        this.value = value;
    }

    TrainingSetting(Row<Boolean> row, TrainingConfig.Feature feature) {
        this(row, _ -> false, config -> config.has(feature));
    }

    /// What the defaults depend on.
    record Basis(MethodSettings method, TrainingConfig.OptimizerName optimizer, ModelSize size) {
        Map<TrainingSetting, Object> defaults() {
            Map<TrainingSetting, Object> defaults = new EnumMap<>(TrainingSetting.class);
            for (TrainingSetting setting : values()) defaults.put(setting, setting.defaultValue.apply(this));
            return defaults;
        }

        private OptionalDouble learningRate(Optional<MethodName> trained) {
            return optimizer.learningRate(trained, size);
        }
    }

    @Override
    public Row<Object> row() {
        return row;
    }

    SettingType<Object> type() {
        return row.type();
    }

    @Override
    public String commonDefault() {
        return description().contains("Default:") ? ""
                : TrainingSettings.DEFAULTS.defaultValue(this, MethodSettings.of(MethodName.values()[0]),
                        ModelSize.SMALL);
    }

    /// Its value in a config.
    Object of(TrainingConfig config) {
        return value.apply(config);
    }

    /// @throws IllegalArgumentException if its value is out of range
    void check(TrainingConfig config) {
        Object found = of(config);
        if (!type().isUnset(found)) row.check(found);
    }

    /// The value of a text.
    /// @param defaultValue if left open and the type requires other options, the setting cannot be chosen
    /// @throws IllegalArgumentException that starts with the setting's name
    Object parse(String text, Object defaultValue) {
        String required = type().unset().map(SettingType.Unset::required).orElse("");
        if (!required.isEmpty() && type().isUnset(defaultValue)) throw missing(required);
        return row.parse(text);
    }

    /// The setting was chosen without the options that it needs.
    IllegalArgumentException missing(String required) {
        return row.invalid(required + " with it", "none");
    }

    /// @param name the option's or an older one
    public static Optional<TrainingSetting> ofOption(String name) {
        return Stream.of(values()).filter(setting -> setting.names().contains(name)).findFirst();
    }

    static TrainingSetting of(TrainingConfig.Feature feature) {
        return valueOf(feature.name());
    }

    /// Shown in the window for a default that is left open.
    public String unsetLabel() {
        return type().unset().map(SettingType.Unset::label).orElse("");
    }
}
