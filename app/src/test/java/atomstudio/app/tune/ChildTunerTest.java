package atomstudio.app.tune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.jobs.Home;
import atomstudio.diffusion.Failure;
import atomstudio.tuning.method.MethodSettings.Choice;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChildTunerTest {
    private static final Duration LONG = Duration.ofSeconds(60);
    @TempDir Path place;

    private TuneOrder order(TuneSettings settings) {
        return new TuneOrder("car", Path.of("/model"), Path.of("/pictures"), new TuneOrder.Words("police car", "sks"), Choice.LORA, settings, place.resolve("car-lora"));
    }

    private TuneProcess start(TuneSettings settings) throws Exception {
        Home home = new Home(place.resolve("home"));
        return new ChildTuner(ChildTuner.thisProgram(PretendedProgram.class.getName()), home).start(order(settings));
    }

    private String file(String name) throws Exception {
        return Files.readString(place.resolve("car-lora").resolve(name));
    }

    @Test void ordersAreLinesOnTheChildsInput() throws Exception {
        try (TuneProcess process = start(TuneSettings.initial())) {
            process.send(TuneProcess.Order.RESUME);
            process.send(TuneProcess.Order.STOP);
            assertEquals(OptionalInt.of(130), process.await(LONG));
        }
        assertEquals("resume\nstop\n", file("heard"));
    }

    @Test void theChildLivesInTheSameHome() throws Exception {
        try (TuneProcess process = start(TuneSettings.initial())) {
            process.send(TuneProcess.Order.STOP);
            process.await(LONG);
        }
        assertEquals(place.resolve("home").toString(), file("home"));
    }

    @Test void closingEndsTheChildsInput() throws Exception {
        TuneProcess process = start(TuneSettings.initial());
        process.close();
        assertEquals(OptionalInt.of(0), process.await(LONG));
        assertEquals("end\n", file("heard"));
    }

    @Test void itsLastWordsAreKept() throws Exception {
        try (TuneProcess process = start(TuneSettings.initial())) {
            assertEquals(OptionalInt.empty(), process.await(Duration.ZERO));
            process.send(TuneProcess.Order.PAUSE);
            assertEquals(OptionalInt.of(1), process.await(LONG));
            assertTrue(process.lastWords().endsWith("the pictures changed since the run began"), process.lastWords());
            // Nobody listens any more, and that is no failure.
            process.send(TuneProcess.Order.STOP);
        }
    }

    @Test void whatIsNotSetIsLeftToTheCommand() {
        List<String> arguments = ChildTuner.arguments(order(TuneSettings.initial()));
        assertEquals(List.of("tune", "--control-stdin"), arguments.subList(0, 2));
        assertEquals("police car", arguments.get(arguments.indexOf("--class") + 1));
        Assertions.assertFalse(arguments.contains("--steps") || arguments.contains("--rate"), arguments.toString());
        assertEquals(String.valueOf(Choice.LORA.steps() / 5), arguments.get(arguments.indexOf("--preview-every") + 1));
    }

    @Test void whatIsSetIsPassedOn() {
        TuneSettings settings = TuneSettings.initial().withSteps(OptionalInt.of(50)).withRate(OptionalDouble.of(0.002)).withPreviewEvery(OptionalInt.of(0)).withSeed(7).withRank(8);
        List<String> arguments = ChildTuner.arguments(order(settings));
        for (List<String> pair : List.of(List.of("--steps", "50"), List.of("--rate", "0.002"), List.of("--preview-every", "0"), List.of("--seed", "7"), List.of("--rank", "8"))) {
            assertEquals(pair.get(1), arguments.get(arguments.indexOf(pair.get(0)) + 1), arguments.toString());
        }
    }

    @Test void aProgramThatCannotBeStartedIsAFailure() {
        ChildTuner tuner = new ChildTuner(List.of("/nowhere/java"), new Home(place.resolve("home")));
        Failure failure = Assertions.assertThrows(Failure.class, () -> tuner.start(order(TuneSettings.initial())));
        assertTrue(failure.getMessage().contains("/nowhere/java"), failure.getMessage());
    }
}
