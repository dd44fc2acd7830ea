package atomstudio.app.cli;

import atomstudio.tuning.train.RunControl;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Optional;
import picocli.CommandLine.Option;

/// How a run that is going on can be steered: by signals, and by standard input if asked. Without `--control-stdin` it is never read.
final class ControlOption {
    @Option(names = "--control-stdin", description = "Read lines from standard input: pause, resume, stop, and generate PROMPT for a picture from what is tuned by now; its end means stop.")
    private boolean controlStdin;

    /// For what has no steps to stop at and leaves nothing behind: the end of standard input is a signal, should it be read at all, so that it does not
    /// outlive the window that asked for it.
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
            @Override public RunCommand command() {
                return context.stopSignal().requested() ? RunCommand.STOP : stdinControl.command();
            }

            @Override public Optional<String> nextPreviewPrompt() {
                return stdinControl.nextPreviewPrompt();
            }
        };
    }
}
