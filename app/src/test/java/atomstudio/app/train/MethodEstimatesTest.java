package atomstudio.app.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.jobs.InlineJobs;
import atomstudio.app.process.RunSpec;
import atomstudio.app.train.MethodEstimates.EstimateKey;
import atomstudio.app.window.FakeServices;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.config.TrainingSettings;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MethodEstimatesTest {
    @TempDir
    private Path home;

    private MethodEstimates opened() throws Exception {
        return new MethodEstimates(new InlineJobs(),
                new FakeServices(home, new InlineJobs()).services.engines().estimator(), () -> false,
                home.resolve("estimates.json"));
    }

    private RunSpec spec(String steps) {
        return new RunSpec("car", Path.of("/model"), Path.of("/photos"), new RunSpec.SubjectPhrase("car", "sks"),
                new RunSpec.TrainingChoices(MethodSettings.of(MethodName.LORA),
                        TrainingSettings.DEFAULTS.with(TrainingSetting.STEPS, steps)),
                home.resolve("run"));
    }

    @Test
    void estimatesAreKeptOverRestarts() throws Exception {
        MethodEstimates first = opened();
        first.request(List.of(spec("30")));
        EstimateKey key = EstimateKey.of(spec("30"));
        assertTrue(first.of(key).isPresent());
        MethodEstimates second = opened();
        assertEquals(first.of(key), second.of(key));
        assertEquals(Optional.empty(), second.of(EstimateKey.of(spec("31"))), "other settings take another time");
        Files.writeString(home.resolve("estimates.json"), "{");
        assertEquals(Optional.empty(), opened().of(key), "a damaged file is as none");
    }
}
