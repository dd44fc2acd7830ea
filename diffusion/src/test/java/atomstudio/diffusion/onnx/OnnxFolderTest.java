package atomstudio.diffusion.onnx;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Conditioning;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.json.Json;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.tensor.DType;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The ONNX files of a model give the engine's values, for other batches than they were written with.
class OnnxFolderTest {
    @TempDir
    private Path parent;
    private Path folder;

    @BeforeEach
    void name() {
        folder = parent.resolve("onnx");
    }

    private static void copy(Path from, Path to) throws Exception {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Path copy = to.resolve(from.relativize(file).toString());
                if (Files.isDirectory(file)) Files.createDirectories(copy);
                else Files.copy(file, copy);
            }
        }
    }

    private Tensor run(String part, String output, Map<String, Object> inputs) throws Exception {
        OrtEnvironment environment = OnnxRuntime.processEnvironment();
        try (OrtSession session = environment.createSession(folder.resolve(part + "/model.onnx").toString())) {
            assertEquals(List.of(output), List.copyOf(session.getOutputNames()));
            Map<String, OnnxTensor> tensors = new HashMap<>();
            for (Map.Entry<String, Object> input : inputs.entrySet())
                tensors.put(input.getKey(), switch (input.getValue()) {
                    case Tensor tensor -> OnnxTensor.createTensor(environment, FloatBuffer.wrap(tensor.data()),
                            tensor.shape().sizes());
                    case int[][] ids -> OnnxTensor.createTensor(environment,
                            IntBuffer.wrap(Stream.of(ids).flatMapToInt(Arrays::stream).toArray()),
                            new long[] {ids.length, ids[0].length});
                    default -> throw new IllegalArgumentException();
                });
            try (OrtSession.Result result = session.run(tensors)) {
                OnnxTensor values = (OnnxTensor) result.get(0);
                float[] data = new float[values.getFloatBuffer().remaining()];
                values.getFloatBuffer().get(data);
                return new Tensor(new Shape(values.getInfo().getShape()), data);
            }
        }
    }

    /// As a merged model in half precision.
    private static void convertToHalf(Path model) throws Exception {
        try (Stream<Path> files = Files.walk(model)) {
            for (Path file : files.filter(each -> each.toString().endsWith(".safetensors")).toList()) {
                Map<String, Tensor> tensors = new HashMap<>();
                try (SafetensorsFile weights = SafetensorsFile.open(file)) {
                    for (String name : weights.tensors().keySet()) tensors.put(name, weights.read(name));
                }
                Files.write(file, SafetensorsWriter.toBytes(tensors, Map.of("format", "pt"), DType.F16));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16"})
    void filesGiveTheEnginesValues(DType weights) throws Exception {
        Path source = Files.createDirectory(parent.resolve("source"));
        copy(Shared.root().resolve("assets/default-model"), source);
        if (weights == DType.F16) convertToHalf(source);
        copy(source, folder);
        OnnxFolder.convert(folder);
        DiffusionModel model = DiffusionModel.open(source);
        long side = model.sampleSize();
        int tokens = model.textEncoder().maxTokens();
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 2)) {
            int[][] ids = new int[2][tokens];
            for (int i = 0; i < tokens; i++) ids[1][i] = 7 + i;
            Tensor context = engine.textEncoder().encode(ids, 1, List.of());
            assertClose("text encoder", context, run("text_encoder", "last_hidden_state", Map.of("input_ids", ids)),
                    1e-4);
            Tensor latents = wave(2, 4, side, side);
            Tensor predicted = engine.noisePredictor()
                    .predict(latents, new float[] {801, 801}, Conditioning.of(context), List.of());
            assertClose("UNet", predicted, run("unet", "out_sample", Map.of("sample", latents, "timestep",
                    new Tensor(Shape.of(1), new float[] {801}), "encoder_hidden_states", context)), 1e-4);
            Tensor image = engine.autoencoder().decode(latents);
            assertClose("decoder", image, run("vae_decoder", "sample", Map.of("latent_sample", latents)), 1e-4);
            Tensor parameters = run("vae_encoder", "latent_parameters", Map.of("sample", image));
            assertEquals(2 * latents.shape().size(1), parameters.shape().size(1));
            assertEquals(2, parameters.shape().size(0));
        }
        Json index = Json.read(folder.resolve("model_index.json"));
        assertEquals("OnnxStableDiffusionPipeline", index.string("_class_name"));
        assertEquals(List.of("diffusers", "OnnxRuntimeModel"), index.strings("vae_decoder"));
        assertFalse(index.has("vae"));
        assertFalse(Files.exists(folder.resolve("vae")));
    }

    private static Tensor wave(long... sizes) {
        Tensor tensor = Tensor.zeros(Shape.of(sizes));
        for (int i = 0; i < tensor.data().length; i++) tensor.data()[i] = (float) Math.sin(2 + 5.1 * i);
        return tensor;
    }
}
