package atomstudio.tuning.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Shared;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.config.TrainingRequest;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.RunControl;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.TrainingEvent;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The memory of a training process, started like the launcher does, must not grow.
@Tag("slow")
class TrainingMemoryTest {
    @TempDir
    Path folder;

    /// The measured process.
    public static final class Child {
        private Child() {}

        public static void main(String[] arguments) throws Exception {
            Path root = Shared.root();
            TrainingRequest request = TrainingRequest
                    .of(root.resolve("assets/default-model"), root.resolve("assets/subjects/boat"), "boat",
                            MethodSettings.parse(arguments[1], Map.of()))
                    .withSteps(300);
            new TrainingService(TrainingEnvironment.cpu(RunTest.home())).run(request, Path.of(arguments[0]),
                    RunControl.none(), EventSink.none());
        }
    }

    @ParameterizedTest @ValueSource(strings = {"atoms+channels", "lora"})
    void residentMemoryDoesNotGrowFromStep30To300(String method) throws Exception {
        Path run = folder.resolve("run");
        ProcessBuilder builder = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC",
                "-Datomstudio.root=" + Shared.root(), "-cp", System.getProperty("java.class.path"),
                Child.class.getName(), run.toString(), method).inheritIO();
        builder.environment().putIfAbsent("OMP_WAIT_POLICY", "passive");
        Process child = builder.start();
        assertTrue(child.waitFor(15, TimeUnit.MINUTES));
        assertEquals(0, child.exitValue());
        List<TrainingEvent.Step> steps = new RunFolder(run).events()
                .stream()
                .map(TrainingEvent.Timed::event)
                .filter(TrainingEvent.Step.class::isInstance)
                .map(TrainingEvent.Step.class::cast)
                .toList();
        long before = steps.get(29).residentBytes();
        long after = steps.get(299).residentBytes();
        assertTrue(before > 0 && after < before * 1.05, before + " bytes at step 30, " + after + " at step 300");
    }
}
