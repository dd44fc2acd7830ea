package atomstudio.app.runs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EventLogReaderTest {
    @TempDir
    Path run;
    private Path file;
    private EventLogReader events;

    @BeforeEach
    void follow() {
        file = run.resolve("events.jsonl");
        events = new EventLogReader(file, RunProgress.initial(RunProgress.RunPhase.STARTING));
    }

    private void append(String text) throws Exception {
        Files.writeString(file, text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    private static String step(int step, double loss) {
        return "{\"time\":1,\"kind\":\"step\",\"step\":" + step + ",\"loss\":" + loss
                + ",\"rate\":0.01,\"seconds\":0.5,\"memory\":1200000000}\n";
    }

    private static String start(int step, int steps) {
        return "{\"time\":1,\"kind\":\"start\",\"step\":" + step + ",\"steps\":" + steps
                + ",\"device\":\"cpu\",\"threads\":2}\n";
    }

    @Test
    void missingFileHasNoEvents() throws Exception {
        assertEquals(RunProgress.RunPhase.STARTING, events.poll().phase());
    }

    @Test
    void readsAddedLines() throws Exception {
        append(start(0, 10) + step(1, 0.4));
        assertEquals(1, events.poll().step());
        append(step(2, 0.3));
        RunProgress progress = events.poll();
        assertEquals("2 / 10", progress.stepText());
        assertEquals(List.of(0.4, 0.3), progress.losses().stream().map(RunProgress.LossPoint::raw).toList());
        assertSame(progress, events.poll());
    }

    @Test
    void waitsForEndOfLine() throws Exception {
        String line = step(1, 0.4);
        append(start(0, 10) + line.substring(0, 25));
        assertEquals(0, events.poll().step());
        append(line.substring(25));
        assertEquals(1, events.poll().step());
    }

    @Test
    void handlesSplitMultiByteCharacter() throws Exception {
        byte[] line = "{\"time\":1,\"kind\":\"failed\",\"step\":3,\"message\":\"zu groß\"}\n"
                .getBytes(java.nio.charset.StandardCharsets.UTF_8);
        int inside = line.length - 5;
        Files.write(file, java.util.Arrays.copyOf(line, inside));
        events.poll();
        Files.write(file, java.util.Arrays.copyOfRange(line, inside, line.length), StandardOpenOption.APPEND);
        assertEquals("zu groß", events.poll().message());
    }

    @Test
    void skipsDamagedAndUnknownLines() throws Exception {
        append(start(0, 10) + "{\"kind\":\"step\",\"st\n" + "{\"time\":1,\"kind\":\"weather\",\"step\":1}\n"
                + step(2, 0.3));
        assertEquals(2, events.poll().step());
    }

    @Test
    void rereadsTruncatedFile() throws Exception {
        append(start(0, 10) + step(1, 0.4) + step(2, 0.3) + step(3, 0.2));
        events.poll();
        Files.writeString(file, start(0, 10) + step(1, 0.4));
        RunProgress progress = events.poll();
        assertEquals(1, progress.step());
        assertEquals(1, progress.losses().size());
    }

    @Test
    void resumeDropsStepsAfterCheckpoint() throws Exception {
        append(start(0, 10) + step(1, 0.4) + step(2, 0.3) + step(3, 0.2) + start(2, 10) + step(3, 0.25));
        RunProgress progress = events.poll();
        assertEquals(List.of(0.4, 0.3, 0.25), progress.losses().stream().map(RunProgress.LossPoint::raw).toList());
        assertEquals(3, progress.step());
    }
}
