package atomstudio.tuning.config;

import atomstudio.tuning.data.Captions;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.Stream;

/// How a method is trained: every setting of `tune` beside model, pictures, words and method. What is not asked for
/// is at the values of `of`. Numbers are refused by the name of their option.
public record TrainingConfig(ScheduleConfig schedule, OptimizerConfig optimizer, DataConfig data, LossConfig loss,
        RuntimeConfig runtime) {
    /// Stands for "as the model or the optimizer has it" in the whole numbers that may be left open.
    public static final int UNSET = 0;
    /// Steps over which the rate rises unless asked otherwise.
    public static final int DEFAULT_WARMUP_STEPS = 20;

    public enum LearningRateDecay implements OptionValue { CONSTANT, COSINE }

    /// Which part of a picture is trained on. CENTRE: its centre square. RANDOM: another square each time. WHOLE: all
    /// of it, in its own shape, with about as many pixels as the square would have.
    public enum CropMode implements OptionValue { CENTRE, RANDOM, WHOLE }

    public enum OptimizerName implements OptionValue { ADAMW, PRODIGY, MUON }

    /// Of frozen weights and activations; what is trained is always in float32.
    public enum PrecisionMode implements OptionValue { AUTO, FP32, BF16 }

    /// What is either asked for or not.
    public enum Feature implements OptionValue { CAPTIONS, MASKS, FLIP, VALIDATE, STOP_EARLY, CHECKPOINTING }

    /// A choice with its name on the command line and in run.json.
    public interface OptionValue {
        String name();

        default String option() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        static <E extends Enum<E> & OptionValue> Optional<E> ofOption(Class<E> type, String option) {
            return Stream.of(type.getEnumConstants()).filter(each -> each.option().equals(option)).findFirst();
        }
    }

    /// Learning rates of what is trained together.
    /// @param method      of the method itself
    /// @param combinedMethod        of the method trained beside it; empty: there is none, or it has the method's rate
    /// @param triggerWord of a word trained beside it (`--also textual-inversion` or a method that has one); empty as
    ///     above
    /// @param textEncoder of LoRA on the text encoder; empty: there is none, or it has the method's rate
    public record LearningRateConfig(double method, OptionalDouble combinedMethod, OptionalDouble triggerWord,
            OptionalDouble textEncoder) {
        public LearningRateConfig {
            check("rate", method);
            combinedMethod.ifPresent(rate -> check("also-rate", rate));
            triggerWord.ifPresent(rate -> check("word-rate", rate));
            textEncoder.ifPresent(rate -> check("text-encoder-rate", rate));
        }

        /// One rate for everything.
        public static LearningRateConfig uniform(double rate) {
            return new LearningRateConfig(rate, OptionalDouble.empty(), OptionalDouble.empty(), OptionalDouble.empty());
        }

        private static void check(String name, double rate) {
            if (!(rate > 0 && rate < 10))
                throw new IllegalArgumentException(name + ": expected a number above 0 and below 10, found " + rate);
        }

        public double rateOf(MethodSettings.LearningRateGroup trained) {
            return switch (trained) {
                case METHOD -> method;
                case ALSO -> combinedMethod.orElse(method);
                case WORD -> triggerWord.orElse(method);
                case TEXT_ENCODER -> textEncoder.orElse(method);
            };
        }
    }

    /// The learning rates over the steps: `warmUp` steps of rising, then as `decay` says.
    public record ScheduleConfig(int steps, LearningRateConfig learningRates, long seed, int warmupSteps,
            LearningRateDecay decay) {
        /// With one learning rate for everything.
        public ScheduleConfig(int steps, double rate, long seed, int warmUp, LearningRateDecay decay) {
            this(steps, LearningRateConfig.uniform(rate), seed, warmUp, decay);
        }

        public ScheduleConfig {
            if (steps < 1) throw new IllegalArgumentException("steps: expected at least 1, found " + steps);
            if (warmupSteps < 0)
                throw new IllegalArgumentException("warmup: expected 0 (none) or more, found " + warmupSteps);
        }

        /// The method's own learning rate.
        public double learningRate() {
            return learningRates.method;
        }

        public ScheduleConfig withSteps(int steps) {
            return new ScheduleConfig(steps, learningRates, seed, warmupSteps, decay);
        }

        public ScheduleConfig withLearningRate(double learningRate) {
            return new ScheduleConfig(steps, new LearningRateConfig(learningRate, learningRates.combinedMethod,
                    learningRates.triggerWord, learningRates.textEncoder), seed, warmupSteps, decay);
        }

        public ScheduleConfig withSeed(long seed) {
            return new ScheduleConfig(steps, learningRates, seed, warmupSteps, decay);
        }

        /// The method's learning rate at a step, counted from 0; the others are in proportion.
        public double learningRate(int step) {
            double base = learningRates.method;
            double warmupFactor = warmupSteps == 0 ? 1 : Math.min(1, (step + 1.0) / warmupSteps);
            return switch (decay) {
                case CONSTANT -> base * warmupFactor;
                case COSINE -> base * warmupFactor * 0.5
                        * (1 + Math.cos(Math.PI * Math.max(0, step - warmupSteps) / Math.max(1, steps - warmupSteps)));
            };
        }
    }

    /// @param batchSize      pictures a pass; `OPEN`: as many as the model's size allows
    /// @param accumulationSteps passes whose gradients make one step
    /// @param emaDecay        how much of the mean of the numbers a step keeps; 0: none is kept
    public record OptimizerConfig(OptimizerName name, int batchSize, int accumulationSteps, double emaDecay) {
        public OptimizerConfig {
            if (batchSize < 0) throw new IllegalArgumentException("batch: expected at least 1, found " + batchSize);
            if (accumulationSteps < 1)
                throw new IllegalArgumentException("accumulate: expected at least 1, found " + accumulationSteps);
            if (!(emaDecay >= 0 && emaDecay < 1))
                throw new IllegalArgumentException(
                        "ema: expected 0 (none) or a number below 1 such as 0.99, found " + emaDecay);
        }
    }

    /// @param size     side of the square in pixels; `OPEN`: the model's own
    /// @param captionTemplate the one caption, `{}` in it standing for the subject; empty: the usual ones
    /// @param noiseBank noisy pictures that are made once and come again and again (see `UNetFeatureCache`); 0: other
    ///     noise in every step
    public record DataConfig(int size, CropMode crop, String captionTemplate, int noiseBank) {
        public DataConfig {
            if (size < 0) throw new IllegalArgumentException("size: expected a number of pixels, found " + size);
            if (noiseBank < 0)
                throw new IllegalArgumentException(
                        "bank: expected 0 (none) or a number of noisy pictures, usually 64 to 128, found " + noiseBank);
            captionTemplate = captionTemplate.strip();
            if (!captionTemplate.isEmpty() && !captionTemplate.contains(Captions.SUBJECT_PLACEHOLDER)) {
                throw new IllegalArgumentException(
                        "caption-template: expected {} where the subject's words go, as in \"a photo of {}\", found \""
                                + captionTemplate + "\"");
            }
        }
    }

    /// @param minSnr      γ of min-SNR; 0: every timestep counts alike
    /// @param noiseOffset how much of the noise is one number for a whole channel; 0: none
    public record LossConfig(double minSnr, double noiseOffset, Optional<PriorPreservation> priorPreservation) {
        public LossConfig {
            if (!(minSnr >= 0 && Double.isFinite(minSnr)))
                throw new IllegalArgumentException("min-snr: expected a number above 0, usually 5, found " + minSnr);
            if (!(noiseOffset >= 0 && noiseOffset <= 1))
                throw new IllegalArgumentException(
                        "noise-offset: expected 0 to 1, usually 0.1 at most, found " + noiseOffset);
        }
    }

    /// Other members of the class, which the model is not to forget. Source: Ruiz et al. 2022, "DreamBooth", section
    /// 3.2.
    /// @param source a folder of pictures, or `AUTO` for pictures that the base model makes itself
    public record PriorPreservation(String source, double weight) {
        public static final String AUTO = "auto";

        public PriorPreservation {
            if (!(weight > 0 && Double.isFinite(weight)))
                throw new IllegalArgumentException(
                        "prior-weight: expected a number above 0, usually 1, found " + weight);
            if (source.isBlank())
                throw new IllegalArgumentException("prior: expected a folder of pictures, or auto, found nothing");
        }

        public boolean isGenerated() { return source.equals(AUTO); }
    }

    /// @param previewEvery steps from one preview picture to the next; 0 for none
    public record RuntimeConfig(int previewEvery, PrecisionMode precision, Set<Feature> features) {
        public RuntimeConfig {
            if (previewEvery < 0)
                throw new IllegalArgumentException("preview-every: expected 0 (none) or more, found " + previewEvery);
            EnumSet<Feature> all = EnumSet.noneOf(Feature.class);
            all.addAll(features);
            if (all.contains(Feature.STOP_EARLY)) all.add(Feature.VALIDATE);
            features = java.util.Collections.unmodifiableSet(all);
        }
    }

    /// The method's own steps, each part's own learning rate, AdamW, centre squares, nothing else.
    public static TrainingConfig of(MethodSettings method) {
        return new TrainingConfig(
                new ScheduleConfig(method.choice().steps(), defaultLearningRates(method), 0, DEFAULT_WARMUP_STEPS,
                        LearningRateDecay.CONSTANT),
                new OptimizerConfig(OptimizerName.ADAMW, UNSET, 1, 0),
                new DataConfig(UNSET, CropMode.CENTRE, "", 0), new LossConfig(0, 0, Optional.empty()),
                new RuntimeConfig(0, PrecisionMode.FP32, Set.of()));
    }

    private static LearningRateConfig defaultLearningRates(MethodSettings method) {
        OptionalDouble also = method.combinedWith()
                .filter(other -> other != MethodName.TEXTUAL_INVERSION)
                .map(other -> OptionalDouble.of(other.learningRate()))
                .orElse(OptionalDouble.empty());
        OptionalDouble word = method.trainsWord()
                ? OptionalDouble.of(MethodName.TEXTUAL_INVERSION.learningRate())
                : OptionalDouble.empty();
        OptionalDouble text = method.trainsTextEncoder()
                ? OptionalDouble.of(MethodName.LORA.learningRate())
                : OptionalDouble.empty();
        return new LearningRateConfig(method.choice().learningRate(), also, word, text);
    }

    /// The learning rate that suits an optimizer, given a method's own: Prodigy finds it by itself, and is given a
    /// factor.
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
