package atomstudio.app.benchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.benchmark.BenchmarkFolder.RunResult;
import atomstudio.app.benchmark.RunScores.Metric;
import atomstudio.diffusion.Failure;
import atomstudio.tuning.measure.ClipEmbedding;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunScoresTest {
    private static final double TOLERANCE = 1e-6;

    @TempDir
    Path folder;

    /// Unit vectors in the plane at these angles, in degrees.
    private static List<ClipEmbedding> angles(double... degrees) {
        List<ClipEmbedding> vectors = new ArrayList<>();
        for (double degree : degrees)
            vectors.add(ClipEmbedding.of(new float[] {(float) Math.cos(Math.toRadians(degree)),
                    (float) Math.sin(Math.toRadians(degree))}));
        return vectors;
    }

    private static double cos(double degrees) {
        return Math.cos(Math.toRadians(degrees));
    }

    private static RunScores scores(RunEmbeddings embeddings, BenchmarkProtocol protocol) throws Failure {
        BenchmarkSettings settings = BenchmarkExamples.settings(Path.of("model"), "0".repeat(64), 2).with(protocol);
        return RunScores.of(BenchmarkExamples.run("owl", "lora", 0),
                new RunResult(1, 2, 0, "test", new RunResult.RunTime(0, 0, 0)), embeddings, settings);
    }

    private static RunEmbeddings embeddings() {
        return new RunEmbeddings(new TreeMap<>(Map.of("clip.photos", angles(0, 10, 30), "clip.images",
                angles(10, 50, 100, 60), "clip.texts", angles(0, 90))));
    }

    @Test
    void scoresFollowTheirDefinitions() throws Failure {
        RunScores scores = scores(embeddings(), BenchmarkProtocol.DREAMBOOTH);
        double likeness = (cos(10) + 1 + cos(20) + cos(50) + cos(40) + cos(20) + cos(100) + cos(90) + cos(70) + cos(60)
                + cos(50) + cos(30)) / 12;
        assertEquals(likeness, scores.scores().get(Metric.CLIP_I).mean(), TOLERANCE);
        assertEquals(12, scores.scores().get(Metric.CLIP_I).pairs());
        assertEquals((cos(10) + cos(50) + cos(10) + cos(30)) / 4, scores.scores().get(Metric.CLIP_T).mean(), TOLERANCE);
        assertEquals((1 - cos(40) + 1 - cos(40)) / 2, scores.scores().get(Metric.DIVERSITY).mean(), TOLERANCE);
        assertEquals((cos(10) + cos(30) + cos(20)) / 3, scores.ceiling().get(Metric.CLIP_I).mean(), TOLERANCE);
        assertEquals(0.25, scores.scores().get(Metric.COPY_RATE).mean(),
                "one image equals a photo; the others are farther than the photos' closest pair");
        assertFalse(scores.scores().containsKey(Metric.DINO));
        assertEquals(1, scores.images().get(3).prompt());
        assertEquals(cos(30), scores.images().get(3).clipT().getAsDouble(), TOLERANCE);
    }

    @Test
    void dinoIsThatOfTheProtocol() throws Failure {
        Map<String, List<ClipEmbedding>> rows = new TreeMap<>(embeddings().rows());
        rows.put("dino-crop.photos", angles(0));
        rows.put("dino-crop.images", angles(60, 60, 60, 60));
        rows.put("dino-resize.photos", angles(0));
        rows.put("dino-resize.images", angles(90, 90, 90, 90));
        RunEmbeddings all = new RunEmbeddings(rows);
        assertEquals(0.5, scores(all, BenchmarkProtocol.DREAMBOOTH).scores().get(Metric.DINO).mean(), TOLERANCE);
        RunScores oft = scores(all, BenchmarkProtocol.OFT);
        assertEquals(0, oft.scores().get(Metric.DINO).mean(), TOLERANCE);
        assertFalse(oft.scores().containsKey(Metric.COPY_RATE), "a single photo has no closest pair");
        assertFalse(oft.ceiling().containsKey(Metric.DINO));
    }

    @Test
    void embeddingsAreReadBackBitEqual() throws Failure {
        RunEmbeddings written = embeddings();
        Path file = folder.resolve("embeddings.safetensors");
        written.write(file);
        RunEmbeddings read = RunEmbeddings.read(file);
        assertEquals(written.rows().keySet(), read.rows().keySet());
        written.rows().forEach((name, vectors) -> {
            for (int i = 0; i < vectors.size(); i++)
                assertTrue(java.util.Arrays.equals(vectors.get(i).unitVector(), read.get(name).get(i).unitVector()));
        });
    }
}
