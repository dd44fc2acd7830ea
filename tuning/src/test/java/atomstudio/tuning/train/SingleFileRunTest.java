package atomstudio.tuning.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.model.ModelLoadOptions;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.diffusion.sample.PredictionType;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.config.TrainingRequest;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.RunControl;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.RunInfo;
import atomstudio.tuning.run.TrainingEvent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SingleFileRunTest {
    @TempDir
    Path folder;

    @Test
    void singleFileRunResumesWithItsModelOptions() throws Exception {
        Path file = Files.copy(Shared.own("goldens/files/sd1.ckpt"), folder.resolve("sd1.ckpt"));
        Files.copy(Shared.own("goldens/files/sd1.json"), folder.resolve("sd1.json"));
        Path vocabulary = TinyModel.make(folder.resolve("known"), "sd1").path().resolve("tokenizer");
        Path photos = Files.createDirectory(folder.resolve("subject"));
        PngWriter.write(photos.resolve("picture.png"), RunTest.photo(0), Map.of());
        ModelReference model = new ModelReference(file,
                ModelLoadOptions.ofTokenizerFolders(List.of(vocabulary))
                        .withPredictionType(PredictionType.V)
                        .withVae(Shared.own("goldens/nets/sd1/model/vae")));
        TrainingRequest request = TrainingRequest.of(model, photos, "thing", MethodSettings.parse("atoms", Map.of()))
                .withSteps(3)
                .withLearningRate(1e-2);
        TrainingService tuning = new TrainingService(
                new TrainingEnvironment(Device.CPU, 1, RunTest.home(), List.of(vocabulary)));
        Path run = folder.resolve("run");
        List<TrainingEvent> heard = new ArrayList<>();
        RunControl twoSteps = () -> heard.stream().filter(TrainingEvent.Step.class::isInstance).count() < 2
                ? RunControl.RunCommand.CONTINUE
                : RunControl.RunCommand.STOP;
        assertInstanceOf(TrainingService.TrainingOutcome.Stopped.class, tuning.run(request, run, twoSteps, heard::add));
        RunInfo.BaseModelInfo base = new RunFolder(run).info().baseModel();
        assertEquals(Optional.of(PredictionType.V), base.options().predictionType());
        assertEquals(Optional.of(Shared.own("goldens/nets/sd1/model/vae")), base.options().vae());
        assertInstanceOf(TrainingService.TrainingOutcome.Finished.class,
                tuning.resume(run, RunControl.none(), EventSink.none()));
        ModelReference other = new ModelReference(file, model.options().withPredictionType(PredictionType.EPSILON));
        TrainingRequest changed = new TrainingRequest(other, photos, request.trigger(), request.method(),
                request.config());
        Failure failure = assertThrows(Failure.Incompatible.class,
                () -> tuning.run(changed, run, RunControl.none(), EventSink.none()));
        assertTrue(failure.getMessage().contains("prediction"), failure.getMessage());
    }
}
