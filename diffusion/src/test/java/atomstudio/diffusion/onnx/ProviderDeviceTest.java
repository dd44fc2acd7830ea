package atomstudio.diffusion.onnx;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Conditioning;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.ProviderDevice;
import atomstudio.diffusion.engine.ProviderDevice.Hardware;
import atomstudio.diffusion.engine.ProviderDevice.Precision;
import atomstudio.diffusion.engine.ReducedPrecision;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProviderDeviceTest {
    /// A device whose plugin is not registered.
    private static final ProviderDevice ABSENT = new ProviderDevice("absent-gpu",
            new Hardware("AbsentExecutionProvider", "nobody", Hardware.Kind.GPU, "", OptionalLong.empty()),
            Precision.FLOAT16);
    private static final float[] TIMESTEPS = {801, 20};

    @TempDir
    private Path folder;
    private DiffusionModel model;
    private Tensor latents;
    private Tensor context;

    @BeforeEach
    void open() throws Exception {
        model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        latents = wave(1, 2, 4, 16, 16);
        context = wave(0.3f, 2, 20, model.unet().crossAttentionDim());
    }

    @Test
    void theGraphForProvidersComputesTheSameOnTheProcessor() throws Exception {
        UNet unet = model.unet();
        OnnxRuntime runtime = OnnxRuntime.open(Device.CPU, 2);
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 2);
                Checkpoint weights = model.openCheckpoint(Component.UNET)) {
            UNetGraph graph = new UNetGraph(unet, weights, GraphOptions.COMPILED,
                    GraphWeights.HalfWeightsMode.INITIALIZERS);
            Graph.Value output = graph.build(latents.shape(), context.shape(), List.of(),
                    new FusedWeights.ChangedWeights(Set.of(), false));
            try (OnnxSession session = runtime.createSession(graph.graph().model(output),
                    new OnnxSession.SessionWeights(GraphWeights.commonFolder(weights), OnnxSession.WeightMode.COMPILED,
                            Optional.of(weights)),
                    output.shape())) {
                Tensor found = session.run(Map.of("latents", OnnxSession.Feed.of(latents), "context",
                        OnnxSession.Feed.of(context), "time_features",
                        OnnxSession.Feed.of(unet.timeProjection().embed(TIMESTEPS))), Map.of());
                assertClose("UNet", predict(engine, List.of()), found, 1e-5);
            }
        }
    }

    @Test
    void openVinoTakesItsPropertiesAsJsonOfItsDevice() {
        ProviderDevice gpu = new ProviderDevice("openvino-gpu",
                new Hardware("OpenVINOExecutionProvider", "Intel", Hardware.Kind.GPU, "", OptionalLong.empty()),
                Precision.FLOAT16).withCompileCache(Path.of("cache"));
        assertEquals(Map.of("load_config", "{\"GPU.1\":{\"PERFORMANCE_HINT\":\"LATENCY\","
                + "\"INFERENCE_PRECISION_HINT\":\"f16\",\"CACHE_DIR\":\"" + Path.of("cache", "f16") + "\"}}"),
                new ProviderOptions(gpu, 4, 1L << 40).entries(Map.of("ov_device", "GPU.1")));
        ProviderDevice processor = new ProviderDevice("openvino-cpu",
                new Hardware("OpenVINOExecutionProvider", "Intel", Hardware.Kind.CPU, "", OptionalLong.empty()),
                Precision.BFLOAT16).withCompileCache(Path.of("cache"));
        assertEquals(Map.of("load_config", "{\"CPU\":{\"PERFORMANCE_HINT\":\"LATENCY\","
                + "\"INFERENCE_PRECISION_HINT\":\"bf16\",\"INFERENCE_NUM_THREADS\":\"4\"}}"),
                new ProviderOptions(processor, 4, 1L << 40).entries(Map.of()), "large networks are not cached");
        assertEquals(Map.of(), new ProviderOptions(ABSENT, 4, 0).entries(Map.of()));
    }

    @Test
    void anAbsentProviderFailsByName() {
        Failure failure = assertThrows(Failure.DeviceUnavailable.class, () -> OnnxEngine.open(model, ABSENT, 2));
        assertTrue(failure.getMessage().contains("absent-gpu"), failure::getMessage);
    }

    @Test
    void networksOnAProviderAgreeWithTheProcessorWithinTheirPrecision() throws Exception {
        ProviderDevice device = TestProvider.device().withCompileCache(folder);
        try (Engine processor = OnnxEngine.open(model, Device.CPU, 2);
                Engine full = OnnxEngine.open(model, device.withPrecision(Precision.FLOAT32), 2);
                Engine reduced = OnnxEngine.open(model, device.withPrecision(Precision.BFLOAT16), 2)) {
            Tensor expected = predict(processor, List.of());
            assertClose("UNet", expected, predict(full, List.of()), 1e-4);
            assertClose("UNet", expected, predict(reduced, List.of()), 0.05);
            Tensor image = processor.autoencoder().decode(latents.rows(0, 1));
            assertClose("decoder", image, full.autoencoder().decode(latents.rows(0, 1)), 1e-4);
            assertClose("decoder", image, reduced.autoencoder().decode(latents.rows(0, 1)), 0.05);
            assertTrue(((ReducedPrecision) reduced.noisePredictor()).useFullPrecision());
            assertClose("full precision", expected, predict(reduced, List.of()), 1e-4);
            assertFalse(((ReducedPrecision) reduced.noisePredictor()).useFullPrecision());
        }
    }

    @Test
    void adaptersAndTheirWeightsChangeAtOnceOnAProvider() throws Exception {
        ProviderDevice device = TestProvider.device().withPrecision(Precision.FLOAT32).withCompileCache(folder);
        OnnxSettings compiling = new OnnxSettings(0, OnnxSettings.AdapterMode.FUSED);
        try (Engine processor = OnnxEngine.open(model, Device.CPU, 2);
                Engine provider = OnnxEngine.open(model, device, 2);
                Engine large = OnnxEngine.open(model, device, 2, compiling)) {
            Tensor plain = predict(processor, List.of());
            for (double scale : new double[] {0.05, -0.02}) {
                for (double weight : new double[] {1, 0.5, 0}) {
                    List<WeightedAdapter> adapters = List
                            .of(new WeightedAdapter(FusedWeightsTest.addedWeight(model, (float) scale), weight));
                    Tensor expected = predict(processor, adapters);
                    if (weight > 0) assertNotEquals(plain, expected);
                    assertClose(scale + " at " + weight, expected, predict(provider, adapters), 1e-4);
                    assertClose("compiled " + scale + " at " + weight, expected, predict(large, adapters), 1e-4);
                }
            }
            assertClose("without adapters", plain, predict(provider, List.of()), 1e-4);
            assertClose("compiled without adapters", plain, predict(large, List.of()), 1e-4);
        }
    }

    private Tensor predict(Engine engine, List<WeightedAdapter> adapters) throws Exception {
        return engine.noisePredictor().predict(latents, TIMESTEPS, Conditioning.of(context), adapters);
    }

    private static Tensor wave(float scale, long... sizes) {
        Tensor tensor = Tensor.zeros(Shape.of(sizes));
        for (int i = 0; i < tensor.data().length; i++) tensor.data()[i] = scale * (float) Math.sin(2 + 5.1 * i);
        return tensor;
    }
}
