package atomstudio.tuning.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.ModelLoadOptions;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.diffusion.picture.PngWriter;
import atomstudio.diffusion.sample.PredictionType;
import atomstudio.tuning.TinyModel;
import atomstudio.tuning.method.MethodSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SingleFileRunTest {
    @TempDir Path folder;

    @Test void aRunOnAModelInOneFileGoesOnWithWhatWasSaidOfTheModel() throws Exception {
        Path file = Files.copy(Shared.own("goldens/files/sd1.ckpt"), folder.resolve("sd1.ckpt"));
        Files.copy(Shared.own("goldens/files/sd1.json"), folder.resolve("sd1.json"));
        Path vocabulary = TinyModel.make(folder.resolve("known"), "sd1").path().resolve("tokenizer");
        Path pictures = Files.createDirectory(folder.resolve("subject"));
        PngWriter.write(pictures.resolve("picture.png"), RunTest.picture(0), Map.of());
        ModelReference model = new ModelReference(file, ModelLoadOptions.ofTokenizerFolders(List.of(vocabulary)).withPredictionType(PredictionType.V).withVae(Shared.own("goldens/nets/sd1/model/vae")));
        TuneRequest request = TuneRequest.of(model, pictures, "thing", MethodSettings.parse("atoms", Map.of())).withSteps(3).withRate(1e-2);
        Tuning tuning = new Tuning(new Machine(Device.CPU, 1, RunTest.home(), List.of(vocabulary)));
        Path run = folder.resolve("run");
        List<TuneEvent> heard = new ArrayList<>();
        Control twoSteps = () -> heard.stream().filter(TuneEvent.Step.class::isInstance).count() < 2 ? Control.Wish.CONTINUE : Control.Wish.STOP;
        assertInstanceOf(TuneOutcome.Stopped.class, tuning.run(request, run, twoSteps, heard::add));
        RunInfo.Base base = new RunFolder(run).info().base();
        assertEquals(Optional.of(PredictionType.V), base.choices().predictionType());
        assertEquals(Optional.of(Shared.own("goldens/nets/sd1/model/vae")), base.choices().vae());
        assertInstanceOf(TuneOutcome.Finished.class, tuning.resume(run, Control.none(), TuneListener.silent()));
        ModelReference other = new ModelReference(file, model.options().withPredictionType(PredictionType.EPSILON));
        TuneRequest changed = new TuneRequest(other, pictures, request.words(), request.method(), request.recipe());
        Failure refused = assertThrows(Failure.Incompatible.class, () -> tuning.run(changed, run, Control.none(), TuneListener.silent()));
        assertTrue(refused.getMessage().contains("prediction"), refused.getMessage());
    }
}
