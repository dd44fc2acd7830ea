package atomstudio.app.tune;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A child with its input open: the end of that stream tells it to write a checkpoint and end.
final class ChildProcess implements TrainingProcess {
    private static final Logger log = LoggerFactory.getLogger(ChildProcess.class);
    private static final int LAST_LINES = 3;

    private final Process process;
    private final BufferedWriter input;
    private final Path output;

    ChildProcess(Process process, Path output) {
        this.process = process;
        this.input = process.outputWriter();
        this.output = output;
    }

    @Override public void send(ProcessCommand order) {
        write(switch (order) {
            case PAUSE -> "pause";
            case RESUME -> "resume";
            case STOP -> "stop";
        });
    }

    @Override public void requestPreview(String prompt) {
        write("generate " + prompt.replaceAll("\\s+", " ").strip());
    }

    private void write(String line) {
        try {
            input.write(line + "\n");
            input.flush();
        } catch (IOException gone) {
            log.debug("the tuning process no longer reads", gone);
        }
    }

    @Override public OptionalInt await(Duration atMost) throws InterruptedException {
        return process.waitFor(atMost.toMillis(), TimeUnit.MILLISECONDS) ? OptionalInt.of(process.exitValue()) : OptionalInt.empty();
    }

    @Override public String lastOutput() {
        return lastWords(output);
    }

    /// The last lines of a log.
    static String lastWords(Path output) {
        try {
            List<String> lines = Files.readAllLines(output).stream().map(line -> line.replaceFirst("^studio: ", "").strip()).filter(line -> !line.isEmpty()).toList();
            return String.join(" ", lines.subList(Math.max(0, lines.size() - LAST_LINES), lines.size()));
        } catch (IOException e) {
            return "";
        }
    }

    @Override public void close() {
        try {
            input.close();
        } catch (IOException gone) {
            log.debug("the tuning process had closed its input", gone);
        }
    }
}
