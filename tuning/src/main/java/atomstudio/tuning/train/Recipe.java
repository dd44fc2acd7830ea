package atomstudio.tuning.train;

import atomstudio.tuning.method.MethodSettings;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.Stream;

/// How a method is trained: every setting of `tune` beside model, pictures, words and method. What is not asked for is at the values of
/// `of`. Numbers are refused by the name of their option.
public record Recipe(Course course, Update update, Material material, Weighing weighing, Running running) {
    /// Stands for "as the model or the optimizer has it" in the whole numbers that may be left open.
    public static final int OPEN = 0;
    /// Steps over which the rate rises unless asked otherwise.
    public static final int WARM_UP = 20;

    public enum Decay implements Named { CONSTANT, COSINE }

    /// Which part of a picture is trained on. CENTRE: its centre square. RANDOM: another square each time. WHOLE: all of it, in its own
    /// shape, with about as many pixels as the square would have.
    public enum Crop implements Named { CENTRE, RANDOM, WHOLE }

    public enum OptimizerName implements Named { ADAMW, PRODIGY, MUON }

    /// Of frozen weights and activations; what is trained is always in float32.
    public enum Precision implements Named { AUTO, FP32, BF16 }

    /// What is either asked for or not.
    public enum Feature implements Named { CAPTIONS, MASKS, FLIP, VALIDATE, STOP_EARLY, CHECKPOINTING }

    /// A choice with its name on the command line and in run.json.
    public interface Named {
        String name();

        default String option() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        static <E extends Enum<E> & Named> Optional<E> of(Class<E> family, String option) {
            return Stream.of(family.getEnumConstants()).filter(each -> each.option().equals(option)).findFirst();
        }
    }

    /// Learning rates of what is trained together.
    /// @param method      of the method itself
    /// @param also        of the method trained beside it; empty: there is none, or it has the method's rate
    /// @param word        of a word trained beside it (`--also textual-inversion` or a method that has one); empty as above
    /// @param textEncoder of LoRA on the text encoder; empty: there is none, or it has the method's rate
    public record Rates(double method, OptionalDouble also, OptionalDouble word, OptionalDouble textEncoder) {
        public Rates {
            check("rate", method);
            also.ifPresent(rate -> check("also-rate", rate));
            word.ifPresent(rate -> check("word-rate", rate));
            textEncoder.ifPresent(rate -> check("text-encoder-rate", rate));
        }

        /// One rate for everything.
        public static Rates same(double rate) {
            return new Rates(rate, OptionalDouble.empty(), OptionalDouble.empty(), OptionalDouble.empty());
        }

        private static void check(String name, double rate) {
            if (!(rate > 0 && rate < 10)) throw new IllegalArgumentException(name + ": expected a number above 0 and below 10, found " + rate);
        }

        double of(MethodSettings.LearningRateGroup trained) {
            return switch (trained) {
                case METHOD -> method;
                case ALSO -> also.orElse(method);
                case WORD -> word.orElse(method);
                case TEXT_ENCODER -> textEncoder.orElse(method);
            };
        }
    }

    /// The learning rates over the steps: `warmUp` steps of rising, then as `decay` says.
    public record Course(int steps, Rates rates, long seed, int warmUp, Decay decay) {
        /// With one learning rate for everything.
        public Course(int steps, double rate, long seed, int warmUp, Decay decay) {
            this(steps, Rates.same(rate), seed, warmUp, decay);
        }

        public Course {
            if (steps < 1) throw new IllegalArgumentException("steps: expected at least 1, found " + steps);
            if (warmUp < 0) throw new IllegalArgumentException("warmup: expected 0 (none) or more, found " + warmUp);
        }

        /// The method's own learning rate.
        public double rate() {
            return rates.method;
        }

        public Course withSteps(int steps) {
            return new Course(steps, rates, seed, warmUp, decay);
        }

        public Course withRate(double rate) {
            return new Course(steps, new Rates(rate, rates.also, rates.word, rates.textEncoder), seed, warmUp, decay);
        }

        public Course withSeed(long seed) {
            return new Course(steps, rates, seed, warmUp, decay);
        }

        /// The method's learning rate at a step, counted from 0; the others are in proportion.
        double rate(int step) {
            double rate = rates.method;
            double rise = warmUp == 0 ? 1 : Math.min(1, (step + 1.0) / warmUp);
            return switch (decay) {
                case CONSTANT -> rate * rise;
                case COSINE -> rate * rise * 0.5 * (1 + Math.cos(Math.PI * Math.max(0, step - warmUp) / Math.max(1, steps - warmUp)));
            };
        }
    }

    /// @param batch      pictures a pass; `OPEN`: as many as the model's size allows
    /// @param accumulate passes whose gradients make one step
    /// @param ema        how much of the mean of the numbers a step keeps; 0: none is kept
    public record Update(OptimizerName optimizer, int batch, int accumulate, double ema) {
        public Update {
            if (batch < 0) throw new IllegalArgumentException("batch: expected at least 1, found " + batch);
            if (accumulate < 1) throw new IllegalArgumentException("accumulate: expected at least 1, found " + accumulate);
            if (!(ema >= 0 && ema < 1)) throw new IllegalArgumentException("ema: expected 0 (none) or a number below 1 such as 0.99, found " + ema);
        }
    }

    /// @param size     side of the square in pixels; `OPEN`: the model's own
    /// @param template the one caption, `{}` in it standing for the subject; empty: the usual ones
    /// @param bank     noisy pictures that are made once and come again and again (see `Bank`); 0: other noise in every step
    public record Material(int size, Crop crop, String template, int bank) {
        public Material {
            if (size < 0) throw new IllegalArgumentException("size: expected a number of pixels, found " + size);
            if (bank < 0) throw new IllegalArgumentException("bank: expected 0 (none) or a number of noisy pictures, usually 64 to 128, found " + bank);
            template = template.strip();
            if (!template.isEmpty() && !template.contains(Captions.PLACEHOLDER)) {
                throw new IllegalArgumentException("caption-template: expected {} where the subject's words go, as in \"a photo of {}\", found \"" + template + "\"");
            }
        }
    }

    /// @param minSnr      γ of min-SNR; 0: every timestep counts alike
    /// @param noiseOffset how much of the noise is one number for a whole channel; 0: none
    public record Weighing(double minSnr, double noiseOffset, Optional<Prior> prior) {
        public Weighing {
            if (!(minSnr >= 0 && Double.isFinite(minSnr))) throw new IllegalArgumentException("min-snr: expected a number above 0, usually 5, found " + minSnr);
            if (!(noiseOffset >= 0 && noiseOffset <= 1)) throw new IllegalArgumentException("noise-offset: expected 0 to 1, usually 0.1 at most, found " + noiseOffset);
        }
    }

    /// Other members of the class, which the model is not to forget. Source: Ruiz et al. 2022, "DreamBooth", section 3.2.
    /// @param source a folder of pictures, or `AUTO` for pictures that the base model makes itself
    public record Prior(String source, double weight) {
        public static final String AUTO = "auto";

        public Prior {
            if (!(weight > 0 && Double.isFinite(weight))) throw new IllegalArgumentException("prior-weight: expected a number above 0, usually 1, found " + weight);
            if (source.isBlank()) throw new IllegalArgumentException("prior: expected a folder of pictures, or auto, found nothing");
        }

        boolean made() {
            return source.equals(AUTO);
        }
    }

    /// @param previewEvery steps from one preview picture to the next; 0 for none
    public record Running(int previewEvery, Precision precision, Set<Feature> features) {
        public Running {
            if (previewEvery < 0) throw new IllegalArgumentException("preview-every: expected 0 (none) or more, found " + previewEvery);
            EnumSet<Feature> all = EnumSet.noneOf(Feature.class);
            all.addAll(features);
            if (all.contains(Feature.STOP_EARLY)) all.add(Feature.VALIDATE);
            features = java.util.Collections.unmodifiableSet(all);
        }
    }

    /// The method's own steps, each part's own learning rate, AdamW, centre squares, nothing else.
    public static Recipe of(MethodSettings method) {
        return new Recipe(new Course(method.choice().steps(), rates(method), 0, WARM_UP, Decay.CONSTANT), new Update(OptimizerName.ADAMW, OPEN, 1, 0),
                new Material(OPEN, Crop.CENTRE, "", 0), new Weighing(0, 0, Optional.empty()), new Running(0, Precision.FP32, Set.of()));
    }

    private static Rates rates(MethodSettings method) {
        OptionalDouble also = method.combinedWith().filter(other -> other != MethodSettings.MethodName.TEXTUAL_INVERSION)
                .map(other -> OptionalDouble.of(other.learningRate())).orElse(OptionalDouble.empty());
        OptionalDouble word = method.trainsWord() ? OptionalDouble.of(MethodSettings.MethodName.TEXTUAL_INVERSION.learningRate()) : OptionalDouble.empty();
        OptionalDouble text = method.trainsTextEncoder() ? OptionalDouble.of(MethodSettings.MethodName.LORA.learningRate()) : OptionalDouble.empty();
        return new Rates(method.choice().learningRate(), also, word, text);
    }

    /// The learning rate that suits an optimizer, given a method's own: Prodigy finds it by itself, and is given a factor.
    public static double rate(OptimizerName optimizer, double own) {
        return switch (optimizer) {
            case ADAMW, MUON -> own;
            case PRODIGY -> 1;
        };
    }

    public boolean has(Feature feature) {
        return running.features.contains(feature);
    }

    public Recipe with(Course course) {
        return new Recipe(course, update, material, weighing, running);
    }

    public Recipe with(Update update) {
        return new Recipe(course, update, material, weighing, running);
    }

    public Recipe with(Material material) {
        return new Recipe(course, update, material, weighing, running);
    }

    public Recipe with(Weighing weighing) {
        return new Recipe(course, update, material, weighing, running);
    }

    public Recipe with(Running running) {
        return new Recipe(course, update, material, weighing, running);
    }

    public Recipe with(Feature... features) {
        EnumSet<Feature> all = EnumSet.noneOf(Feature.class);
        all.addAll(running.features);
        all.addAll(List.of(features));
        return with(new Running(running.previewEvery, running.precision, all));
    }
}
