package atomstudio.tuning.run;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.train.Trainer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Everything that training needs to go on as if it had never stopped: the numbers, what optimizer, running mean and
/// validation keep by name, and what the report counts. On disk it is an adapter file with more beside it.
/// @param step    finished steps
/// @param vectors as long as the numbers
/// @param seconds time spent in the steps
/// @param meanLoss    running mean of the last steps' losses
public record TrainingState(int step, float[] parameters, Map<String, float[]> vectors, Map<String, Double> scalars,
        double seconds, double meanLoss) {
    private static final String KEY_PREFIX = "training.";
    /// The numbers themselves, where the adapter beside them holds their running mean.
    private static final String PARAMETERS_KEY = KEY_PREFIX + "numbers";
    /// The running mean of the numbers, where one is kept.
    public static final String EMA = "mean";
    /// The last step whose previews and validation are done.
    public static final String EVALUATED_STEP = "watched";
    private static final String SECONDS_KEY = KEY_PREFIX + "seconds";
    private static final String LOSS_KEY = KEY_PREFIX + "loss";
    private static final String DEVICE_KEY = KEY_PREFIX + "device";
    private static final String THREADS_KEY = KEY_PREFIX + "threads";
    /// The optimizers' running mean of squared gradients.
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

    /// What becomes the adapter.
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

    /// Where a run computed last: equal bits are promised for the same alone.
    public record ComputeDevice(String device, int threads) {}

    /// A state, and where it was computed.
    public record SavedState(TrainingState state, Map<String, Tensor> frozenValues, ComputeDevice place) {}

    /// @param adapter whose values are the numbers, or their running mean
    public void write(Path file, AdapterFile adapter, ComputeDevice place) throws Failure {
        Map<String, Tensor> tensors = new HashMap<>();
        if (vectors.containsKey(EMA)) tensors.put(PARAMETERS_KEY, vector(parameters));
        vectors.forEach((name, vector) -> tensors.put(KEY_PREFIX + name, vector(vector)));
        Map<String, String> metadata = new HashMap<>(Map.of(SECONDS_KEY, Double.toString(seconds), LOSS_KEY,
                Double.toString(meanLoss), DEVICE_KEY, place.device, THREADS_KEY, Integer.toString(place.threads)));
        scalars.forEach((name, value) -> metadata.put(KEY_PREFIX + name, Double.toString(value)));
        adapter.writeCheckpoint(file, tensors, metadata);
    }

    private static Tensor vector(float[] values) {
        return new Tensor(Shape.of(values.length), values);
    }

    /// @param info the run that the checkpoint must be of
    /// @throws Failure.Unreadable when the file is damaged, or belongs to another run or layout
    public static SavedState read(Path file, ParameterLayout layout, RunInfo info) throws Failure {
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            AdapterFile adapter = AdapterFile.of(tensors);
            info.requireBelongs(adapter, file);
            return new CheckpointReader(tensors, info).readState(adapter, layout);
        } catch (IllegalArgumentException e) {
            throw damaged(file, e);
        }
    }

    /// Checks all but the numbers' place in a layout: what a checkpoint counts, and that it holds numbers at all.
    static void validate(SafetensorsFile tensors, RunInfo info) throws Failure {
        try {
            CheckpointReader stored = new CheckpointReader(tensors, info);
            stored.scalars();
            stored.place();
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

    /// A checkpoint as it lies in its file. What is wrong in it is an IllegalArgumentException that names the key.
    private record CheckpointReader(SafetensorsFile tensors, RunInfo info) {
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
            OptimizerFactory.requireState(info.config().requested(), progress.step, vectors, scalars());
            return new SavedState(new TrainingState(progress.step, parameters, vectors, scalars(), progress.seconds,
                    progress.meanLoss), frozenValues, place());
        }

        /// Steps, seconds and loss alone.
        TrainingState progress() {
            double seconds = number(SECONDS_KEY);
            if (seconds < 0) throw new IllegalArgumentException(SECONDS_KEY + ": expected 0 or more, found " + seconds);
            return new TrainingState(integer("steps", 0, info.config().steps()), new float[0], Map.of(), Map.of(),
                    seconds, number(LOSS_KEY));
        }

        ComputeDevice place() {
            return new ComputeDevice(required(tensors.metadata(), DEVICE_KEY), integer(THREADS_KEY, 1, MAX_THREADS));
        }

        Map<String, Double> scalars() {
            int step = progress().step;
            Map<String, Double> scalars = new HashMap<>();
            for (String name : tensors.metadata().keySet()) {
                if (name.startsWith(KEY_PREFIX) && !RESERVED_KEYS.contains(name))
                    scalars.put(name.substring(KEY_PREFIX.length()), number(name));
            }
            for (String stepKey : List.of(EVALUATED_STEP, Trainer.BEST_STEP_KEY)) {
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
                        name + ": expected " + layout.size() + " numbers, found " + vector.length);
            return vector;
        }

        /// Numbers that are finite; of second moments, which are means of squares, none is below 0.
        float[] vector(String name) {
            float[] vector = tensors.read(name).data();
            boolean squares = name.equals(SECOND_MOMENT_KEY);
            for (float number : vector) {
                if (!Float.isFinite(number) || squares && number < 0) {
                    throw new IllegalArgumentException(
                            name + ": expected " + (squares ? "finite numbers of at least 0" : "finite numbers")
                                    + ", found " + number + " among them");
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
                // Refused below, as are NaN and infinity.
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
