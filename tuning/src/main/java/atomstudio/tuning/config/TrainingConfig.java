package atomstudio.tuning.config;

import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ModelSize;
import atomstudio.tuning.setting.OptionValue;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// How a method is trained: every setting of `train` except model, photos, words and method. Invalid values are
/// rejected with a message that starts with the option's name.
public record TrainingConfig(ScheduleConfig schedule, OptimizerConfig optimizer, DataConfig data, LossConfig loss,
        RuntimeConfig runtime) {
    /// An integer that the model or the optimizer decides.
    public static final int UNSET = 0;
    /// Stands for the subject in captions and prompts.
    public static final String SUBJECT_PLACEHOLDER = "{}";

    public TrainingConfig(ScheduleConfig schedule, OptimizerConfig optimizer, DataConfig data, LossConfig loss,
            RuntimeConfig runtime) {
        this.schedule = schedule;
        this.optimizer = optimizer;
        this.data = data;
        this.loss = loss;
        this.runtime = runtime;
        for (TrainingSetting setting : TrainingSetting.values()) setting.check(this);
    }

    public enum LearningRateScheduler implements OptionValue { CONSTANT, COSINE }

    /// The part of a photo that is trained on. CENTRE: its centre square. RANDOM: another square each time. WHOLE: all
    /// of it, in its own aspect ratio, with about as many pixels as the square.
    public enum CropMode implements OptionValue { CENTRE, RANDOM, WHOLE }

    public enum OptimizerName implements OptionValue {
        ADAMW, PRODIGY, MUON;

        /// A method's learning rate: Prodigy adapts its own and takes a factor.
        double learningRate(MethodName method, ModelSize size) {
            return switch (this) {
                case ADAMW, MUON -> method.learningRate(size);
                case PRODIGY -> 1;
            };
        }

        OptionalDouble learningRate(Optional<MethodName> method, ModelSize size) {
            return method.stream().mapToDouble(each -> learningRate(each, size)).findFirst();
        }
    }

    /// Precision of frozen weights and activations; trainable parameters are always float32.
    public enum PrecisionMode implements OptionValue { AUTO, FP32, BF16 }

    /// Settings that are on or off; each has a `TrainingSetting` of the same name.
    public enum Feature { CAPTIONS, MASKS, FLIP, VALIDATE, EARLY_STOPPING, GRADIENT_CHECKPOINTING }

    /// Learning rates of the parts that are trained together. An empty rate means that the part is not trained, or
    /// has the method's rate.
    /// @param combinedMethod of the second method (`--combine-with`)
    /// @param triggerWord    of a word's embedding trained together with the method
    /// @param textEncoder    of LoRA on the text encoder
    public record LearningRateConfig(double method, OptionalDouble combinedMethod, OptionalDouble triggerWord,
            OptionalDouble textEncoder) {
        public double rateOf(MethodSettings.LearningRateGroup group) {
            return switch (group) {
                case METHOD -> method;
                case COMBINED_METHOD -> combinedMethod.orElse(method);
                case WORD -> triggerWord.orElse(method);
                case TEXT_ENCODER -> textEncoder.orElse(method);
            };
        }
    }

    /// The learning rate over the steps: linear warmup, then the scheduler's.
    public record ScheduleConfig(int steps, LearningRateConfig learningRates, long seed, int warmupSteps,
            LearningRateScheduler scheduler) {
        /// The method's own learning rate.
        public double learningRate() {
            return learningRates.method;
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
    /// @param weightDecay       of layers without one in their group
    public record OptimizerConfig(OptimizerName name, int batchSize, int accumulationSteps, double emaDecay,
            double weightDecay, ParameterGroups groups) {}

    /// @param resolution         side of the square in pixels; `UNSET`: the model's own
    /// @param captionTemplate    the caption, with `{}` for the subject; empty: the built-in templates
    /// @param cachedNoiseSamples noisy samples that are drawn once and repeated (see `UNetFeatureCache`); 0: new noise
    ///     in every step
    public record DataConfig(int resolution, CropMode crop, String captionTemplate, int cachedNoiseSamples) {
        public DataConfig {
            captionTemplate = captionTemplate.strip();
        }
    }

    /// @param minSnrGamma γ of min-SNR weighting; 0: equal weights
    /// @param noiseOffset share of the noise that is constant within a channel; 0: none
    public record LossConfig(double minSnrGamma, double noiseOffset, Optional<PriorPreservation> priorPreservation) {}

    /// Prior preservation: images of the class are trained on too, so that the model keeps the class.
    /// Source: Ruiz et al. 2022, "DreamBooth", section 3.2.
    /// @param source a folder of class images, or `AUTO` to generate them with the base model
    public record PriorPreservation(String source, double weight) {
        public static final String AUTO = "auto";

        public PriorPreservation {
            TrainingSetting.PRIOR_LOSS_WEIGHT.row().check(weight);
            TrainingSetting.CLASS_IMAGES.row().check(source);
        }

        public boolean isGenerated() { return source.equals(AUTO); }
    }

    /// @param previewEvery steps between previews; 0: none
    public record RuntimeConfig(int previewEvery, PrecisionMode precision, Set<Feature> features) {
        public RuntimeConfig {
            EnumSet<Feature> all = EnumSet.noneOf(Feature.class);
            all.addAll(features);
            if (all.contains(Feature.EARLY_STOPPING)) all.add(Feature.VALIDATE);
            features = Collections.unmodifiableSet(all);
        }
    }

    /// The defaults on a small model: the method's steps and learning rates, AdamW, centre squares, float32.
    public static TrainingConfig of(MethodSettings method) {
        return of(method, ModelSize.SMALL);
    }

    /// The defaults on a model of this size.
    public static TrainingConfig of(MethodSettings method, ModelSize size) {
        return of(new TrainingSetting.Basis(method, OptimizerName.ADAMW, size).defaults());
    }

    /// @param values of every setting, each of its type
    static TrainingConfig of(Map<TrainingSetting, Object> values) {
        Values all = new Values(values);
        Set<Feature> features = EnumSet.allOf(Feature.class);
        features.removeIf(feature -> values.get(TrainingSetting.of(feature)).equals(false));
        String classImages = all.get(TrainingSetting.CLASS_IMAGES);
        return new TrainingConfig(
                new ScheduleConfig(all.get(TrainingSetting.STEPS),
                        new LearningRateConfig(all.get(TrainingSetting.LEARNING_RATE),
                                all.get(TrainingSetting.COMBINED_LEARNING_RATE),
                                all.get(TrainingSetting.WORD_LEARNING_RATE),
                                all.get(TrainingSetting.TEXT_ENCODER_LEARNING_RATE)),
                        all.get(TrainingSetting.SEED), all.get(TrainingSetting.WARMUP_STEPS),
                        all.get(TrainingSetting.LR_SCHEDULER)),
                new OptimizerConfig(all.get(TrainingSetting.OPTIMIZER), all.get(TrainingSetting.BATCH_SIZE),
                        all.get(TrainingSetting.GRADIENT_ACCUMULATION), all.get(TrainingSetting.EMA_DECAY),
                        all.get(TrainingSetting.WEIGHT_DECAY), all.get(TrainingSetting.GROUPS)),
                new DataConfig(all.get(TrainingSetting.RESOLUTION), all.get(TrainingSetting.CROP),
                        all.get(TrainingSetting.CAPTION_TEMPLATE), all.get(TrainingSetting.CACHED_NOISE_SAMPLES)),
                new LossConfig(all.get(TrainingSetting.MIN_SNR_GAMMA), all.get(TrainingSetting.NOISE_OFFSET),
                        classImages.isEmpty() ? Optional.empty()
                                : Optional.of(new PriorPreservation(classImages,
                                        all.get(TrainingSetting.PRIOR_LOSS_WEIGHT)))),
                new RuntimeConfig(all.get(TrainingSetting.PREVIEW_EVERY), all.get(TrainingSetting.PRECISION),
                        features));
    }

    private record Values(Map<TrainingSetting, Object> map) {
        @SuppressWarnings("unchecked") // A setting has the type of its component.
        <T> T get(TrainingSetting setting) {
            return (T) map.get(setting);
        }
    }

    /// The value of every setting, of its type.
    Map<TrainingSetting, Object> values() {
        Map<TrainingSetting, Object> values = new EnumMap<>(TrainingSetting.class);
        for (TrainingSetting setting : TrainingSetting.values()) values.put(setting, setting.of(this));
        return values;
    }

    public boolean has(Feature feature) {
        return runtime.features.contains(feature);
    }

    /// With other values of some settings, each of its type.
    /// @throws IllegalArgumentException that starts with the name of a setting out of range
    public TrainingConfig with(Map<TrainingSetting, ?> changed) {
        Map<TrainingSetting, Object> values = values();
        values.putAll(changed);
        return of(values);
    }

    public TrainingConfig with(TrainingSetting setting, Object value) {
        return with(Map.of(setting, value));
    }

    public TrainingConfig with(Feature... features) {
        return with(Stream.of(features).collect(Collectors.toMap(TrainingSetting::of, _ -> true)));
    }

    /// With the loss that validation measures: without weights and class images.
    public TrainingConfig withPlainLoss() {
        return new TrainingConfig(schedule, optimizer, data, new LossConfig(0, 0, Optional.empty()), runtime);
    }

    /// With the values of a request that continues a run, where these may change.
    public TrainingConfig resumedWith(TrainingConfig request) {
        Map<TrainingSetting, Object> values = values();
        values.replaceAll((setting, value) -> setting.mayChangeOnResume() ? setting.of(request) : value);
        return of(values);
    }
}
