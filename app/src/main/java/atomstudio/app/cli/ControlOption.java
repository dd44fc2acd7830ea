package atomstudio.app.cli;

import atomstudio.tuning.run.RunControl;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import picocli.CommandLine.Option;

/// Control of a run while it trains: by signals, and with `--control-stdin` by lines on standard input, which is not
/// read otherwise.
final class ControlOption {
    @Option(names = "--control-stdin",
            description = "Read commands from standard input, one per line: pause, resume, stop, generate PROMPT (an "
                    + "image from the current state). The end of the input means stop.")
    private boolean controlStdin;

    /// Ends the process at the end of standard input, like a signal: for a dry run, which the window must not outlive.
    void stopAtEndOfInput(CommandContext context) {
        if (controlStdin) readLines(System.in, context.terminal(), line -> {}, context.stopSignal()::raise);
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

    /// Reads lines on a daemon thread.
    private static void readLines(InputStream input, Terminal terminal, Consumer<String> onLine, Runnable onEnd) {
        Thread.ofPlatform().daemon().name("standard input").start(() -> {
            try (BufferedReader reader = new BufferedReader(new InputStreamReader(input, StandardCharsets.UTF_8))) {
                for (String line = reader.readLine(); line != null; line = reader.readLine())
                    onLine.accept(line.strip());
            } catch (IOException error) {
                terminal.printNote("Standard input cannot be read: " + error.getMessage());
            } finally {
                onEnd.run();
            }
        });
    }

    /// Control by lines on standard input. Its end means stop, so that a run ends with the window that started it.
    static final class StdinControl implements RunControl {
        private static final String GENERATE_PREFIX = "generate ";

        private final Terminal terminal;
        private final Queue<String> prompts = new ConcurrentLinkedQueue<>();
        private volatile RunCommand command = RunCommand.CONTINUE;

        private StdinControl(Terminal terminal) {
            this.terminal = terminal;
        }

        static StdinControl start(InputStream lines, Terminal terminal) {
            StdinControl control = new StdinControl(terminal);
            readLines(lines, terminal, control::handle, () -> control.command = RunCommand.STOP);
            return control;
        }

        @Override
        public RunCommand command() {
            return command;
        }

        @Override
        public Optional<String> nextPreviewPrompt() {
            return Optional.ofNullable(prompts.poll());
        }

        private void handle(String line) {
            if (command == RunCommand.STOP) return;
            if (line.startsWith(GENERATE_PREFIX)) {
                prompts.add(line.substring(GENERATE_PREFIX.length()).strip());
                return;
            }
            switch (line) {
                case "pause" -> command = RunCommand.PAUSE;
                case "resume" -> command = RunCommand.CONTINUE;
                case "stop" -> command = RunCommand.STOP;
                case "" -> {}
                default -> terminal.printNote(
                        "Standard input: expected pause, resume, stop or generate PROMPT, found \"" + line + "\"");
            }
        }
    }
}
