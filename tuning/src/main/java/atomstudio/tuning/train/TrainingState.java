package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Safetensors;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.method.SlotLayout;
import java.nio.file.Path;
import java.util.HashMap;
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

    /// @throws Failure.Unreadable when the file is damaged or belongs to another layout
    static Saved read(Path file, SlotLayout layout) throws Failure {
        AdapterFile adapter = AdapterFile.read(file);
        try (Safetensors tensors = Safetensors.open(file)) {
            Map<String, String> metadata = tensors.metadata();
            Map<String, Tensor> constants = new HashMap<>();
            for (SlotLayout.Entry entry : layout.frozen()) constants.put(entry.key(), required(adapter.values(), entry.key()));
            for (SlotLayout.Entry entry : layout.trained()) required(adapter.values(), entry.key());
            Map<String, float[]> vectors = new HashMap<>();
            for (String name : tensors.tensors().keySet()) {
                if (name.startsWith(PREFIX) && !name.equals(NUMBERS)) vectors.put(name.substring(PREFIX.length()), vector(tensors, name, layout));
            }
            Map<String, Double> scalars = new HashMap<>();
            metadata.forEach((name, value) -> {
                if (name.startsWith(PREFIX) && !OWN.contains(name)) scalars.put(name.substring(PREFIX.length()), Double.parseDouble(value));
            });
            float[] numbers = tensors.has(NUMBERS) ? vector(tensors, NUMBERS, layout) : layout.vector(adapter.values());
            TrainingState state = new TrainingState(adapter.training().steps(), numbers, vectors, scalars, Double.parseDouble(required(metadata, SECONDS)), Double.parseDouble(required(metadata, LOSS)));
            return new Saved(state, constants, new Place(required(metadata, DEVICE), Integer.parseInt(required(metadata, THREADS))));
        } catch (IllegalArgumentException e) {
            throw new Failure.Unreadable(file + ": is not a checkpoint of this run: " + e.getMessage() + "; delete it to start the run from its beginning", e);
        }
    }

    private static float[] vector(Safetensors tensors, String name, SlotLayout layout) {
        float[] vector = tensors.read(name).data();
        if (vector.length != layout.size()) throw new IllegalArgumentException(name + ": expected " + layout.size() + " numbers, found " + vector.length);
        return vector;
    }

    private static <T> T required(Map<String, T> values, String key) {
        T value = values.get(key);
        if (value == null) throw new IllegalArgumentException("no " + key);
        return value;
    }
}
