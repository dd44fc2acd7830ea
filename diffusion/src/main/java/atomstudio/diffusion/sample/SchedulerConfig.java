package atomstudio.diffusion.sample;

import static atomstudio.diffusion.sample.SchedulerConfig.Betas.DDPM;
import static atomstudio.diffusion.sample.SchedulerConfig.Betas.LATENT;
import static atomstudio.diffusion.sample.SchedulerConfig.Betas.LATENT_LINEAR;
import static atomstudio.diffusion.sample.SchedulerConfig.End.ALPHA_TO_ONE;
import static atomstudio.diffusion.sample.SchedulerConfig.End.ALPHA_TO_ONE_OFF;
import static atomstudio.diffusion.sample.SchedulerConfig.End.FINAL_SIGMAS_TYPE;
import static atomstudio.diffusion.sample.SchedulerConfig.End.NO_NOISE;
import static atomstudio.diffusion.sample.SchedulerConfig.End.TIMESTEP_0;
import static atomstudio.diffusion.sample.SchedulerConfig.ThresholdingKeys.CLIP_OFF;
import static atomstudio.diffusion.sample.SchedulerConfig.ThresholdingKeys.CLIP_OFF_OR_DYNAMIC;
import static atomstudio.diffusion.sample.SchedulerConfig.ThresholdingKeys.CLIP_ON_OR_DYNAMIC;
import static atomstudio.diffusion.sample.SchedulerConfig.ThresholdingKeys.DYNAMIC;
import static atomstudio.diffusion.sample.SchedulerConfig.ThresholdingKeys.NONE;
import static atomstudio.diffusion.sample.Sigmas.TimestepSpacing.LEADING;
import static atomstudio.diffusion.sample.Sigmas.TimestepSpacing.LINSPACE;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.json.Json;
import atomstudio.diffusion.sample.Sigmas.TimestepSpacing;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.Optional;

/// A model's `scheduler_config.json`: its training noise schedule and its default sampler. An absent key (or null) has
/// the default of the diffusers class that reads it, so the same file means different things to different samplers:
/// [#forClass]. [ClassDefaults] is the table of those defaults; keys that one sampler reads are in [SamplerName].
public final class SchedulerConfig {
    private static final int MAX_TIMESTEPS = 1_000_000;

    /// Names the file in messages.
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

    /// The diffusers class whose defaults apply; empty if the file names none.
    public String className() {
        return className;
    }

    /// The same file as another class reads it.
    public SchedulerConfig forClass(String name) {
        return new SchedulerConfig(source, name, json);
    }

    /// With some settings replaced.
    public SchedulerConfig with(JsonObject settings) {
        JsonObject changed = json.deepCopy();
        settings.entrySet().forEach(setting -> changed.add(setting.getKey(), setting.getValue()));
        return new SchedulerConfig(source, className, changed);
    }

    /// As diffusers' pipeline changes any model's file before generation: offset 1, x0 not clipped. PNDM without
    /// Runge-Kutta warm-up (`skip_prk_steps`), as in every Stable Diffusion model.
    public SchedulerConfig forGeneration() {
        JsonObject changed = new JsonObject();
        changed.addProperty("steps_offset", 1);
        changed.addProperty("clip_sample", false);
        changed.addProperty("skip_prk_steps", true);
        return with(changed);
    }

    public SchedulerConfig withPredictionType(PredictionType type) {
        return with("prediction_type", type.configValue());
    }

    SchedulerConfig withSpacing(TimestepSpacing spacing) {
        return with("timestep_spacing", spacing.configValue());
    }

    private SchedulerConfig with(String key, String value) {
        JsonObject changed = new JsonObject();
        changed.addProperty(key, value);
        return with(changed);
    }

    /// T.
    public int trainTimesteps() throws Failure {
        return integer("num_train_timesteps", 1000);
    }

    /// What the network predicts.
    /// @throws Failure.Unsupported for other types than epsilon, v_prediction and sample
    public PredictionType predictionType() throws Failure {
        return PredictionType.of(this);
    }

    /// @throws Failure.Unsupported for other spacings than leading, linspace and trailing
    TimestepSpacing spacing() throws Failure {
        String value = string("timestep_spacing", defaults().spacing.configValue());
        for (TimestepSpacing spacing : TimestepSpacing.values())
            if (spacing.configValue().equals(value)) return spacing;
        throw unsupported("timestep_spacing", value);
    }

    /// Whether the file itself has a spacing.
    boolean hasSpacing() throws Failure {
        return !string("timestep_spacing", "").isEmpty();
    }

    /// Whether the last timestep is pure noise. Source: Lin, Liu, Li and Yang 2024, "Common Diffusion Noise Schedules".
    public boolean hasZeroTerminalSnr() throws Failure {
        return bool("rescale_betas_zero_snr", false);
    }

    public int stepsOffset() throws Failure {
        return integer("steps_offset", 0);
    }

    /// The parameters of the beta schedule.
    record Betas(double start, double end, String schedule) {
        /// Ho et al. 2020.
        static final Betas DDPM = new Betas(0.0001, 0.02, "linear");
        /// Rombach et al. 2022, as Stable Diffusion's.
        static final Betas LATENT = new Betas(0.00085, 0.012, "scaled_linear");
        static final Betas LATENT_LINEAR = new Betas(0.00085, 0.012, "linear");
    }

    /// The thresholding keys that a class reads: `clip_sample`, with its default, and `thresholding`.
    enum ThresholdingKeys { NONE, CLIP_OFF, DYNAMIC, CLIP_OFF_OR_DYNAMIC, CLIP_ON_OR_DYNAMIC }

    /// Where a class ends the last step: without noise, at timestep 0, or at the value of a key.
    enum End { NO_NOISE, TIMESTEP_0, ALPHA_TO_ONE, ALPHA_TO_ONE_OFF, FINAL_SIGMAS_TYPE }

    /// What a diffusers class reads, and its defaults of absent keys.
    private record ClassDefaults(TimestepSpacing spacing, Betas betas, ThresholdingKeys thresholding, End end) {
        static ClassDefaults of(String className) {
            return switch (className) {
                case "DDIMScheduler" -> new ClassDefaults(LEADING, DDPM, CLIP_ON_OR_DYNAMIC, ALPHA_TO_ONE);
                case "DDPMScheduler" -> new ClassDefaults(LEADING, DDPM, CLIP_ON_OR_DYNAMIC, NO_NOISE);
                case "PNDMScheduler" -> new ClassDefaults(LEADING, DDPM, NONE, ALPHA_TO_ONE_OFF);
                case "LCMScheduler" -> new ClassDefaults(LEADING, LATENT, CLIP_OFF_OR_DYNAMIC, NO_NOISE);
                case "TCDScheduler" -> new ClassDefaults(LEADING, LATENT, NONE, TIMESTEP_0);
                case "EulerDiscreteScheduler" -> new ClassDefaults(LINSPACE, DDPM, NONE, FINAL_SIGMAS_TYPE);
                case "DPMSolverMultistepScheduler", "UniPCMultistepScheduler" ->
                        new ClassDefaults(LINSPACE, DDPM, DYNAMIC, FINAL_SIGMAS_TYPE);
                case "DEISMultistepScheduler" -> new ClassDefaults(LINSPACE, DDPM, DYNAMIC, TIMESTEP_0);
                case "HeunDiscreteScheduler" -> new ClassDefaults(LINSPACE, LATENT_LINEAR, CLIP_OFF, NO_NOISE);
                case "KDPM2DiscreteScheduler", "KDPM2AncestralDiscreteScheduler", "DPMSolverSDEScheduler" ->
                        new ClassDefaults(LINSPACE, LATENT_LINEAR, NONE, NO_NOISE);
                default -> new ClassDefaults(LINSPACE, DDPM, NONE, NO_NOISE);
            };
        }
    }

    private ClassDefaults defaults() {
        return ClassDefaults.of(className);
    }

    Betas betas() throws Failure {
        Betas defaults = defaults().betas;
        return new Betas(beta("beta_start", defaults.start), beta("beta_end", defaults.end),
                string("beta_schedule", defaults.schedule));
    }

    /// Whether the last step ends without noise, not at the noise of timestep 0.
    boolean endsAtZero() throws Failure {
        return switch (defaults().end) {
            case NO_NOISE -> true;
            case TIMESTEP_0 -> false;
            case ALPHA_TO_ONE -> bool("set_alpha_to_one", true);
            case ALPHA_TO_ONE_OFF -> bool("set_alpha_to_one", false);
            case FINAL_SIGMAS_TYPE -> switch (string("final_sigmas_type", "zero")) {
                case "zero" -> true;
                case "sigma_min" -> false;
                case String type -> throw unsupported("final_sigmas_type", type);
            };
        };
    }

    Thresholding thresholding() throws Failure {
        return switch (defaults().thresholding) {
            case NONE -> new Thresholding.None();
            case CLIP_OFF -> clipSample(false);
            case DYNAMIC -> dynamic(new Thresholding.None());
            case CLIP_OFF_OR_DYNAMIC -> dynamic(clipSample(false));
            case CLIP_ON_OR_DYNAMIC -> dynamic(clipSample(true));
        };
    }

    private Thresholding clipSample(boolean byDefault) throws Failure {
        return bool("clip_sample", byDefault) ? new Thresholding.ClipSample(number("clip_sample_range", 1))
                : new Thresholding.None();
    }

    /// @param otherwise if `thresholding` is off
    private Thresholding dynamic(Thresholding otherwise) throws Failure {
        if (!bool("thresholding", false)) return otherwise;
        double quantile = number("dynamic_thresholding_ratio", 0.995);
        double maxValue = number("sample_max_value", 1);
        if (!(quantile >= 0 && quantile <= 1))
            throw new Failure.Incompatible(
                    "scheduler_config.json: dynamic_thresholding_ratio: expected 0 to 1, found " + quantile);
        if (!(maxValue > 0))
            throw new Failure.Incompatible(
                    "scheduler_config.json: sample_max_value: expected a number above 0, found " + maxValue);
        return new Thresholding.Dynamic(quantile, maxValue);
    }

    private double beta(String key, double defaultValue) throws Failure {
        double beta = number(key, defaultValue);
        if (beta < 0 || beta >= 1)
            throw new Failure.Unreadable(source + ": " + key + ": expected 0 or more and less than 1, found " + beta);
        return beta;
    }

    String string(String key, String defaultValue) throws Failure {
        return reader().find(key, "a text", Json::string).orElse(defaultValue);
    }

    boolean bool(String key, boolean defaultValue) throws Failure {
        return reader().find(key, "true or false", Json::bool).orElse(defaultValue);
    }

    double number(String key, double defaultValue) throws Failure {
        return reader().find(key, "a number", SchedulerConfig::numberOrInfinity).orElse(defaultValue);
    }

    /// diffusers writes minus infinity as Python does, which is not JSON and is read as a string.
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

    /// @throws Failure.Unsupported if one of these flags is set
    void requireFalse(String... keys) throws Failure {
        for (String key : keys) {
            if (bool(key, false)) throw unsupported(key, "true");
        }
    }

    Failure.Unsupported unsupported(String key, String value) {
        return new Failure.Unsupported(
                SafeText.of(className) + ": " + key + " " + SafeText.of(value) + " is not supported");
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
