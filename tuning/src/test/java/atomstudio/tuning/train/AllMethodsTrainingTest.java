package atomstudio.tuning.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.config.TrainingRequest;
import atomstudio.tuning.data.SubjectTokenizer;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.RunControl;
import atomstudio.tuning.setting.Setting;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every method trains, and every parameter tensor changes.
class AllMethodsTrainingTest {
    @TempDir
    static Path shared;
    @TempDir
    Path folder;
    private static DiffusionModel model;
    private static Path photos;

    @BeforeAll
    static void prepare() throws Exception {
        model = TinyModel.make(shared.resolve("model"), "sd1");
        photos = Files.createDirectory(shared.resolve("subject"));
        for (int i = 0; i < 2; i++)
            PngWriter.write(photos.resolve("picture" + i + ".png"), RunTest.photo(i), Map.of());
    }

    static Stream<MethodSettings> methods() {
        return Stream.concat(Stream.of(MethodName.values()).map(MethodSettings::of), Stream.of(
                MethodSettings.of(MethodName.ATOMS)
                        .with(MethodSetting.CODING, "sparse")
                        .with(MethodSetting.ATOMS, "12"),
                MethodSettings.of(MethodName.ATOMS)
                        .with(MethodSetting.LAYERS, "conv")
                        .with(MethodSetting.COMBINE_WITH, "textual-inversion"),
                MethodSettings.of(MethodName.T_LORA).with(MethodSetting.ORTHOGONAL, Setting.YES),
                MethodSettings.of(MethodName.LORA)
                        .with(MethodSetting.TRAIN_TEXT_ENCODER, "yes")
                        .with(MethodSetting.RANK, "2")));
    }

    @ParameterizedTest @MethodSource("methods")
    void everyParameterTensorIsTrained(MethodSettings method) throws Exception {
        TrainingRequest request = TrainingRequest.of(model.path(), photos, "thing", method)
                .withToken("qx")
                .withSteps(4);
        TrainingService.TrainingOutcome outcome = new TrainingService(
                new TrainingEnvironment(Device.CPU, 1, RunTest.home()))
                .run(request, folder.resolve("run"), RunControl.none(), EventSink.none());
        assertInstanceOf(TrainingService.TrainingOutcome.Finished.class, outcome);
        AdapterFile adapter = AdapterFile.read(folder.resolve("run/adapter.safetensors"));
        assertEquals(method, adapter.method());
        assertEquals(Optional.empty(),
                adapter.compatibilityWarning("model", model.trainableLayers(), Optional.empty()));
        ParameterLayout layout = ParameterLayout.of(method.method(), model.trainableLayers());
        Map<String, Tensor> start = start(layout, adapter);
        for (ParameterLayout.LayerParameter entry : layout.trained()) {
            Tensor tuned = adapter.values().get(entry.key());
            assertNotEquals(start.get(entry.key()), tuned, entry.key() + " stands where it stood");
            for (float number : tuned.data()) assertTrue(Float.isFinite(number), entry.key());
        }
        for (ParameterLayout.LayerParameter entry : layout.frozen())
            assertEquals(entry.spec().shape(), adapter.values().get(entry.key()).shape());
        adapter.toAdapter("again", model);
    }

    private static Map<String, Tensor> start(ParameterLayout layout, AdapterFile adapter) throws Exception {
        try (Checkpoint unet = model.openCheckpoint(Component.UNET);
                Checkpoint text = model.openCheckpoint(Component.TEXT_ENCODER)) {
            ParameterLayout.Initialization beginning = new ParameterLayout.Initialization(
                    layer -> (layer.component().equals(Component.UNET) ? unet : text).read(layer.weightKey()),
                    adapter.training().seed(),
                    SubjectTokenizer.of(model, layout, adapter.trigger()).classTokens());
            return layout.fromVector(layout.initialVector(beginning));
        }
    }
}
