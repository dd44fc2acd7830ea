package atomstudio.diffusion.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.ClipTestModels;
import atomstudio.diffusion.engine.Conditioning;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.diffusion.tensor.TensorFile;
import atomstudio.diffusion.tensor.TorchArchives;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Weights that the runtime cannot map: 8-bit floats and tensors saved out of order.
class UnmappedWeightsTest {
    @TempDir
    Path folder;
    private final Map<String, Tensor> weights = new TreeMap<>();
    private Path file;

    @BeforeEach
    void copyModel() throws Exception {
        ClipTestModels.copy(Shared.own("goldens/nets/sd1/model"), folder);
        file = folder.resolve("unet/diffusion_pytorch_model.safetensors");
        try (TensorFile tensors = TensorFile.open(file)) {
            for (String name : tensors.tensors().keySet()) weights.put(name, tensors.read(name));
        }
    }

    private Tensor predict() throws Exception {
        DiffusionModel model = DiffusionModel.open(folder);
        Tensor latents = Tensor.zeros(Shape.of(1, model.unet().channels().in(), 8, 8));
        for (int i = 0; i < latents.data().length; i++) latents.data()[i] = (float) Math.sin(1 + 7.3 * i);
        Tensor context = Tensor.filled(Shape.of(1, 5, model.unet().crossAttentionDim()), 0.3f);
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 1)) {
            return engine.noisePredictor().predict(latents, new float[] {321}, Conditioning.of(context), List.of());
        }
    }

    @Test
    void outOfOrderTensorsGiveSamePrediction() throws Exception {
        Tensor expected = predict();
        Files.delete(file);
        TorchArchives.saveTransposed(folder.resolve("unet/diffusion_pytorch_model.bin"), weights);
        Deviation deviation = Deviation.relative("prediction", expected, predict(), 1e-6);
        assertTrue(deviation.isWithinTolerance(), deviation.toString());
    }

    @Test
    void eightBitWeightsGiveSamePredictionAsFloat32() throws Exception {
        Map<String, Tensor> rounded = new TreeMap<>();
        weights.forEach((name, tensor) -> {
            float[] data = tensor.data().clone();
            for (int i = 0; i < data.length; i++)
                data[i] = Float.float16ToFloat((short) (Float.floatToFloat16(data[i]) & 0xFF00));
            rounded.put(name, new Tensor(tensor.shape(), data));
        });
        SafetensorsWriter.write(file, rounded, Map.of());
        Tensor expected = predict();
        writeEightBitFile(rounded);
        try (TensorFile tensors = TensorFile.open(file)) {
            assertEquals(rounded.get("conv_in.weight"), tensors.read("conv_in.weight"));
        }
        Deviation deviation = Deviation.relative("prediction", expected, predict(), 1e-6);
        assertTrue(deviation.isWithinTolerance(), deviation.toString());
    }

    /// F8_E5M2: the upper half of a float16.
    private void writeEightBitFile(Map<String, Tensor> tensors) throws Exception {
        JsonObject header = new JsonObject();
        ByteArrayOutputStream payload = new ByteArrayOutputStream();
        for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
            JsonObject info = new JsonObject();
            info.addProperty("dtype", "F8_E5M2");
            JsonArray shape = new JsonArray();
            for (long size : entry.getValue().shape().sizes()) shape.add(size);
            info.add("shape", shape);
            JsonArray offsets = new JsonArray();
            offsets.add(payload.size());
            for (float value : entry.getValue().data()) payload.write(Float.floatToFloat16(value) >> 8);
            offsets.add(payload.size());
            info.add("data_offsets", offsets);
            header.add(entry.getKey(), info);
        }
        byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
        Files.write(file,
                ByteBuffer.allocate(8 + json.length + payload.size())
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(json.length)
                        .put(json)
                        .put(payload.toByteArray())
                        .array());
    }
}
