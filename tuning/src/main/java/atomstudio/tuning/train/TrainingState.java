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

/// Everything that training needs to go on as if it had never stopped: the numbers, Adam's moments, and what the report counts.
/// On disk it is an adapter file with more beside it.
/// @param step    finished steps
/// @param seconds time spent in them
/// @param loss    running mean of the last steps' losses
record TrainingState(int step, float[] numbers, float[] first, float[] second, double seconds, double loss) {
    private static final String FIRST = "training.first";
    private static final String SECOND = "training.second";

    static TrainingState start(float[] numbers) {
        return new TrainingState(0, numbers, new float[numbers.length], new float[numbers.length], 0, 0);
    }

    TrainingState copy() {
        return new TrainingState(step, numbers.clone(), first.clone(), second.clone(), seconds, loss);
    }

    /// Where a run computed last: equal bits are promised for the same alone.
    record Place(String device, int threads) {}

    /// A state, and where it was computed.
    record Saved(TrainingState state, Map<String, Tensor> constants, Place place) {}

    void write(Path file, AdapterFile adapter, Place place) throws Failure {
        Map<String, Tensor> moments = Map.of(FIRST, vector(first), SECOND, vector(second));
        Map<String, String> metadata = Map.of("training.seconds", Double.toString(seconds), "training.loss", Double.toString(loss),
                "training.device", place.device, "training.threads", Integer.toString(place.threads));
        adapter.writeCheckpoint(file, moments, metadata);
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
            TrainingState state = new TrainingState(adapter.training().steps(), layout.vector(adapter.values()), moments(tensors, FIRST, layout), moments(tensors, SECOND, layout),
                    Double.parseDouble(required(metadata, "training.seconds")), Double.parseDouble(required(metadata, "training.loss")));
            return new Saved(state, constants, new Place(required(metadata, "training.device"), Integer.parseInt(required(metadata, "training.threads"))));
        } catch (IllegalArgumentException e) {
            throw new Failure.Unreadable(file + ": is not a checkpoint of this run: " + e.getMessage() + "; delete it to start the run from its beginning", e);
        }
    }

    private static float[] moments(Safetensors tensors, String name, SlotLayout layout) {
        float[] moments = tensors.read(name).data();
        if (moments.length != layout.size()) throw new IllegalArgumentException(name + ": expected " + layout.size() + " numbers, found " + moments.length);
        return moments;
    }

    private static <T> T required(Map<String, T> values, String key) {
        T value = values.get(key);
        if (value == null) throw new IllegalArgumentException("no " + key);
        return value;
    }
}
