package atomstudio.app.freedesktop;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The program's entry in the applications menu, by freedesktop.org's Desktop Entry specification.
public final class DesktopEntry {
    /// By this name docks know the program.
    public static final String FILE_NAME = "atom-studio.desktop";
    /// By the window's class they know which windows belong to the entry.
    public static final String WINDOW_CLASS = "AtomStudio";
    /// The icon's name in the theme.
    static final String ICON = "atom-studio";

    /// The entry of the packaged program, which starts a command on the `PATH`.
    private static final String RESOURCE = "/atomstudio/app/freedesktop/" + FILE_NAME;
    private static final Pattern EXEC = Pattern.compile("(?m)^Exec=.*$");
    /// Arguments of these characters need no quotes.
    private static final Pattern PLAIN = Pattern.compile("[\\w/.,:@+-]+");
    private static final Pattern QUOTED_CHARACTER = Pattern.compile("[\"`$\\\\]");

    private DesktopEntry() {}

    /// An entry that starts `program`.
    static String of(Path program) {
        return EXEC.matcher(template()).replaceFirst(Matcher.quoteReplacement("Exec=" + exec(program)));
    }

    private static String template() {
        try (InputStream stream = DesktopEntry.class.getResourceAsStream(RESOURCE)) {
            if (stream == null) throw new IllegalStateException(RESOURCE + " is missing from the class path");
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    /// A command line without arguments. `%` begins a field code, and is doubled. A program's name with `=` is not
    /// allowed, and GLib looks for the file of a name with `%%` as it stands: a shell starts these.
    private static String exec(Path program) {
        String path = program.toString();
        String command = path.contains("%") || path.contains("=")
                ? "/bin/sh -c " + quoted("exec \"$0\"") + " " + quoted(path.replace("%", "%%"))
                : quoted(path);
        return escaped(command);
    }

    private static String quoted(String argument) {
        return PLAIN.matcher(argument).matches() ? argument
                : '"' + QUOTED_CHARACTER.matcher(argument).replaceAll("\\\\$0") + '"';
    }

    /// A value of type string, which is unescaped before quotes are read.
    private static String escaped(String value) {
        return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r");
    }
}
