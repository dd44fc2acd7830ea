package atomstudio.app.benchmark;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.measure.ClipEmbedding;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// The normalized embeddings of a run's photos, images and prompts, from which every score follows:
/// `embeddings.safetensors` with tensors (N, size).
/// @param rows by name: `clip.photos`, `clip.images` (prompt by prompt), `clip.texts`, `dino-crop.images`, …
record RunEmbeddings(Map<String, List<ClipEmbedding>> rows) {
    static final String CLIP = "clip";
    static final String TEXTS = "clip.texts";

    static String photos(String encoder) {
        return encoder + ".photos";
    }

    static String images(String encoder) {
        return encoder + ".images";
    }

    boolean has(String name) {
        return rows.containsKey(name);
    }

    List<ClipEmbedding> get(String name) {
        List<ClipEmbedding> found = rows.get(name);
        if (found == null) throw new IllegalArgumentException(name + ": expected one of " + rows.keySet());
        return found;
    }

    void write(Path file) throws Failure {
        Map<String, Tensor> tensors = new TreeMap<>();
        rows.forEach((name, embeddings) -> tensors.put(name, tensor(embeddings)));
        SafetensorsWriter.write(file, tensors, Map.of());
    }

    private static Tensor tensor(List<ClipEmbedding> embeddings) {
        int size = embeddings.getFirst().unitVector().length;
        float[] data = new float[embeddings.size() * size];
        for (int i = 0; i < embeddings.size(); i++)
            System.arraycopy(embeddings.get(i).unitVector(), 0, data, i * size, size);
        return new Tensor(Shape.of(embeddings.size(), size), data);
    }

    static RunEmbeddings read(Path file) throws Failure {
        Map<String, List<ClipEmbedding>> rows = new TreeMap<>();
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            for (String name : tensors.tensors().keySet()) rows.put(name, rows(tensors.read(name)));
        }
        return new RunEmbeddings(rows);
    }

    private static List<ClipEmbedding> rows(Tensor tensor) {
        int size = Math.toIntExact(tensor.shape().size(1));
        List<ClipEmbedding> rows = new ArrayList<>();
        for (int i = 0; i < tensor.shape().size(0); i++)
            rows.add(new ClipEmbedding(Arrays.copyOfRange(tensor.data(), i * size, (i + 1) * size)));
        return rows;
    }
}
