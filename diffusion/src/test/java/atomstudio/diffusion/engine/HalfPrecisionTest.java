package atomstudio.diffusion.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Generation.GenerationSettings;
import atomstudio.diffusion.engine.Generation.PromptPair;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.diffusion.tensor.Tensor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// An engine whose half precision overflows in one network.
class HalfPrecisionTest {
    private static final Generation GENERATION = new Generation(new PromptPair("a red apple", ""),
            GenerationSettings.of(SamplingSettings.of(SamplerName.DDIM, ScheduleName.AUTOMATIC, 2), 4, 64, 64), 1,
            List.of());

    @ParameterizedTest
    @ValueSource(strings = {"predictNoise", "decode"})
    void repeatsInFullPrecisionWithAWarning(String overflowing) throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        List<String> warnings = new ArrayList<>();
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 2)) {
            RgbImage expected = DiffusionPipeline.of(model, engine)
                    .generate(GENERATION, StepListener.none())
                    .orElseThrow();
            RgbImage found = DiffusionPipeline.of(model, half(engine, overflowing), warnings::add)
                    .generate(GENERATION, StepListener.none())
                    .orElseThrow();
            assertEquals(expected, found);
            assertTrue(warnings.size() == 1 && warnings.getFirst().contains("full precision"), warnings.toString());
            assertThrows(Failure.Diverged.class, () -> DiffusionPipeline.of(model, alwaysOverflowing(engine))
                    .generate(GENERATION, StepListener.none()));
        }
    }

    private static Engine half(Engine engine, String overflowing) {
        Engine.ComputePrecision[] precision = {Engine.ComputePrecision.HALF};
        return (Engine) Proxy.newProxyInstance(Engine.class.getClassLoader(), new Class<?>[] {Engine.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "precision" -> precision[0];
                    case "useFullPrecision" -> {
                        precision[0] = Engine.ComputePrecision.FULL;
                        yield null;
                    }
                    default -> {
                        Object result = call(engine, method, arguments);
                        boolean overflows = method.getName().equals(overflowing)
                                && precision[0] == Engine.ComputePrecision.HALF;
                        yield overflows ? Tensor.filled(((Tensor) result).shape(), Float.NaN) : result;
                    }
                });
    }

    private static Engine alwaysOverflowing(Engine engine) {
        return (Engine) Proxy.newProxyInstance(Engine.class.getClassLoader(), new Class<?>[] {Engine.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "precision" -> Engine.ComputePrecision.FULL;
                    case "predictNoise" -> Tensor.filled(((Tensor) call(engine, method, arguments)).shape(), Float.NaN);
                    default -> call(engine, method, arguments);
                });
    }

    private static Object call(Engine engine, Method method, Object[] arguments) throws Throwable {
        try {
            return method.invoke(engine, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }
}
