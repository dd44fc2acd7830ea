package atomstudio.app.cli;

import atomstudio.tuning.train.Control;
import java.util.Optional;
import picocli.CommandLine.Option;

/// How a run that is going on can be steered: by signals, and by standard input if asked. Without `--control-stdin` it is never read.
final class SteeringOption {
    @Option(names = "--control-stdin", description = "Read lines from standard input: pause, resume, stop, and generate PROMPT for a picture from what is tuned by now; its end means stop.")
    private boolean controlStdin;

    Control control(Studio studio) {
        Control lines = controlStdin ? StandardInput.follow(System.in, studio.terminal()) : Control.none();
        return new Control() {
            @Override public Wish wish() {
                return studio.stop().requested() ? Wish.STOP : lines.wish();
            }

            @Override public Optional<String> prompt() {
                return lines.prompt();
            }
        };
    }
}
