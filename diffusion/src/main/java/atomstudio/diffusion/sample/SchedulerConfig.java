package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.json.Json;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/// A model's `scheduler_config.json`: how its noise was scheduled in training and how its author samples it. A key
/// that is not written (or null) has the default of the class that reads it, so the same file means different things
/// to different samplers: [#forClass].
public final class SchedulerConfig {
    private static final int MAX_TIMESTEPS = 1_000_000;

    /// The file, in messages.
    private final String source;
    private final String className;
    private final JsonObject json;

    private SchedulerConfig(String source, String className, JsonObject json) {
        this.source = source;
        this.className = className;
        this.json = json;
    }

    public static SchedulerConfig read(Path file) throws Failure {
        return of(Json.read(file));
    }

    /// @param source names the text in messages
    public static SchedulerConfig parse(String source, String text) throws Failure {
        return of(Json.parse(source, text));
    }

    private static SchedulerConfig of(Json file) throws Failure {
        return new SchedulerConfig(file.source(), "", file.object()).validated();
    }

    private SchedulerConfig validated() throws Failure {
        String name = string("_class_name", "");
        SchedulerConfig config = new SchedulerConfig(source, name, json);
        if (config.trainTimesteps() < 1 || config.trainTimesteps() > MAX_TIMESTEPS) {
            throw new Failure.Unreadable(source + ": num_train_timesteps: expected 1 to " + MAX_TIMESTEPS + ", found "
                    + config.trainTimesteps());
        }
        return config;
    }

    /// The reference class whose defaults hold; empty where the file names none.
    public String className() {
        return className;
    }

    /// The same file as another reference class reads it.
    public SchedulerConfig forClass(String name) {
        return new SchedulerConfig(source, name, json);
    }

    /// The same with other settings in the place of those that are written.
    public SchedulerConfig with(JsonObject settings) {
        JsonObject changed = json.deepCopy();
        settings.entrySet().forEach(setting -> changed.add(setting.getKey(), setting.getValue()));
        return new SchedulerConfig(source, className, changed);
    }

    /// What the reference pipeline makes of any model's file before it generates: offset 1, predictions not clipped.
    /// PNDM is taken without its Runge-Kutta beginning, as every Stable Diffusion model writes it.
    public SchedulerConfig forGeneration() {
        JsonObject changed = json.deepCopy();
        changed.addProperty("steps_offset", 1);
        changed.addProperty("clip_sample", false);
        changed.addProperty("skip_prk_steps", true);
        return new SchedulerConfig(source, className, changed);
    }

    /// The same for a network whose output means something else than the file says.
    public SchedulerConfig withPredictionType(PredictionType type) {
        JsonObject changed = json.deepCopy();
        changed.addProperty("prediction_type", switch (type) {
            case EPSILON -> "epsilon";
            case V -> "v_prediction";
            case SAMPLE -> "sample";
        });
        return new SchedulerConfig(source, className, changed);
    }

    /// Timesteps of training, T.
    public int trainTimesteps() throws Failure {
        return integer("num_train_timesteps", 1000);
    }

    /// What the network predicts.
    /// @throws Failure.NotBuilt for kinds other than epsilon, v_prediction, sample
    public PredictionType predictionType() throws Failure {
        String type = string("prediction_type", "epsilon");
        return switch (type) {
            case "epsilon" -> PredictionType.EPSILON;
            case "v_prediction" -> PredictionType.V;
            case "sample" -> PredictionType.SAMPLE;
            default -> throw unsupported("prediction_type", type);
        };
    }

    /// Which timesteps are visited, unless Karras's spacing says otherwise.
    public TimestepSpacing spacing() throws Failure {
        String spacing = string("timestep_spacing", switch (className) {
            case "DDIMScheduler", "PNDMScheduler", "DDPMScheduler", "LCMScheduler", "TCDScheduler" -> "leading";
            default -> "linspace";
        });
        return switch (spacing) {
            case "leading" -> TimestepSpacing.LEADING;
            case "linspace" -> TimestepSpacing.LINSPACE;
            case "trailing" -> TimestepSpacing.TRAILING;
            default -> throw unsupported("timestep_spacing", spacing);
        };
    }

    /// Whether the file itself names a spacing.
    boolean hasSpacing() throws Failure {
        return !string("timestep_spacing", "").isEmpty();
    }

    SchedulerConfig withSpacing(TimestepSpacing spacing) {
        JsonObject changed = json.deepCopy();
        changed.addProperty("timestep_spacing", spacing.name().toLowerCase(Locale.ROOT));
        return new SchedulerConfig(source, className, changed);
    }

    /// Whether the last timestep is pure noise. Source: Lin, Liu, Li and Yang 2024, "Common Diffusion Noise Schedules".
    public boolean hasZeroTerminalSnr() throws Failure {
        return bool("rescale_betas_zero_snr", false);
    }

    public int stepsOffset() throws Failure {
        return integer("steps_offset", 0);
    }

    /// The training schedule where nothing is written.
    record Betas(double start, double end, String schedule) {}

    Betas betas() throws Failure {
        Betas defaults = switch (className) {
            case "HeunDiscreteScheduler", "KDPM2DiscreteScheduler", "KDPM2AncestralDiscreteScheduler",
                    "DPMSolverSDEScheduler" -> new Betas(0.00085, 0.012, "linear");
            case "LCMScheduler", "TCDScheduler" -> new Betas(0.00085, 0.012, "scaled_linear");
            default -> new Betas(0.0001, 0.02, "linear");
        };
        return new Betas(beta("beta_start", defaults.start), beta("beta_end", defaults.end),
                string("beta_schedule", defaults.schedule));
    }

    /// A variance between two timesteps of data of variance 1.
    private double beta(String key, double defaultValue) throws Failure {
        double beta = number(key, defaultValue);
        if (beta < 0 || beta >= 1)
            throw new Failure.Unreadable(source + ": " + key + ": expected 0 or more and less than 1, found " + beta);
        return beta;
    }

    /// The text of a key, or `otherwise` where it is not written.
    String string(String key, String defaultValue) throws Failure {
        return reader().find(key, "a text", Json::string).orElse(defaultValue);
    }

    boolean bool(String key, boolean defaultValue) throws Failure {
        return reader().find(key, "true or false", Json::bool).orElse(defaultValue);
    }

    double number(String key, double defaultValue) throws Failure {
        return number(key).orElse(defaultValue);
    }

    Optional<Double> number(String key) throws Failure {
        return reader().find(key, "a number", SchedulerConfig::numberOrInfinity);
    }

    /// The reference writes minus infinity as Python does, which is no JSON and read as a text.
    private static double numberOrInfinity(JsonElement element) {
        return switch (element.getAsString()) {
            case "-Infinity" -> Double.NEGATIVE_INFINITY;
            case "Infinity" -> Double.POSITIVE_INFINITY;
            default -> Json.number(element);
        };
    }

    int integer(String key, int defaultValue) throws Failure {
        return reader().find(key, "a whole number", element -> Math.toIntExact(Json.integer(element)))
                .orElse(defaultValue);
    }

    /// A list of numbers, for betas that are written out.
    Optional<float[]> floats(String key) throws Failure {
        return reader().find(key, "a list of numbers", element -> {
            float[] values = new float[element.getAsJsonArray().size()];
            for (int i = 0; i < values.length; i++) values[i] = (float) Json.number(element.getAsJsonArray().get(i));
            return values;
        });
    }

    private Json reader() {
        return new Json(source, json);
    }

    /// Refuses a flag that switches something on which this program does not do.
    void requireFalse(String... keys) throws Failure {
        for (String key : keys) {
            if (bool(key, false)) throw unsupported(key, "true");
        }
    }

    Failure.Unsupported unsupported(String key, String value) {
        return new Failure.Unsupported(
                SafeText.of(className) + ": " + key + " " + SafeText.of(value) + " is not built yet");
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SchedulerConfig config && className.equals(config.className)
                && json.equals(config.json);
    }

    @Override
    public int hashCode() {
        return 31 * className.hashCode() + json.hashCode();
    }

    @Override
    public String toString() {
        return className + " " + json;
    }
}
