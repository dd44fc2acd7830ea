package atomstudio.app.benchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.benchmark.BenchmarkFolder.State;
import atomstudio.app.benchmark.BenchmarkWorker.WorkResult;
import atomstudio.app.cluster.RunLease;
import atomstudio.app.cluster.Shard;
import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Benchmarks with fake trainings, and real images and metrics of the embedded model.
class BenchmarkWorkerTest {
    @TempDir
    Path temporary;

    private BenchmarkExamples example(String name) {
        return new BenchmarkExamples(temporary.resolve(name));
    }

    private static BenchmarkRun[] fourRuns() {
        return new BenchmarkRun[] {BenchmarkExamples.run("owl", "untuned", 0),
                BenchmarkExamples.run("owl", "atoms", 0), BenchmarkExamples.run("car", "untuned", 0),
                BenchmarkExamples.run("car", "atoms", 0)};
    }

    @Test
    void aDamagedLeaseExpiresLikeThatOfAnotherMachine(@TempDir Path run) throws Exception {
        try (RunLease _ = RunLease.acquire(run).orElseThrow()) {
            List<String> lines = Files.readAllLines(run.resolve("lease"));
            lines.set(1, "x" + lines.get(1));
            Files.write(run.resolve("lease"), lines);
        }
        assertTrue(RunLease.isHeld(run));
        assertTrue(RunLease.acquire(run).isEmpty());
        Files.setLastModifiedTime(run.resolve("lease"), FileTime.from(Instant.now().minus(Duration.ofMinutes(5))));
        assertFalse(RunLease.isHeld(run));
        RunLease.acquire(run).orElseThrow().close();
    }

    @Test
    void shardsAndInterruptionsGiveTheBytesOfOneWorker() throws Failure {
        BenchmarkExamples whole = example("whole").plan(fourRuns());
        assertEquals(new WorkResult(List.of(), 0, false), whole.work(Shard.ALL));
        assertEquals(4, whole.started.size());

        BenchmarkExamples parts = example("parts").plan(fourRuns());
        parts.trainingsBeforeStop = 0;
        assertTrue(parts.work(new Shard(1, 2)).stopped(), "stopped in the first training");
        parts.trainingsBeforeStop = Integer.MAX_VALUE;
        assertFalse(parts.work(new Shard(1, 2)).stopped());
        assertFalse(parts.table().equals(whole.table()));
        parts.work(new Shard(0, 2));
        assertEquals(List.of("owl/atoms-0.01-10x1-0", "owl/atoms-0.01-10x1-0", "car/atoms-0.01-10x1-0", "owl/untuned",
                "car/untuned"), parts.started);
        assertEquals(whole.table(), parts.table());
        parts.work(Shard.ALL);
        assertEquals(5, parts.started.size(), "a finished plan has no work");
        assertTrue(whole.table().contains("real,live,1,0"), whole.table());
    }

    @Test
    void theReportHasAPageASheetAndTheReasonsOfFailures() throws Failure, IOException {
        BenchmarkExamples example = example("report").plan(BenchmarkExamples.run("owl", "untuned", 0),
                BenchmarkExamples.run("owl", "atoms", 0), BenchmarkExamples.run("owl", "lokr", 0));
        example.work(Shard.ALL);
        BenchmarkTable table = BenchmarkTable.read(example.folder, BenchmarkProtocol.DREAMBOOTH);
        String page = Files.readString(new BenchmarkReport(example.folder, table).write());
        for (String expected : List.of("runs/owl/atoms-0.01-10x1-0/images/01-0.png", "photos/owl/05.png",
                "owl/lokr-0.01-10x1-0 failed: out of memory", "Protocol dreambooth", "a … in the snow",
                "DINO not measured"))
            assertTrue(page.contains(expected), expected);
        for (String link : page.split("(src|href)=\"", -1)) {
            String file = link.replaceFirst("(?s)\".*", "");
            if (!link.startsWith("<!DOCTYPE"))
                assertTrue(Files.exists(example.folder.folder().resolve(file)), file);
        }
        assertTrue(atomstudio.diffusion.image.ImageFiles.read(example.folder.folder().resolve("sheets/owl.png"))
                .width() > 1000);
    }

    @Test
    void aBrokenPhotoFailsItsRunAloneAndIsNamed() throws Exception {
        Path photos = Files.createDirectories(temporary.resolve("photos/car"));
        Files.writeString(photos.resolve("broken.png"), "not an image");
        BenchmarkExamples example = example("broken").plan(BenchmarkExamples.run("car", photos, "untuned", 0),
                BenchmarkExamples.run("owl", "untuned", 0), BenchmarkExamples.run("owl", "lokr", 0));
        WorkResult result = example.work(Shard.ALL);
        assertEquals(2, result.failed().size(), result.failed().toString());
        assertTrue(result.failed().getFirst().contains("broken.png"), result.failed().toString());
        assertTrue(result.failed().getLast().contains("out of memory"), result.failed().toString());
        BenchmarkRun broken = example.folder.runs().getFirst();
        assertEquals(State.FAILED, example.folder.state(broken));
        assertTrue(example.folder.failure(broken).orElseThrow().contains("broken.png"));
        assertEquals(State.FINISHED, example.folder.state(example.folder.runs().get(1)));

        Files.copy(BenchmarkExamples.SUBJECTS.resolve("car/00.png"), photos.resolve("broken.png"),
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        example.work(Shard.ALL);
        assertEquals(State.FINISHED, example.folder.state(broken), "retried after the photo is replaced");
        assertEquals(Optional.empty(), example.folder.failure(broken));
    }

    @Test
    void theFolderOfALivingOwnerIsLeftAloneAndThatOfADeadOneTaken() throws Exception {
        BenchmarkExamples example = example("lease").plan(BenchmarkExamples.run("owl", "untuned", 0));
        Path run = example.folder.folder().resolve("runs/owl/untuned");
        try (RunLease held = RunLease.acquire(run).orElseThrow()) {
            assertEquals(Optional.empty(), RunLease.acquire(run));
            assertEquals(State.RUNNING, example.folder.state(example.folder.runs().getFirst()));
            assertEquals(1, example.work(Shard.ALL).busy());
            assertFalse(held.isLost());
        }
        assertFalse(Files.exists(run.resolve("lease")));
        Path lease = run.resolve("lease");
        Files.writeString(lease, "elsewhere\n1\n0\nabc\n");
        assertTrue(RunLease.isHeld(run), "renewed a moment ago on another machine");
        Files.setLastModifiedTime(lease, FileTime.from(Instant.now().minus(Duration.ofMinutes(10))));
        assertFalse(RunLease.isHeld(run), "not renewed for minutes");
        assertEquals(0, example.work(Shard.ALL).busy());
        try (var files = Files.list(run)) {
            assertEquals(List.of("embeddings.safetensors", "images", "result.json"),
                    files.map(file -> file.getFileName().toString()).sorted().toList());
        }
    }

    @Test
    void aLeaseOfAKilledProcessOfThisMachineIsTakenAtOnce() throws IOException, Failure {
        Path run = temporary.resolve("run");
        String content;
        try (RunLease own = RunLease.acquire(run).orElseThrow()) {
            assertFalse(own.isLost());
            content = Files.readString(run.resolve("lease"));
        }
        List<String> lines = content.lines().toList();
        Files.writeString(run.resolve("lease"),
                lines.get(0) + "\n" + lines.get(1) + "\n" + (Long.parseLong(lines.get(2)) - 1) + "\nx\n");
        assertFalse(RunLease.isHeld(run), "the process id belongs to a process that started later");
        RunLease.acquire(run).orElseThrow().close();
    }

    @Test
    void aPlanGrowsAtItsEndAndKeepsItsSettings() throws Failure {
        BenchmarkExamples example = example("plan").plan(BenchmarkExamples.run("owl", "atoms", 0));
        example.plan(BenchmarkExamples.run("car", "atoms", 0), BenchmarkExamples.run("owl", "atoms", 0));
        assertEquals(List.of("owl", "car"),
                example.folder.runs().stream().map(run -> run.subject().name()).toList());
        BenchmarkSettings settings = example.folder.settings();
        assertEquals(BenchmarkExamples.settings(BenchmarkExamples.MODEL, settings.modelHash(), 1), settings);
        String message = assertThrows(Failure.Incompatible.class, () -> example.folder
                .plan(BenchmarkExamples.settings(BenchmarkExamples.MODEL, settings.modelHash(), 3), List.of()))
                .getMessage();
        assertTrue(message.contains("images: expected 1, found 3"), message);
    }

    @Test
    void pooledPairsWeighSubjectsByTheirPhotos() throws Failure {
        BenchmarkExamples example = example("protocols").plan(BenchmarkExamples.run("owl", "untuned", 0),
                BenchmarkExamples.run("car", BenchmarkExamples.SUBJECTS.resolve("car/00.png").getParent(), "untuned",
                        0));
        example.work(Shard.ALL);
        BenchmarkTable macro = BenchmarkTable.read(example.folder, BenchmarkProtocol.DREAMBOOTH);
        BenchmarkTable pooled = BenchmarkTable.read(example.folder, BenchmarkProtocol.OFT);
        double owl = macro.runs().get(0).scores().get(RunScores.Metric.CLIP_I).mean();
        double car = macro.runs().get(1).scores().get(RunScores.Metric.CLIP_I).mean();
        int owlPairs = macro.runs().get(0).scores().get(RunScores.Metric.CLIP_I).pairs();
        int carPairs = macro.runs().get(1).scores().get(RunScores.Metric.CLIP_I).pairs();
        assertEquals((owl + car) / 2, macro.rows().get(1).means().get(RunScores.Metric.CLIP_I).mean(), 1e-12);
        assertEquals((owl * owlPairs + car * carPairs) / (owlPairs + carPairs),
                pooled.rows().get(1).means().get(RunScores.Metric.CLIP_I).mean(), 1e-12);
        assertTrue(macro.markdown().contains("| untuned, live |"), macro.markdown());
    }
}
