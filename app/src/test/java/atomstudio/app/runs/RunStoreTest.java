package atomstudio.app.runs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.jobs.InlineJobs;
import atomstudio.app.process.FakeProcessLauncher;
import atomstudio.app.process.RunSpec;
import atomstudio.tuning.method.MethodName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunStoreTest {
    @TempDir
    Path runs;

    private void train(FakeProcessLauncher launcher, String name, String subject, MethodName method) {
        new RunQueue(new InlineJobs(), launcher, new RunStore(runs).queue()).add(new RunSpec(subject, Path.of("/model"),
                Path.of("/photos"),
                new RunSpec.SubjectPhrase("car", "sks"), RunSpec.TrainingChoices.of(method), runs.resolve(name)));
    }

    @Test
    void listsOnlyRunsOfSubject() throws Exception {
        train(new FakeProcessLauncher(), "car-atoms", "car", MethodName.ATOMS);
        train(new FakeProcessLauncher(), "car-lora-2", "car", MethodName.LORA);
        train(new FakeProcessLauncher(), "car-atoms-lora", "car-atoms", MethodName.LORA);
        train(new FakeProcessLauncher(), "cart-atoms", "cart", MethodName.ATOMS);
        assertEquals(Set.of("car-atoms", "car-lora-2"), Set.copyOf(
                new RunStore(runs).list("car").stream().map(run -> run.folder().getFileName().toString()).toList()));
    }

    @Test
    void finishedRunHasCost() throws Exception {
        train(new FakeProcessLauncher(), "car-lora", "car", MethodName.LORA);
        RunSummary run = new RunStore(runs).list("car").getFirst();
        assertTrue(run.isDone());
        assertEquals("LoRA rank 4", run.title());
        assertTrue(run.summary(Instant.parse("2026-05-03T10:20:00Z")).startsWith("20 steps · today "),
                run.summary(Instant.parse("2026-05-03T10:20:00Z")));
    }

    @Test
    void killedRunIsUnfinished() throws Exception {
        FakeProcessLauncher launcher = new FakeProcessLauncher();
        launcher.breakAt = 8;
        launcher.breakCode = 137;
        train(launcher, "car-atoms", "car", MethodName.ATOMS);
        RunSummary run = new RunStore(runs).list("car").getFirst();
        assertFalse(run.isDone());
        assertEquals(RunProgress.RunPhase.CANCELLED, run.progress().phase());
        assertEquals(8, run.progress().step());
        assertEquals(runs.resolve("car-atoms/pictures"), run.spec().photos());
        assertEquals(20, run.spec().choices().steps());
    }

    @Test
    void damagedRunIsListedWithTheReason() throws Exception {
        train(new FakeProcessLauncher(), "car-atoms", "car", MethodName.ATOMS);
        Files.createDirectories(runs.resolve("car-lora"));
        Files.writeString(runs.resolve("car-lora/run.json"), "{\"format\":1}");
        RunStore.RunListing listing = new RunStore(runs).listAll("car");
        assertEquals(1, listing.runs().size());
        assertEquals(runs.resolve("car-lora"), listing.damaged().getFirst().folder());
        assertTrue(listing.damaged().getFirst().reason().contains("run.json"), listing.damaged().toString());
        assertEquals(1, new RunStore(runs).list("car").size());
    }

    @Test
    void nameAndNoteAreKept() throws Exception {
        train(new FakeProcessLauncher(), "car-lora", "car", MethodName.LORA);
        new RunLabel("first try", "too bright").write(runs.resolve("car-lora"));
        RunSummary run = new RunStore(runs).list("car").getFirst();
        assertEquals("first try", run.title());
        assertEquals("too bright", run.label().note());
        Files.writeString(runs.resolve("car-lora/label.json"), "{");
        assertEquals("LoRA rank 4", new RunStore(runs).list("car").getFirst().title());
    }

    @Test
    void newFolderIsUnused() throws Exception {
        RunStore store = new RunStore(runs);
        Files.createDirectory(runs.resolve("car-atoms"));
        assertEquals(runs.resolve("car-atoms-3"),
                store.newFolder("car", MethodName.ATOMS, List.of(runs.resolve("car-atoms-2"))));
    }
}
