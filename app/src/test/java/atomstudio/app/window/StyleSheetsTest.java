package atomstudio.app.window;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import atomstudio.diffusion.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class StyleSheetsTest {
    private static final Pattern COLOUR = Pattern
            .compile("#[0-9a-fA-F]{3,8}\\b|rgba?\\(|hsb\\(|(?:color|fill|stroke): *(?!transparent)[a-z]+ *;");
    private static final Pattern SIZE = Pattern.compile("-fx-font-size: *([0-9.]+)px");

    private static List<Path> sheets() throws IOException {
        try (Stream<Path> files = Files.walk(Shared.root().resolve("app/src/main/resources/atomstudio/app"))) {
            return files.filter(file -> file.toString().endsWith(".css")).toList();
        }
    }

    @Test
    void colorsAreThemeTokens() throws Exception {
        List<String> found = new ArrayList<>();
        for (Path sheet : sheets()) {
            for (String line : Files.readAllLines(sheet))
                if (COLOUR.matcher(line).find()) found.add(sheet.getFileName() + ": " + line);
        }
        assertEquals(List.of(), found);
        assertFalse(sheets().isEmpty());
    }

    @Test
    void fontsAreAtLeast11Point5Pixels() throws Exception {
        List<String> small = new ArrayList<>();
        for (Path sheet : sheets()) {
            Matcher size = SIZE.matcher(Files.readString(sheet));
            while (size.find())
                if (Double.parseDouble(size.group(1)) < 11.5) small.add(sheet.getFileName() + ": " + size.group());
        }
        assertEquals(List.of(), small);
    }
}
