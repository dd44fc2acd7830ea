package atomstudio.tuning.config;

import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.Stream;

/// How a method is trained: every setting of `train` except model, photos, words and method. Invalid values are
/// rejected with a message that starts with the option's name.
public record TrainingConfig(ScheduleConfig schedule, OptimizerConfig optimizer, DataConfig data, LossConfig loss,
        RuntimeConfig runtime) {
    /// An integer that the model or the optimizer decides.
    public static final int UNSET = 0;
    public static final int DEFAULT_WARMUP_STEPS = 20;
    /// Stands for the subject in captions and prompts.
    public static final String SUBJECT_PLACEHOLDER = "{}";

    public enum LearningRateScheduler implements OptionValue { CONSTANT, COSINE }

    /// The part of a photo that is trained on. CENTRE: its centre square. RANDOM: another square each time. WHOLE: all
    /// of it, in its own aspect ratio, with about as many pixels as the square.
    public enum CropMode implements OptionValue { CENTRE, RANDOM, WHOLE }

    public enum OptimizerName implements OptionValue { ADAMW, PRODIGY, MUON }

    /// Precision of frozen weights and activations; trainable parameters are always float32.
    public enum PrecisionMode implements OptionValue { AUTO, FP32, BF16 }

    /// Settings that are on or off; each has a `TrainingSetting` of the same name.
    public enum Feature { CAPTIONS, MASKS, FLIP, VALIDATE, EARLY_STOPPING, GRADIENT_CHECKPOINTING }

    /// An enum value with its name on the command line and in run.json.
    public interface OptionValue {
        String name();

        default String option() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        static <E extends Enum<E> & OptionValue> Optional<E> ofOption(Class<E> type, String option) {
            return Stream.of(type.getEnumConstants()).filter(each -> each.option().equals(option)).findFirst();
        }
    }

    /// Learning rates of the parts that are trained together. An empty rate means that the part is not trained, or
    /// has the method's rate.
    /// @param combinedMethod of the second method (`--combine-with`)
    /// @param triggerWord    of a word's embedding trained together with the method
    /// @param textEncoder    of LoRA on the text encoder
    public record LearningRateConfig(double method, OptionalDouble combinedMethod, OptionalDouble triggerWord,
            OptionalDouble textEncoder) {
        public LearningRateConfig {
            check(TrainingSetting.LEARNING_RATE, method);
            combinedMethod.ifPresent(rate -> check(TrainingSetting.COMBINED_LEARNING_RATE, rate));
            triggerWord.ifPresent(rate -> check(TrainingSetting.WORD_LEARNING_RATE, rate));
            textEncoder.ifPresent(rate -> check(TrainingSetting.TEXT_ENCODER_LEARNING_RATE, rate));
        }

        /// One rate for everything.
        public static LearningRateConfig uniform(double rate) {
            return new LearningRateConfig(rate, OptionalDouble.empty(), OptionalDouble.empty(), OptionalDouble.empty());
        }

        private static void check(TrainingSetting setting, double rate) {
            require(rate > 0 && rate < 10, setting, "a number above 0 and below 10", rate);
        }

        public double rateOf(MethodSettings.LearningRateGroup group) {
            return switch (group) {
                case METHOD -> method;
                case COMBINED_METHOD -> combinedMethod.orElse(method);
                case WORD -> triggerWord.orElse(method);
                case TEXT_ENCODER -> textEncoder.orElse(method);
            };
        }
    }

    private static void require(boolean valid, TrainingSetting setting, String expected, Object found) {
        if (!valid)
            throw new IllegalArgumentException(setting.option() + ": expected " + expected + ", found " + found);
    }

    /// The learning rate over the steps: linear warmup, then the scheduler's.
    public record ScheduleConfig(int steps, LearningRateConfig learningRates, long seed, int warmupSteps,
            LearningRateScheduler scheduler) {
        /// With one learning rate for everything.
        public ScheduleConfig(int steps, double rate, long seed, int warmupSteps, LearningRateScheduler scheduler) {
            this(steps, LearningRateConfig.uniform(rate), seed, warmupSteps, scheduler);
        }

        public ScheduleConfig {
            require(steps >= 1, TrainingSetting.STEPS, "at least 1", steps);
            require(warmupSteps >= 0, TrainingSetting.WARMUP_STEPS, "0 (none) or more", warmupSteps);
        }

        /// The method's own learning rate.
        public double learningRate() {
            return learningRates.method;
        }

        public ScheduleConfig withSteps(int steps) {
            return new ScheduleConfig(steps, learningRates, seed, warmupSteps, scheduler);
        }

        public ScheduleConfig withLearningRate(double learningRate) {
            return new ScheduleConfig(steps, new LearningRateConfig(learningRate, learningRates.combinedMethod,
                    learningRates.triggerWord, learningRates.textEncoder), seed, warmupSteps, scheduler);
        }

        public ScheduleConfig withSeed(long seed) {
            return new ScheduleConfig(steps, learningRates, seed, warmupSteps, scheduler);
        }

        /// The method's learning rate at a step, counted from 0; the other rates scale with it.
        public double learningRate(int step) {
            double base = learningRates.method;
            double warmupFactor = warmupSteps == 0 ? 1 : Math.min(1, (step + 1.0) / warmupSteps);
            return switch (scheduler) {
                case CONSTANT -> base * warmupFactor;
                case COSINE -> base * warmupFactor * 0.5
                        * (1 + Math.cos(Math.PI * Math.max(0, step - warmupSteps) / Math.max(1, steps - warmupSteps)));
            };
        }
    }

    /// @param batchSize         photos per batch; `UNSET`: by the size of the model
    /// @param accumulationSteps batches whose gradients make one step
    /// @param emaDecay          decay of the parameters' moving average; 0: none
    public record OptimizerConfig(OptimizerName name, int batchSize, int accumulationSteps, double emaDecay) {
        public OptimizerConfig {
            require(batchSize >= 0, TrainingSetting.BATCH_SIZE, "at least 1", batchSize);
            require(accumulationSteps >= 1, TrainingSetting.GRADIENT_ACCUMULATION, "at least 1", accumulationSteps);
            require(emaDecay >= 0 && emaDecay < 1, TrainingSetting.EMA_DECAY,
                    "0 (none) or a number below 1 such as 0.99", emaDecay);
        }
    }

    /// @param resolution         side of the square in pixels; `UNSET`: the model's own
    /// @param captionTemplate    the caption, with `{}` for the subject; empty: the built-in templates
    /// @param cachedNoiseSamples noisy samples that are drawn once and repeated (see `UNetFeatureCache`); 0: new noise
    ///     in every step
    public record DataConfig(int resolution, CropMode crop, String captionTemplate, int cachedNoiseSamples) {
        public DataConfig {
            require(resolution >= 0, TrainingSetting.RESOLUTION, "a number of pixels", resolution);
            require(cachedNoiseSamples >= 0, TrainingSetting.CACHED_NOISE_SAMPLES,
                    "0 (none) or a number of samples, usually 64 to 128", cachedNoiseSamples);
            captionTemplate = captionTemplate.strip();
            require(captionTemplate.isEmpty() || captionTemplate.contains(SUBJECT_PLACEHOLDER),
                    TrainingSetting.CAPTION_TEMPLATE, "{} for the subject, as in \"a photo of {}\"",
                    "\"" + captionTemplate + "\"");
        }
    }

    /// @param minSnrGamma γ of min-SNR weighting; 0: equal weights
    /// @param noiseOffset share of the noise that is constant within a channel; 0: none
    public record LossConfig(double minSnrGamma, double noiseOffset, Optional<PriorPreservation> priorPreservation) {
        public LossConfig {
            require(minSnrGamma >= 0 && Double.isFinite(minSnrGamma), TrainingSetting.MIN_SNR_GAMMA,
                    "a number above 0, usually 5", minSnrGamma);
            require(noiseOffset >= 0 && noiseOffset <= 1, TrainingSetting.NOISE_OFFSET, "0 to 1, usually 0.1 at most",
                    noiseOffset);
        }
    }

    /// Prior preservation: images of the class are trained on too, so that the model keeps the class.
    /// Source: Ruiz et al. 2022, "DreamBooth", section 3.2.
    /// @param source a folder of class images, or `AUTO` to generate them with the base model
    public record PriorPreservation(String source, double weight) {
        public static final String AUTO = "auto";

        public PriorPreservation {
            require(weight > 0 && Double.isFinite(weight), TrainingSetting.PRIOR_LOSS_WEIGHT,
                    "a number above 0, usually 1", weight);
            require(!source.isBlank(), TrainingSetting.CLASS_IMAGES, "a folder of images, or auto", "nothing");
        }

        public boolean isGenerated() { return source.equals(AUTO); }
    }

    /// @param previewEvery steps between previews; 0: none
    public record RuntimeConfig(int previewEvery, PrecisionMode precision, Set<Feature> features) {
        public RuntimeConfig {
            require(previewEvery >= 0, TrainingSetting.PREVIEW_EVERY, "0 (none) or more", previewEvery);
            EnumSet<Feature> all = EnumSet.noneOf(Feature.class);
            all.addAll(features);
            if (all.contains(Feature.EARLY_STOPPING)) all.add(Feature.VALIDATE);
            features = Collections.unmodifiableSet(all);
        }
    }

    /// The defaults: the method's own steps and learning rates, AdamW, centre squares, float32.
    public static TrainingConfig of(MethodSettings method) {
        return new TrainingConfig(
                new ScheduleConfig(method.choice().steps(), defaultLearningRates(method), 0, DEFAULT_WARMUP_STEPS,
                        LearningRateScheduler.CONSTANT),
                new OptimizerConfig(OptimizerName.ADAMW, UNSET, 1, 0),
                new DataConfig(UNSET, CropMode.CENTRE, "", 0), new LossConfig(0, 0, Optional.empty()),
                new RuntimeConfig(0, PrecisionMode.FP32, Set.of()));
    }

    private static LearningRateConfig defaultLearningRates(MethodSettings method) {
        OptionalDouble combinedRate = method.combinedWith()
                .filter(other -> other != MethodName.TEXTUAL_INVERSION)
                .map(other -> OptionalDouble.of(other.learningRate()))
                .orElse(OptionalDouble.empty());
        OptionalDouble wordRate = method.trainsWord()
                ? OptionalDouble.of(MethodName.TEXTUAL_INVERSION.learningRate())
                : OptionalDouble.empty();
        OptionalDouble textEncoderRate = method.trainsTextEncoder()
                ? OptionalDouble.of(MethodName.LORA.learningRate())
                : OptionalDouble.empty();
        return new LearningRateConfig(method.choice().learningRate(), combinedRate, wordRate, textEncoderRate);
    }

    /// The learning rate for an optimizer, from the method's: Prodigy adapts its own and takes a factor.
    public static double learningRate(OptimizerName optimizer, double methodRate) {
        return switch (optimizer) {
            case ADAMW, MUON -> methodRate;
            case PRODIGY -> 1;
        };
    }

    public boolean has(Feature feature) {
        return runtime.features.contains(feature);
    }

    public TrainingConfig with(ScheduleConfig schedule) {
        return new TrainingConfig(schedule, optimizer, data, loss, runtime);
    }

    public TrainingConfig with(OptimizerConfig optimizer) {
        return new TrainingConfig(schedule, optimizer, data, loss, runtime);
    }

    public TrainingConfig with(DataConfig data) {
        return new TrainingConfig(schedule, optimizer, data, loss, runtime);
    }

    public TrainingConfig with(LossConfig loss) {
        return new TrainingConfig(schedule, optimizer, data, loss, runtime);
    }

    public TrainingConfig with(RuntimeConfig runtime) {
        return new TrainingConfig(schedule, optimizer, data, loss, runtime);
    }

    public TrainingConfig with(Feature... features) {
        EnumSet<Feature> all = EnumSet.noneOf(Feature.class);
        all.addAll(runtime.features);
        all.addAll(List.of(features));
        return with(new RuntimeConfig(runtime.previewEvery, runtime.precision, all));
    }
}
