package atomstudio.app.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import com.google.gson.JsonParser;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TerminalTest {
    @TempDir
    Path folder;

    @Test
    void escapesControlCharacters() {
        StringWriter out = new StringWriter(), err = new StringWriter();
        Terminal terminal = Terminal.interactive(new PrintWriter(out, true), new PrintWriter(err, true), 60);
        terminal.printResult("name \u001b]0;title\u0007 \u009b2J\n  second line\tpart");
        terminal.printNote("\u001b[31mred \u202e");
        terminal.showStatus("\u001b[2J");
        assertEquals("name \\u001b]0;title\\u0007 \\u009b2J\n  second line\tpart" + System.lineSeparator(),
                out.toString());
        assertTrue(err.toString().startsWith("\\u001b[31mred \\u202e"), err.toString());
        assertTrue(err.toString().codePoints().noneMatch(code -> code == 0x1b || code == 0x202e), err.toString());
    }

    @Test
    void inspectEscapesControlCharactersInTextOnly() throws Exception {
        Path file = folder.resolve("ansi.safetensors");
        SafetensorsWriter.write(file,
                Map.of("t\u001b[5m", Tensor.zeros(Shape.of(2, 3, 4)), "other", Tensor.zeros(Shape.of(1))),
                Map.of("note", "\u001b]0;pwned\u0007\u009b2J"));
        CommandLineRun shown = CommandLineRun.of(folder, "inspect", file);
        assertEquals(ExitCode.SUCCESS, shown.exitCode());
        assertTrue(shown.out().contains("t\\u001b[5m F32 (2,3,4)")
                && shown.out().contains("\\u001b]0;pwned\\u0007\\u009b2J"), shown.out());
        CommandLineRun json = CommandLineRun.of(folder, "inspect", file, "--json");
        assertTrue(
                json.out().codePoints().noneMatch(code -> Character.isISOControl(code) && code != '\n' && code != '\r'),
                json.out());
        assertEquals("\u001b]0;pwned\u0007\u009b2J",
                JsonParser.parseString(json.out())
                        .getAsJsonObject()
                        .getAsJsonObject("metadata")
                        .get("note")
                        .getAsString());
    }
}
