package atomstudio.app.runs;

import atomstudio.tuning.run.TrainingEvent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Follows a growing `events.jsonl`. Incomplete lines wait for their end; a truncated file, as after a resumed crash,
/// is read again from its start. Not thread-safe.
public final class EventLogReader {
    private final Path file;
    private RunProgress progress;
    private final RunProgress initial;
    private long offset;
    private byte[] partialLine = {};

    public EventLogReader(Path file, RunProgress initial) {
        this.file = file;
        this.initial = initial;
        this.progress = initial;
    }

    /// Reads the lines added since the last call.
    /// @return the same object as before if there are none
    public RunProgress poll() throws IOException {
        if (!Files.exists(file)) return progress;
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            if (channel.size() < offset) {
                offset = 0;
                partialLine = new byte[0];
                progress = initial;
            }
            ByteBuffer added = ByteBuffer.allocate(Math.toIntExact(channel.size() - offset));
            while (added.hasRemaining()) {
                int read = channel.read(added, offset + added.position());
                if (read < 0) break;
            }
            offset += added.position();
            List<TrainingEvent> events = parseLines(Arrays.copyOf(added.array(), added.position()));
            if (!events.isEmpty()) progress = progress.after(events);
        }
        return progress;
    }

    private List<TrainingEvent> parseLines(byte[] added) {
        byte[] all = Arrays.copyOf(partialLine, partialLine.length + added.length);
        System.arraycopy(added, 0, all, partialLine.length, added.length);
        List<TrainingEvent> events = new ArrayList<>();
        int start = 0;
        for (int i = 0; i < all.length; i++) {
            if (all[i] != '\n') continue;
            TrainingEvent.Timed.parse(new String(all, start, i - start, StandardCharsets.UTF_8))
                    .ifPresent(timed -> events.add(timed.event()));
            start = i + 1;
        }
        partialLine = Arrays.copyOfRange(all, start, all.length);
        return events;
    }
}
