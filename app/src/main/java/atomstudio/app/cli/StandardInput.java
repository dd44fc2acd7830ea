package atomstudio.app.cli;

import atomstudio.tuning.train.Control;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;

/// A run steered by lines on standard input, as the window does: `pause`, `resume`, `stop`. Its end means stop, so that a run
/// does not outlive the window that started it.
final class StandardInput implements Control {
    private final Terminal terminal;
    private volatile Wish wish = Wish.CONTINUE;

    private StandardInput(Terminal terminal) {
        this.terminal = terminal;
    }

    /// Reads lines on a thread of its own, which does not keep the process alive.
    static StandardInput follow(InputStream lines, Terminal terminal) {
        StandardInput control = new StandardInput(terminal);
        Thread.ofPlatform().daemon().name("standard input").start(() -> control.read(lines));
        return control;
    }

    @Override
    public Wish wish() {
        return wish;
    }

    private void read(InputStream lines) {
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(lines, StandardCharsets.UTF_8))) {
            for (String line = reader.readLine(); line != null && wish != Wish.STOP; line = reader.readLine()) {
                obey(line.strip());
            }
        } catch (IOException broken) {
            terminal.note("Standard input broke: " + broken.getMessage());
        } finally {
            wish = Wish.STOP;
        }
    }

    private void obey(String line) {
        switch (line) {
            case "pause" -> wish = Wish.PAUSE;
            case "resume" -> wish = Wish.CONTINUE;
            case "stop" -> wish = Wish.STOP;
            case "" -> { }
            default -> terminal.note("Standard input: expected pause, resume or stop, found \"" + line + "\"");
        }
    }
}
