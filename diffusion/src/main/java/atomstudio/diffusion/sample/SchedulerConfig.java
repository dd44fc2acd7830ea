package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Quoted;
import atomstudio.diffusion.json.Json;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/// A model's `scheduler_config.json`: how its noise was scheduled in training and how its author samples it.
/// A key that is not written (or null) has the default of the class that reads it, so the same file means different things
/// to different samplers: [#forClass].
public final class SchedulerConfig {
    private static final int MOST_TIMESTEPS = 1_000_000;

    /// The file, in messages.
    private final String where;
    private final String className;
    private final JsonObject written;

    private SchedulerConfig(String where, String className, JsonObject written) {
        this.where = where;
        this.className = className;
        this.written = written;
    }

    public static SchedulerConfig read(Path file) throws Failure {
        return of(Json.read(file));
    }

    /// @param where names the text in messages
    public static SchedulerConfig parse(String where, String json) throws Failure {
        return of(Json.parse(where, json));
    }

    private static SchedulerConfig of(Json json) throws Failure {
        return new SchedulerConfig(json.source(), "", json.object()).named();
    }

    private SchedulerConfig named() throws Failure {
        String name = text("_class_name", "");
        SchedulerConfig config = new SchedulerConfig(where, name, written);
        if (config.trainTimesteps() < 1 || config.trainTimesteps() > MOST_TIMESTEPS) {
            throw new Failure.Unreadable(where + ": num_train_timesteps: expected 1 to " + MOST_TIMESTEPS + ", found " + config.trainTimesteps());
        }
        return config;
    }

    /// The reference class whose defaults hold; empty where the file names none.
    public String className() {
        return className;
    }

    /// The same file as another reference class reads it.
    public SchedulerConfig forClass(String name) {
        return new SchedulerConfig(where, name, written);
    }

    /// The same with other settings in the place of those that are written.
    public SchedulerConfig with(JsonObject settings) {
        JsonObject changed = written.deepCopy();
        settings.entrySet().forEach(setting -> changed.add(setting.getKey(), setting.getValue()));
        return new SchedulerConfig(where, className, changed);
    }

    /// What the reference pipeline makes of any model's file before it generates: offset 1, predictions not clipped.
    /// PNDM is taken without its Runge-Kutta beginning, as every Stable Diffusion model writes it.
    public SchedulerConfig forGeneration() {
        JsonObject changed = written.deepCopy();
        changed.addProperty("steps_offset", 1);
        changed.addProperty("clip_sample", false);
        changed.addProperty("skip_prk_steps", true);
        return new SchedulerConfig(where, className, changed);
    }

    /// The same for a network whose output means something else than the file says.
    public SchedulerConfig withPrediction(Prediction prediction) {
        JsonObject changed = written.deepCopy();
        changed.addProperty("prediction_type", switch (prediction) {
            case EPSILON -> "epsilon";
            case V -> "v_prediction";
            case SAMPLE -> "sample";
        });
        return new SchedulerConfig(where, className, changed);
    }

    /// Timesteps of training, T.
    public int trainTimesteps() throws Failure {
        return whole("num_train_timesteps", 1000);
    }

    /// What the network predicts.
    /// @throws Failure.NotBuilt for kinds other than epsilon, v_prediction, sample
    public Prediction prediction() throws Failure {
        String type = text("prediction_type", "epsilon");
        return switch (type) {
            case "epsilon" -> Prediction.EPSILON;
            case "v_prediction" -> Prediction.V;
            case "sample" -> Prediction.SAMPLE;
            default -> throw notBuilt("prediction_type", type);
        };
    }

    /// Which timesteps are visited, unless Karras's spacing says otherwise.
    public Spacing spacing() throws Failure {
        String spacing = text("timestep_spacing", switch (className) {
            case "DDIMScheduler", "PNDMScheduler", "DDPMScheduler", "LCMScheduler", "TCDScheduler" -> "leading";
            default -> "linspace";
        });
        return switch (spacing) {
            case "leading" -> Spacing.LEADING;
            case "linspace" -> Spacing.LINSPACE;
            case "trailing" -> Spacing.TRAILING;
            default -> throw notBuilt("timestep_spacing", spacing);
        };
    }

    /// Whether the file itself names a spacing.
    boolean namesSpacing() throws Failure {
        return !text("timestep_spacing", "").isEmpty();
    }

    SchedulerConfig withSpacing(Spacing spacing) {
        JsonObject changed = written.deepCopy();
        changed.addProperty("timestep_spacing", spacing.name().toLowerCase(Locale.ROOT));
        return new SchedulerConfig(where, className, changed);
    }

    /// Whether the last timestep is pure noise. Source: Lin, Liu, Li and Yang 2024, "Common Diffusion Noise Schedules".
    public boolean zeroTerminal() throws Failure {
        return flag("rescale_betas_zero_snr", false);
    }

    public int stepsOffset() throws Failure {
        return whole("steps_offset", 0);
    }

    /// The training schedule where nothing is written.
    record Betas(double first, double last, String kind) {}

    Betas betas() throws Failure {
        Betas usual = switch (className) {
            case "HeunDiscreteScheduler", "KDPM2DiscreteScheduler", "KDPM2AncestralDiscreteScheduler", "DPMSolverSDEScheduler" -> new Betas(0.00085, 0.012, "linear");
            case "LCMScheduler", "TCDScheduler" -> new Betas(0.00085, 0.012, "scaled_linear");
            default -> new Betas(0.0001, 0.02, "linear");
        };
        return new Betas(beta("beta_start", usual.first), beta("beta_end", usual.last), text("beta_schedule", usual.kind));
    }

    /// A variance between two timesteps of data of variance 1.
    private double beta(String key, double otherwise) throws Failure {
        double beta = number(key, otherwise);
        if (beta < 0 || beta >= 1) throw new Failure.Unreadable(where + ": " + key + ": expected 0 or more and less than 1, found " + beta);
        return beta;
    }

    /// The text of a key, or `otherwise` where it is not written.
    String text(String key, String otherwise) throws Failure {
        return keys().find(key, "a text", Json::text).orElse(otherwise);
    }

    boolean flag(String key, boolean otherwise) throws Failure {
        return keys().find(key, "true or false", Json::flag).orElse(otherwise);
    }

    double number(String key, double otherwise) throws Failure {
        return number(key).orElse(otherwise);
    }

    Optional<Double> number(String key) throws Failure {
        return keys().find(key, "a number", SchedulerConfig::extended);
    }

    /// The reference writes minus infinity as Python does, which is no JSON and read as a text.
    private static double extended(JsonElement element) {
        return switch (element.getAsString()) {
            case "-Infinity" -> Double.NEGATIVE_INFINITY;
            case "Infinity" -> Double.POSITIVE_INFINITY;
            default -> Json.number(element);
        };
    }

    int whole(String key, int otherwise) throws Failure {
        return keys().find(key, "a whole number", element -> Math.toIntExact(Json.whole(element))).orElse(otherwise);
    }

    /// A list of numbers, for betas that are written out.
    Optional<float[]> numbers(String key) throws Failure {
        return keys().find(key, "a list of numbers", element -> {
            float[] numbers = new float[element.getAsJsonArray().size()];
            for (int i = 0; i < numbers.length; i++) numbers[i] = (float) Json.number(element.getAsJsonArray().get(i));
            return numbers;
        });
    }

    private Json keys() {
        return new Json(where, written);
    }

    /// Refuses a flag that switches something on which this program does not do.
    void refuse(String... keys) throws Failure {
        for (String key : keys) {
            if (flag(key, false)) throw notBuilt(key, "true");
        }
    }

    Failure.NotBuilt notBuilt(String key, String value) {
        return new Failure.NotBuilt(Quoted.of(className) + ": " + key + " " + Quoted.of(value) + " is not built yet");
    }

    @Override public boolean equals(Object other) {
        return other instanceof SchedulerConfig config && className.equals(config.className) && written.equals(config.written);
    }

    @Override public int hashCode() {
        return 31 * className.hashCode() + written.hashCode();
    }

    @Override public String toString() {
        return className + " " + written;
    }
}
