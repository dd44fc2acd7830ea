package atomstudio.app.cli;

import atomstudio.tuning.train.RunControl;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/// A run steered by lines on standard input, as the window does: `pause`, `resume`, `stop`, and `generate PROMPT` for a picture from
/// what is tuned by now. Its end means stop, so that a run does not outlive the window that started it.
final class StdinControl implements RunControl {
    private static final String GENERATE_PREFIX = "generate ";

    private final Terminal terminal;
    private final Queue<String> prompts = new ConcurrentLinkedQueue<>();
    private volatile RunCommand wish = RunCommand.CONTINUE;

    private StdinControl(Terminal terminal) {
        this.terminal = terminal;
    }

    /// Reads lines on a thread of its own, which does not keep the process alive.
    static StdinControl start(InputStream lines, Terminal terminal) {
        StdinControl control = new StdinControl(terminal);
        Thread.ofPlatform().daemon().name("standard input").start(() -> control.read(lines));
        return control;
    }

    @Override
    public RunCommand command() {
        return wish;
    }

    @Override
    public Optional<String> nextPreviewPrompt() {
        return Optional.ofNullable(prompts.poll());
    }

    private void read(InputStream lines) {
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(lines, StandardCharsets.UTF_8))) {
            for (String line = reader.readLine(); line != null && wish != RunCommand.STOP; line = reader.readLine()) {
                handle(line.strip());
            }
        } catch (IOException error) {
            terminal.printNote("Standard input broke: " + error.getMessage());
        } finally {
            wish = RunCommand.STOP;
        }
    }

    private void handle(String line) {
        if (line.startsWith(GENERATE_PREFIX) && !line.substring(GENERATE_PREFIX.length()).isBlank()) {
            prompts.add(line.substring(GENERATE_PREFIX.length()).strip());
            return;
        }
        switch (line) {
            case "pause" -> wish = RunCommand.PAUSE;
            case "resume" -> wish = RunCommand.CONTINUE;
            case "stop" -> wish = RunCommand.STOP;
            case "" -> { }
            default -> terminal.printNote("Standard input: expected pause, resume, stop or generate PROMPT, found \"" + line + "\"");
        }
    }
}
