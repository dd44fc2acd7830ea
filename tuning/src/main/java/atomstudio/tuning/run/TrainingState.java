package atomstudio.tuning.run;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.BaseModel;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.method.ParameterLayout;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// A checkpoint: everything that training needs to resume exactly. On disk it is an adapter file with more tensors.
/// @param step       finished steps
/// @param parameters the trainable parameters
/// @param vectors    state of optimizer and moving average by name, each as long as the parameters
/// @param scalars    state of optimizer and validation by name
/// @param seconds    time spent in the steps
/// @param meanLoss   moving average of the loss
public record TrainingState(int step, float[] parameters, Map<String, float[]> vectors, Map<String, Double> scalars,
        double seconds, double meanLoss) {
    private static final String KEY_PREFIX = "training.";
    /// The parameters, where the adapter holds their moving average.
    private static final String PARAMETERS_KEY = KEY_PREFIX + "numbers";
    /// The moving average of the parameters.
    public static final String EMA = "mean";
    /// The last step whose previews and validation are done.
    public static final String EVALUATED_STEP = "watched";
    /// The step of the best validation.
    public static final String BEST_STEP = "best-step";
    private static final String SECONDS_KEY = KEY_PREFIX + "seconds";
    private static final String LOSS_KEY = KEY_PREFIX + "loss";
    private static final String DEVICE_KEY = KEY_PREFIX + "device";
    private static final String THREADS_KEY = KEY_PREFIX + "threads";
    /// The optimizers' second moment.
    private static final String SECOND_MOMENT_KEY = KEY_PREFIX + "second";
    private static final int MAX_THREADS = 1 << 16;
    private static final Set<String> RESERVED_KEYS = Set.of(SECONDS_KEY, LOSS_KEY, DEVICE_KEY, THREADS_KEY);

    public TrainingState {
        vectors = Map.copyOf(vectors);
        scalars = Map.copyOf(scalars);
    }

    public static TrainingState initial(float[] parameters) {
        return new TrainingState(0, parameters, Map.of(), Map.of(), 0, 0);
    }

    public TrainingState copy() {
        Map<String, float[]> copies = new HashMap<>();
        vectors.forEach((name, vector) -> copies.put(name, vector.clone()));
        return new TrainingState(step, parameters.clone(), copies, scalars, seconds, meanLoss);
    }

    /// The moving average, where there is one.
    public float[] adapterParameters() {
        return vectors.getOrDefault(EMA, parameters);
    }

    public int evaluatedStep() {
        return (int) scalar(EVALUATED_STEP, step == 0 ? -1 : step);
    }

    public double scalar(String name, double defaultValue) {
        return scalars.getOrDefault(name, defaultValue);
    }

    public TrainingState with(Map<String, Double> changed) {
        Map<String, Double> all = new HashMap<>(scalars);
        all.putAll(changed);
        return new TrainingState(step, parameters, vectors, all, seconds, meanLoss);
    }

    /// The device that a run was computed on; results are bit-identical only on the same.
    public record ComputeDevice(String device, int threads) {}

    /// A checkpoint as read, with the method's frozen values.
    public record SavedState(TrainingState state, Map<String, Tensor> frozenValues, ComputeDevice computeDevice) {}

    /// @param adapter with the parameters, or their moving average
    public void write(Path file, AdapterFile adapter, ComputeDevice computeDevice) throws Failure {
        Map<String, Tensor> tensors = new HashMap<>();
        if (vectors.containsKey(EMA)) tensors.put(PARAMETERS_KEY, vector(parameters));
        vectors.forEach((name, vector) -> tensors.put(KEY_PREFIX + name, vector(vector)));
        Map<String, String> metadata = new HashMap<>(Map.of(SECONDS_KEY, Double.toString(seconds), LOSS_KEY,
                Double.toString(meanLoss), DEVICE_KEY, computeDevice.device, THREADS_KEY,
                Integer.toString(computeDevice.threads)));
        scalars.forEach((name, value) -> metadata.put(KEY_PREFIX + name, Double.toString(value)));
        adapter.writeCheckpoint(file, tensors, metadata);
    }

    private static Tensor vector(float[] values) {
        return new Tensor(Shape.of(values.length), values);
    }

    /// @throws Failure.Unreadable when the file is damaged, or belongs to another run or layout
    public static SavedState read(Path file, ParameterLayout layout, RunInfo info) throws Failure {
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            AdapterFile adapter = AdapterFile.of(tensors);
            RunComparison.requireBelongs(info, adapter, file);
            return new CheckpointReader(tensors, info.config().requested()).readState(adapter, layout);
        } catch (IllegalArgumentException e) {
            throw damaged(file, e);
        }
    }

    /// The checkpoint of a run that is not on photos of a subject.
    /// @param base of the run
    /// @throws Failure.Unreadable when the file is damaged, or belongs to another run or layout
    public static SavedState read(Path file, ParameterLayout layout, TrainingConfig config, BaseModel base)
            throws Failure {
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            AdapterFile adapter = AdapterFile.of(tensors);
            if (!adapter.base().equals(base))
                throw new IllegalArgumentException("it was trained on " + adapter.base().title());
            return new CheckpointReader(tensors, config).readState(adapter, layout);
        } catch (IllegalArgumentException e) {
            throw damaged(file, e);
        }
    }

    /// Checks everything that does not depend on the layout: counters, and that all values are finite.
    static void validate(SafetensorsFile tensors, RunInfo info) throws Failure {
        try {
            CheckpointReader stored = new CheckpointReader(tensors, info.config().requested());
            stored.scalars();
            stored.computeDevice();
            stored.progress();
            for (String name : tensors.tensors().keySet()) if (name.startsWith(KEY_PREFIX)) stored.vector(name);
        } catch (IllegalArgumentException e) {
            throw damaged(tensors.file(), e);
        }
    }

    private static Failure damaged(Path file, IllegalArgumentException e) {
        return new Failure.Unreadable(file + ": is not a checkpoint of this run: " + e.getMessage()
                + "; delete it to start the run from its beginning", e);
    }

    /// Reads a checkpoint's file. An invalid value is an IllegalArgumentException that names its key.
    private record CheckpointReader(SafetensorsFile tensors, TrainingConfig config) {
        SavedState readState(AdapterFile adapter, ParameterLayout layout) {
            Map<String, Tensor> frozenValues = new HashMap<>();
            for (ParameterLayout.LayerParameter entry : layout.frozen())
                frozenValues.put(entry.key(), required(adapter.values(), entry.key()));
            for (ParameterLayout.LayerParameter entry : layout.trained()) required(adapter.values(), entry.key());
            Map<String, float[]> vectors = new HashMap<>();
            for (String name : tensors.tensors().keySet()) {
                if (name.startsWith(KEY_PREFIX) && !name.equals(PARAMETERS_KEY))
                    vectors.put(name.substring(KEY_PREFIX.length()), vector(name, layout));
            }
            float[] parameters = tensors.has(PARAMETERS_KEY) ? vector(PARAMETERS_KEY, layout)
                    : layout.toVector(adapter.values());
            TrainingState progress = progress();
            OptimizerFactory.requireState(config, progress.step, vectors, scalars());
            return new SavedState(new TrainingState(progress.step, parameters, vectors, scalars(), progress.seconds,
                    progress.meanLoss), frozenValues, computeDevice());
        }

        /// Only steps, seconds and loss.
        TrainingState progress() {
            double seconds = number(SECONDS_KEY);
            if (seconds < 0) throw new IllegalArgumentException(SECONDS_KEY + ": expected 0 or more, found " + seconds);
            return new TrainingState(integer("steps", 0, config.schedule().steps()), new float[0], Map.of(), Map.of(),
                    seconds, number(LOSS_KEY));
        }

        ComputeDevice computeDevice() {
            return new ComputeDevice(required(tensors.metadata(), DEVICE_KEY), integer(THREADS_KEY, 1, MAX_THREADS));
        }

        Map<String, Double> scalars() {
            int step = progress().step;
            Map<String, Double> scalars = new HashMap<>();
            for (String name : tensors.metadata().keySet()) {
                if (name.startsWith(KEY_PREFIX) && !RESERVED_KEYS.contains(name))
                    scalars.put(name.substring(KEY_PREFIX.length()), number(name));
            }
            for (String stepKey : List.of(EVALUATED_STEP, BEST_STEP)) {
                Double value = scalars.get(stepKey);
                if (value != null && (value != Math.rint(value) || value < 0 || value > step))
                    throw new IllegalArgumentException(
                            KEY_PREFIX + stepKey + ": expected a step from 0 to " + step + ", found " + value);
            }
            return scalars;
        }

        private float[] vector(String name, ParameterLayout layout) {
            float[] vector = vector(name);
            if (vector.length != layout.size())
                throw new IllegalArgumentException(
                        name + ": expected " + layout.size() + " values, found " + vector.length);
            return vector;
        }

        /// All values must be finite; second moments, which are means of squares, must not be negative.
        float[] vector(String name) {
            float[] vector = tensors.read(name).data();
            boolean squares = name.equals(SECOND_MOMENT_KEY);
            for (float number : vector) {
                if (!Float.isFinite(number) || squares && number < 0) {
                    throw new IllegalArgumentException(
                            name + ": expected " + (squares ? "finite values of at least 0" : "finite values")
                                    + ", found " + number);
                }
            }
            return vector;
        }

        private double number(String key) {
            String text = required(tensors.metadata(), key);
            try {
                double number = Double.parseDouble(text);
                if (Double.isFinite(number)) return number;
            } catch (NumberFormatException e) {
                // Rejected below, like NaN and infinity.
            }
            throw new IllegalArgumentException(key + ": expected a finite number, found " + SafeText.of(text));
        }

        private int integer(String key, int min, int max) {
            double number = number(key);
            if (number != Math.rint(number) || number < min || number > max)
                throw new IllegalArgumentException(key + ": expected a whole number from " + min + " to " + max
                        + ", found " + SafeText.of(tensors.metadata().get(key)));
            return (int) number;
        }

        private static <T> T required(Map<String, T> values, String key) {
            T value = values.get(key);
            if (value == null) throw new IllegalArgumentException("no " + key);
            return value;
        }
    }
}
