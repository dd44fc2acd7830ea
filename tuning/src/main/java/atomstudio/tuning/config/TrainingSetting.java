package atomstudio.tuning.config;

import java.util.List;
import java.util.stream.Stream;

/// One thing that can be chosen about training, by its name on the command line, in run.json and in the window.
public enum TrainingSetting {
    STEPS("steps", "N", "Training steps. Default: the method's."),
    RATE("rate", "X", "Learning rate of the method. Default: the method's; 1 with prodigy, which finds its own."),
    ALSO_RATE("also-rate", "X", "Learning rate of the method trained beside it (--also). Default: that method's."),
    WORD_RATE("word-rate", "X", "Learning rate of a word trained beside the method. Default: textual inversion's."),
    TEXT_ENCODER_RATE("text-encoder-rate", "X",
            "Learning rate of LoRA on the text encoder (--text-encoder). Default: LoRA's."),
    SEED("seed", "N", "Seed of everything random, from 0 to 18446744073709551615."),
    WARMUP("warmup", "N", "Steps over which the rate rises."),
    DECAY("decay", TrainingConfig.LearningRateDecay.values(),
            "How the rate goes on: %s (falls to nothing at the last step, so that the number of steps is fixed)."),
    OPTIMIZER("optimizer", TrainingConfig.OptimizerName.values(), "%s."),
    BATCH("batch", "N", "Pictures that go through the network together. Default: as the model's size allows."),
    ACCUMULATE("accumulate", "N", "Batches that make one step together."),
    EMA("ema", "X",
            "Keep a running mean of the numbers, of which a step replaces 1 − X, and make it the adapter; 0: none, else such as 0.99."),
    SIZE("size", "N", "Side of the training pictures in pixels. Default: the model's own."),
    CROP("crop", TrainingConfig.CropMode.values(),
            "What of a picture is trained on: %s (random: another square each time; whole: all of it, in its own shape)."),
    FLIP(TrainingConfig.Feature.FLIP, "Also train on the pictures' mirror images."),
    CAPTIONS(TrainingConfig.Feature.CAPTIONS,
            "Use NAME.txt beside a picture as what it shows; {} in it stands for the subject."),
    CAPTION_TEMPLATE("caption-template", "TEXT",
            "What pictures without a caption of their own are called, as in \"a photo of {}\". Default: a few usual ones."),
    MASKS(TrainingConfig.Feature.MASKS, "Train on what NAME-mask.png shows white, or else on what is not transparent."),
    BANK("bank", "N",
            "Make N noisy pictures once, usually 64 to 128, and train on them again and again: what the network's lower part says of them is kept on disk, and steps are a little shorter. With --layers up; 0: other noise in every step, which is no worse and usually better."),
    MIN_SNR("min-snr", "X", "Weigh timesteps by min-SNR with this γ, usually 5."),
    NOISE_OFFSET("noise-offset", "X",
            "How much of the noise shifts whole channels, for very dark or bright pictures; 0.1 at most is usual."),
    PRIOR("prior", "DIR|auto",
            "Train beside the subject on other members of its class, so that these are kept: pictures in a folder, or made by the model itself once (auto)."),
    PRIOR_WEIGHT("prior-weight", "X", "How much the class counts beside the subject."),
    PREVIEW_EVERY("preview-every", "N", "Steps from one preview picture to the next; 0: none."),
    VALIDATE(TrainingConfig.Feature.VALIDATE,
            "Hold one of five or more pictures out and record its loss (with fewer, score the previews where the model can); keep the best checkpoint as the adapter."),
    STOP_EARLY(TrainingConfig.Feature.STOP_EARLY, "End when validation no longer improves."),
    PRECISION("precision", TrainingConfig.PrecisionMode.values(), "Of what is frozen: %s."),
    CHECKPOINTING(TrainingConfig.Feature.CHECKPOINTING,
            "Compute activations again instead of keeping them: less memory, more time.");

    public static final String YES = "yes";
    public static final String NO = "no";

    private final String option;
    private final String valueLabel;
    private final String description;
    private final List<String> allowedValues;

    TrainingSetting(String option, String valueLabel, String description) {
        this(option, valueLabel, description, List.of());
    }

    TrainingSetting(String option, TrainingConfig.OptionValue[] values, String description) {
        List<String> options = Stream.of(values).map(TrainingConfig.OptionValue::option).toList();
        this(option, "NAME", description.formatted(String.join(", ", options)), options);
    }

    TrainingSetting(TrainingConfig.Feature feature, String description) {
        this(feature.option(), "YES", description, List.of(NO, YES));
    }

    TrainingSetting(String option, String valueLabel, String description, List<String> allowedValues) {
        this.option = option;
        this.valueLabel = valueLabel;
        this.description = description;
        this.allowedValues = allowedValues;
    }

    /// On the command line (after `--`) and in run.json.
    public String option() {
        return option;
    }

    /// Stands for the value in help.
    public String valueLabel() {
        return valueLabel;
    }

    public String description() {
        return description;
    }

    /// What it can be, where that is one of a few names; else empty.
    public List<String> allowedValues() {
        return allowedValues;
    }

    /// Whether it is asked for by its name alone.
    public boolean isFlag() { return allowedValues.equals(List.of(NO, YES)); }
}
