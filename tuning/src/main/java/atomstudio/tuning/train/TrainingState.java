package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.method.ParameterLayout;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Everything that training needs to go on as if it had never stopped: the numbers, what optimizer, running mean and validation keep
/// by name, and what the report counts. On disk it is an adapter file with more beside it.
/// @param step    finished steps
/// @param vectors as long as the numbers
/// @param seconds time spent in the steps
/// @param loss    running mean of the last steps' losses
record TrainingState(int step, float[] numbers, Map<String, float[]> vectors, Map<String, Double> scalars, double seconds, double loss) {
    private static final String PREFIX = "training.";
    /// The numbers themselves, where the adapter beside them holds their running mean.
    private static final String NUMBERS = PREFIX + "numbers";
    /// The running mean of the numbers, where one is kept.
    static final String MEAN = "mean";
    /// The last step whose previews and validation are done.
    static final String WATCHED = "watched";
    private static final String SECONDS = PREFIX + "seconds";
    private static final String LOSS = PREFIX + "loss";
    private static final String DEVICE = PREFIX + "device";
    private static final String THREADS = PREFIX + "threads";
    /// The optimizers' running mean of squared gradients.
    private static final String SECOND_MOMENT = PREFIX + "second";
    private static final int MOST_THREADS = 1 << 16;
    private static final Set<String> OWN = Set.of(SECONDS, LOSS, DEVICE, THREADS);

    TrainingState {
        vectors = Map.copyOf(vectors);
        scalars = Map.copyOf(scalars);
    }

    static TrainingState start(float[] numbers) {
        return new TrainingState(0, numbers, Map.of(), Map.of(), 0, 0);
    }

    TrainingState copy() {
        Map<String, float[]> copies = new HashMap<>();
        vectors.forEach((name, vector) -> copies.put(name, vector.clone()));
        return new TrainingState(step, numbers.clone(), copies, scalars, seconds, loss);
    }

    /// What becomes the adapter.
    float[] kept() {
        return vectors.getOrDefault(MEAN, numbers);
    }

    int watched() {
        return (int) scalar(WATCHED, step == 0 ? -1 : step);
    }

    double scalar(String name, double otherwise) {
        return scalars.getOrDefault(name, otherwise);
    }

    TrainingState with(Map<String, Double> changed) {
        Map<String, Double> all = new HashMap<>(scalars);
        all.putAll(changed);
        return new TrainingState(step, numbers, vectors, all, seconds, loss);
    }

    /// Where a run computed last: equal bits are promised for the same alone.
    record Place(String device, int threads) {}

    /// A state, and where it was computed.
    record Saved(TrainingState state, Map<String, Tensor> constants, Place place) {}

    /// @param adapter whose values are the numbers, or their running mean
    void write(Path file, AdapterFile adapter, Place place) throws Failure {
        Map<String, Tensor> tensors = new HashMap<>();
        if (vectors.containsKey(MEAN)) tensors.put(NUMBERS, vector(numbers));
        vectors.forEach((name, vector) -> tensors.put(PREFIX + name, vector(vector)));
        Map<String, String> metadata = new HashMap<>(Map.of(SECONDS, Double.toString(seconds), LOSS, Double.toString(loss), DEVICE, place.device, THREADS, Integer.toString(place.threads)));
        scalars.forEach((name, value) -> metadata.put(PREFIX + name, Double.toString(value)));
        adapter.writeCheckpoint(file, tensors, metadata);
    }

    private static Tensor vector(float[] numbers) {
        return new Tensor(Shape.of(numbers.length), numbers);
    }

    /// @param info the run that the checkpoint must be of
    /// @throws Failure.Unreadable when the file is damaged, or belongs to another run or layout
    static Saved read(Path file, ParameterLayout layout, RunInfo info) throws Failure {
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            AdapterFile adapter = AdapterFile.of(tensors);
            info.requireMade(adapter, file);
            return new Stored(tensors, info).saved(adapter, layout);
        } catch (IllegalArgumentException e) {
            throw damaged(file, e);
        }
    }

    /// Checks all but the numbers' place in a layout: what a checkpoint counts, and that it holds numbers at all.
    static void check(SafetensorsFile tensors, RunInfo info) throws Failure {
        try {
            Stored stored = new Stored(tensors, info);
            stored.scalars();
            stored.place();
            stored.progress();
            for (String name : tensors.tensors().keySet()) if (name.startsWith(PREFIX)) stored.vector(name);
        } catch (IllegalArgumentException e) {
            throw damaged(tensors.file(), e);
        }
    }

    private static Failure damaged(Path file, IllegalArgumentException e) {
        return new Failure.Unreadable(file + ": is not a checkpoint of this run: " + e.getMessage() + "; delete it to start the run from its beginning", e);
    }

    /// A checkpoint as it lies in its file. What is wrong in it is an IllegalArgumentException that names the key.
    private record Stored(SafetensorsFile tensors, RunInfo info) {
        Saved saved(AdapterFile adapter, ParameterLayout layout) {
            Map<String, Tensor> constants = new HashMap<>();
            for (ParameterLayout.LayerParameter entry : layout.frozen()) constants.put(entry.key(), required(adapter.values(), entry.key()));
            for (ParameterLayout.LayerParameter entry : layout.trained()) required(adapter.values(), entry.key());
            Map<String, float[]> vectors = new HashMap<>();
            for (String name : tensors.tensors().keySet()) {
                if (name.startsWith(PREFIX) && !name.equals(NUMBERS)) vectors.put(name.substring(PREFIX.length()), vector(name, layout));
            }
            float[] numbers = tensors.has(NUMBERS) ? vector(NUMBERS, layout) : layout.toVector(adapter.values());
            TrainingState progress = progress();
            Optimizers.require(info.training().recipe(), progress.step, vectors, scalars());
            return new Saved(new TrainingState(progress.step, numbers, vectors, scalars(), progress.seconds, progress.loss), constants, place());
        }

        /// Steps, seconds and loss alone.
        TrainingState progress() {
            double seconds = number(SECONDS);
            if (seconds < 0) throw new IllegalArgumentException(SECONDS + ": expected 0 or more, found " + seconds);
            return new TrainingState(whole("steps", 0, info.training().steps()), new float[0], Map.of(), Map.of(), seconds, number(LOSS));
        }

        Place place() {
            return new Place(required(tensors.metadata(), DEVICE), whole(THREADS, 1, MOST_THREADS));
        }

        Map<String, Double> scalars() {
            int step = progress().step;
            Map<String, Double> scalars = new HashMap<>();
            for (String name : tensors.metadata().keySet()) {
                if (name.startsWith(PREFIX) && !OWN.contains(name)) scalars.put(name.substring(PREFIX.length()), number(name));
            }
            for (String counted : List.of(WATCHED, Trainer.BEST_STEP)) {
                Double value = scalars.get(counted);
                if (value != null && (value != Math.rint(value) || value < 0 || value > step)) throw new IllegalArgumentException(PREFIX + counted + ": expected a step from 0 to " + step + ", found " + value);
            }
            return scalars;
        }

        private float[] vector(String name, ParameterLayout layout) {
            float[] vector = vector(name);
            if (vector.length != layout.size()) throw new IllegalArgumentException(name + ": expected " + layout.size() + " numbers, found " + vector.length);
            return vector;
        }

        /// Numbers that are finite; of second moments, which are means of squares, none is below 0.
        float[] vector(String name) {
            float[] vector = tensors.read(name).data();
            boolean squares = name.equals(SECOND_MOMENT);
            for (float number : vector) {
                if (!Float.isFinite(number) || squares && number < 0) {
                    throw new IllegalArgumentException(name + ": expected " + (squares ? "finite numbers of at least 0" : "finite numbers") + ", found " + number + " among them");
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

        private int whole(String key, int least, int most) {
            double number = number(key);
            if (number != Math.rint(number) || number < least || number > most) throw new IllegalArgumentException(key + ": expected a whole number from " + least + " to " + most + ", found " + SafeText.of(tensors.metadata().get(key)));
            return (int) number;
        }

        private static <T> T required(Map<String, T> values, String key) {
            T value = values.get(key);
            if (value == null) throw new IllegalArgumentException("no " + key);
            return value;
        }
    }
}
