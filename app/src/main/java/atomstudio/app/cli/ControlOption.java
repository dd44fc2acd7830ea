package atomstudio.app.cli;

import atomstudio.tuning.run.RunControl;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import picocli.CommandLine.Option;

/// How a run that is going on can be steered: by signals, and by standard input if asked. Without `--control-stdin`
/// it is never read.
final class ControlOption {
    @Option(names = "--control-stdin",
            description = "Read lines from standard input: pause, resume, stop, and generate PROMPT for a picture from what is tuned by now; its end means stop.")
    private boolean controlStdin;

    /// For what has no steps to stop at and leaves nothing behind: the end of standard input is a signal, should it
    /// be read at all, so that it does not outlive the window that asked for it.
    void stopAtEndOfInput(CommandContext context) {
        if (!controlStdin) return;
        Thread.ofPlatform().daemon().name("standard input").start(() -> {
            try {
                System.in.transferTo(OutputStream.nullOutputStream());
            } catch (IOException error) {
                context.terminal().printNote("Standard input broke: " + error.getMessage());
            }
            context.stopSignal().raise();
        });
    }

    RunControl control(CommandContext context) {
        RunControl stdinControl = controlStdin ? StdinControl.start(System.in, context.terminal()) : RunControl.none();
        return new RunControl() {
            @Override
            public RunCommand command() {
                return context.stopSignal().requested() ? RunCommand.STOP : stdinControl.command();
            }

            @Override
            public Optional<String> nextPreviewPrompt() {
                return stdinControl.nextPreviewPrompt();
            }
        };
    }

    /// A run steered by lines on standard input, as the window does: `pause`, `resume`, `stop`, and `generate PROMPT`
    /// for a picture from what is tuned by now. Its end means stop, so that a run does not outlive the window that
    /// started it.
    static final class StdinControl implements RunControl {
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
                for (String line = reader.readLine(); line != null && wish != RunCommand.STOP;
                        line = reader.readLine()) {
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
                case "" -> {}
                default -> terminal.printNote(
                        "Standard input: expected pause, resume, stop or generate PROMPT, found \"" + line + "\"");
            }
        }
    }
}
