package atomstudio.app.cli;

import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.train.Recipe;
import atomstudio.tuning.train.Recipe.Feature;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/// How a method is trained: the options of every command that tunes with a person's own settings.
final class TrainingOptions {
    @Option(names = "--steps", paramLabel = "N", description = "Training steps. Default: the method's.")
    private @Nullable Integer steps;

    @Option(names = "--rate", paramLabel = "X", description = "Learning rate. Default: the method's; 1 with prodigy, which finds its own.")
    private @Nullable Double rate;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "0", description = "Seed of everything random. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(names = "--warmup", paramLabel = "N", defaultValue = "" + Recipe.WARM_UP, description = "Steps over which the rate rises. Default: ${DEFAULT-VALUE}.")
    private int warmUp;

    @Option(names = "--decay", paramLabel = "NAME", defaultValue = "constant", converter = Decays.class, completionCandidates = Decays.class,
            description = "How the rate goes on: ${COMPLETION-CANDIDATES} (falls to nothing at the last step, so that the number of steps is fixed). Default: ${DEFAULT-VALUE}.")
    private Recipe.Decay decay = Recipe.Decay.CONSTANT;

    @Option(names = "--optimizer", paramLabel = "NAME", defaultValue = "adamw", converter = Optimizers.class, completionCandidates = Optimizers.class,
            description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private Recipe.OptimizerName optimizer = Recipe.OptimizerName.ADAMW;

    @Option(names = "--batch", paramLabel = "N", description = "Pictures that go through the network together. Default: as the model's size allows.")
    private @Nullable Integer batch;

    @Option(names = "--accumulate", paramLabel = "N", defaultValue = "1", description = "Batches that make one step together. Default: ${DEFAULT-VALUE}.")
    private int accumulate;

    @Option(names = "--ema", paramLabel = "X", defaultValue = "0", description = "Keep a running mean of the numbers, of which a step replaces 1 − X, and make it the adapter; 0: none, else such as 0.99.")
    private double ema;

    @Option(names = "--size", paramLabel = "N", description = "Side of the training pictures in pixels. Default: the model's own.")
    private @Nullable Integer size;

    @Option(names = "--crop", paramLabel = "NAME", defaultValue = "centre", converter = Crops.class, completionCandidates = Crops.class,
            description = "What of a picture is trained on: ${COMPLETION-CANDIDATES} (random: another square each time; whole: all of it, in its own shape). Default: ${DEFAULT-VALUE}.")
    private Recipe.Crop crop = Recipe.Crop.CENTRE;

    @Option(names = "--flip", description = "Also train on the pictures' mirror images.")
    private boolean flip;

    @Option(names = "--captions", description = "Use NAME.txt beside a picture as what it shows; {} in it stands for the subject.")
    private boolean captions;

    @Option(names = "--caption-template", paramLabel = "TEXT", defaultValue = "", description = "What pictures without a caption of their own are called, as in \"a photo of {}\". Default: a few usual ones.")
    private String template = "";

    @Option(names = "--masks", description = "Train on what NAME-mask.png shows white, or else on what is not transparent.")
    private boolean masks;

    @Option(names = "--min-snr", paramLabel = "X", description = "Weigh timesteps by min-SNR with this γ, usually 5.")
    private @Nullable Double minSnr;

    @Option(names = "--noise-offset", paramLabel = "X", defaultValue = "0", description = "How much of the noise shifts whole channels, for very dark or bright pictures; 0.1 at most is usual. Default: none.")
    private double noiseOffset;

    @Option(names = "--prior", paramLabel = "DIR|auto", description = "Train beside the subject on other members of its class, so that these are kept: pictures in a folder, or made by the model itself once (auto).")
    private @Nullable String prior;

    @Option(names = "--prior-weight", paramLabel = "X", description = "How much the class counts beside the subject. Default: 1.")
    private @Nullable Double priorWeight;

    @Option(names = "--preview-every", paramLabel = "N", defaultValue = "0", description = "Steps from one preview picture to the next; 0: none. Default: ${DEFAULT-VALUE}.")
    private int previewEvery;

    @Option(names = "--validate", description = "Hold one of five or more pictures out and record its loss (with fewer, score the previews where the model can); keep the best checkpoint as the adapter.")
    private boolean validate;

    @Option(names = "--stop-early", description = "End when validation no longer improves.")
    private boolean stopEarly;

    @Option(names = "--precision", paramLabel = "NAME", defaultValue = "fp32", converter = Precisions.class, completionCandidates = Precisions.class,
            description = "Of what is frozen: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private Recipe.Precision precision = Recipe.Precision.FP32;

    @Option(names = "--checkpointing", description = "Compute activations again instead of keeping them: less memory, more time.")
    private boolean checkpointing;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    Recipe recipe(MethodSettings method) {
        if (priorWeight != null && prior == null) throw usage("--prior-weight: expected --prior beside it, found none");
        try {
            double own = Recipe.rate(optimizer, method.choice().rate());
            Recipe.Course course = new Recipe.Course(Optional.ofNullable(steps).orElse(method.choice().steps()), Optional.ofNullable(rate).orElse(own), seed, warmUp, decay);
            Recipe.Update update = new Recipe.Update(optimizer, given("batch", batch), accumulate, ema);
            Recipe.Material material = new Recipe.Material(given("size", size), crop, template);
            if (minSnr != null && minSnr == 0) throw new IllegalArgumentException("min-snr: expected a number above 0, usually 5, found 0");
            Recipe.Weighing weighing = new Recipe.Weighing(minSnr == null ? 0 : minSnr, noiseOffset, Optional.ofNullable(prior).map(this::prior));
            return new Recipe(course, update, material, weighing, new Recipe.Running(previewEvery, precision, features()));
        } catch (IllegalArgumentException wrong) {
            throw usage("--" + wrong.getMessage());
        }
    }

    private Recipe.Prior prior(String source) {
        return new Recipe.Prior(source, priorWeight == null ? 1 : priorWeight);
    }

    private static int given(String name, @Nullable Integer number) {
        if (number == null) return Recipe.OPEN;
        if (number < 1) throw new IllegalArgumentException(name + ": expected at least 1, found " + number);
        return number;
    }

    private Set<Feature> features() {
        EnumSet<Feature> features = EnumSet.noneOf(Feature.class);
        if (captions) features.add(Feature.CAPTIONS);
        if (masks) features.add(Feature.MASKS);
        if (flip) features.add(Feature.FLIP);
        if (validate) features.add(Feature.VALIDATE);
        if (stopEarly) features.add(Feature.STOP_EARLY);
        if (checkpointing) features.add(Feature.CHECKPOINTING);
        return features;
    }

    private ParameterException usage(String message) {
        return new ParameterException(command.commandLine(), message);
    }

    /// The names of a family of settings.
    private abstract static class Names<E extends Enum<E> & Recipe.Named> implements ITypeConverter<E>, Iterable<String> {
        private final Class<E> family;

        Names(Class<E> family) {
            this.family = family;
        }

        @Override public E convert(String value) {
            return Recipe.Named.of(family, value).orElseThrow(() -> new TypeConversionException("expected one of "
                    + Arrays.stream(family.getEnumConstants()).map(Recipe.Named::option).collect(Collectors.joining(", ")) + ", found \"" + value + "\""));
        }

        @Override public Iterator<String> iterator() {
            return Arrays.stream(family.getEnumConstants()).map(Recipe.Named::option).iterator();
        }
    }

    static final class Decays extends Names<Recipe.Decay> {
        Decays() {
            super(Recipe.Decay.class);
        }
    }

    static final class Optimizers extends Names<Recipe.OptimizerName> {
        Optimizers() {
            super(Recipe.OptimizerName.class);
        }
    }

    static final class Crops extends Names<Recipe.Crop> {
        Crops() {
            super(Recipe.Crop.class);
        }
    }

    static final class Precisions extends Names<Recipe.Precision> {
        Precisions() {
            super(Recipe.Precision.class);
        }
    }
}
