package atomstudio.diffusion.onnx;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Autoencoder;
import atomstudio.diffusion.engine.Conditioning;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.ProviderDevice;
import atomstudio.diffusion.engine.ProviderDevice.ProviderCommand;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.io.BufferedReader;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProviderProcessTest {
    @TempDir
    private Path folder;
    private DiffusionModel model;
    private ProviderDevice device;

    @BeforeEach
    void open() throws Exception {
        model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        device = FakeProviderProgram.device(folder);
    }

    private Tensor predict(Engine engine, List<WeightedAdapter> adapters) throws Failure {
        return predict(model, engine, adapters);
    }

    private static Tensor predict(DiffusionModel model, Engine engine, List<WeightedAdapter> adapters) throws Failure {
        Tensor latents = Tensor.filled(Shape.of(2, 4, 16, 16), 0.5f);
        Tensor context = Tensor.filled(Shape.of(2, 20, model.unet().crossAttentionDim()), 0.1f);
        return engine.noisePredictor().predict(latents, new float[] {801, 20}, Conditioning.of(context), adapters);
    }

    @Test
    void networksAndAdaptersComputeTheSameInAnotherProcess() throws Exception {
        OnnxSettings compiling = new OnnxSettings(0, OnnxSettings.AdapterMode.FUSED);
        try (Engine here = OnnxEngine.open(model, Device.CPU, 2);
                Engine there = OnnxEngine.open(model, device, 2);
                Engine large = OnnxEngine.open(model, device, 2, compiling)) {
            Tensor plain = predict(here, List.of());
            assertClose("UNet", plain, predict(there, List.of()), 1e-4);
            for (double weight : new double[] {1, 0.5}) {
                List<WeightedAdapter> adapters = List
                        .of(new WeightedAdapter(FusedWeightsTest.addedWeight(model, 0.05f), weight));
                Tensor expected = predict(here, adapters);
                assertNotEquals(plain, expected);
                assertClose("weights as inputs, " + weight, expected, predict(there, adapters), 1e-4);
                assertClose("compiled weights, " + weight, expected, predict(large, adapters), 1e-4);
            }
            assertClose("without adapters", plain, predict(there, List.of()), 1e-4);
            Tensor latents = Tensor.filled(Shape.of(1, 4, 16, 16), 0.5f);
            assertClose("decoder", here.autoencoder().decode(latents), there.autoencoder().decode(latents), 1e-4);
            assertEquals(1, FakeProviderProgram.started(folder).size(), "one process serves all engines");
        }
    }

    @Test
    void aDecoderIsPreparedWhileTheUNetIsUsed() throws Exception {
        Tensor latents = Tensor.filled(Shape.of(1, 4, 16, 16), 0.5f);
        try (Engine here = OnnxEngine.open(model, Device.CPU, 2);
                Engine there = OnnxEngine.open(model, device, 2)) {
            Autoencoder decoder = there.autoencoder();
            decoder.prepareDecoding(latents.shape());
            assertClose("UNet", predict(here, List.of()), predict(there, List.of()), 1e-4);
            Tensor expected = here.autoencoder().decode(latents);
            assertClose("prepared", expected, decoder.decode(latents), 1e-4);
            decoder.prepareDecoding(Shape.of(1, 4, 8, 8));
            assertClose("another size than the prepared one", expected, decoder.decode(latents), 1e-4);
        }
    }

    @Test
    void aProcessThatIsKilledFailsTheRunAndTheNextEngineStartsAnother() throws Exception {
        try (Engine engine = OnnxEngine.open(model, device, 2)) {
            predict(engine, List.of());
            FakeProviderProgram.kill(folder);
            String message = assertThrows(Failure.DeviceUnavailable.class, () -> predict(engine, List.of()))
                    .getMessage();
            assertTrue(message.startsWith("device fake-gpu (FakeExecutionProvider): its process crashed (exit code 1"),
                    message);
            try (Engine next = OnnxEngine.open(model, device, 2)) {
                predict(next, List.of());
                assertEquals(2, FakeProviderProgram.started(folder).size());
            }
        }
    }

    @Test
    void aProgramThatFailsIsReportedWithItsLastLines() throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        ProviderDevice broken = FakeProviderProgram.device(folder)
                .withProcess(new ProviderCommand(List.of(java, "NoSuchProgram"), folder.resolve("broken.log")));
        try (Engine engine = OnnxEngine.open(model, broken, 2)) {
            String message = assertThrows(Failure.DeviceUnavailable.class, () -> predict(engine, List.of()))
                    .getMessage();
            assertTrue(message.contains("ended (exit code 1): ") && message.contains("NoSuchProgram"), message);
        }
    }

    @Test
    void theProcessEndsWithTheOneThatStartedItHoweverThatEnds() throws Exception {
        Process parent = new ProcessBuilder(
                FakeProviderProgram.command(Parent.class, model.path().toString(), folder.toString()))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader reader = parent.inputReader()) {
            ProcessHandle child = ProcessHandle.of(Long.parseLong(reader.readLine())).orElseThrow();
            assertTrue(child.isAlive());
            parent.destroyForcibly();
            child.onExit().get(60, TimeUnit.SECONDS);
        } finally {
            parent.destroyForcibly();
        }
    }

    /// Computes without end in a provider's process, whose id it prints.
    static final class Parent {
        public static void main(String[] arguments) throws Exception {
            DiffusionModel model = DiffusionModel.open(Path.of(arguments[0]));
            Engine engine = OnnxEngine.open(model, FakeProviderProgram.device(Path.of(arguments[1])), 1);
            predict(model, engine, List.of());
            System.out.println(FakeProviderProgram.started(Path.of(arguments[1])).getLast());
            while (true) predict(model, engine, List.of());
        }
    }
}
