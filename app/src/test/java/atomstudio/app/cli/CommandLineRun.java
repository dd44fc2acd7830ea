package atomstudio.app.cli;

import atomstudio.app.runtime.Home;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Arrays;

/// Exit code and output of a command line that is run in the test's process.
record CommandLineRun(int exitCode, String out, String err) {
    static CommandLineRun of(Path home, Object... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        Terminal terminal = Terminal.plain(new PrintWriter(out), new PrintWriter(err));
        CommandContext context = new CommandContext(new Home(home), terminal, new StopSignal(terminal, code -> {}));
        String[] texts = Arrays.stream(arguments).map(Object::toString).toArray(String[]::new);
        return new CommandLineRun(Main.run(context, prepared -> {}, texts), out.toString(), err.toString());
    }
}
