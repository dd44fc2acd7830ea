package atomstudio.app.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.compare.Comparison.ComparisonRow;
import atomstudio.diffusion.Failure;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ComparisonTest {
    private final Comparison comparison = ComparisonExamples.comparison(List.of("a {} in the snow", "<snow> & {}, {}"),
            List.of(0L, 1L));

    @Test
    void theFileHasTheNamesThatScriptsRelyOn() {
        JsonObject json = JsonParser.parseString(comparison.toJson()).getAsJsonObject();
        assertEquals(List.of("model", "class", "token", "prompts", "seeds", "rows"), List.copyOf(json.keySet()));
        assertEquals("car", json.get("class").getAsString());
        assertEquals("a {} in the snow", json.getAsJsonArray("prompts").get(0).getAsString());
        assertEquals(1, json.getAsJsonArray("seeds").get(1).getAsInt());
        JsonObject atoms = json.getAsJsonArray("rows").get(1).getAsJsonObject();
        assertEquals(JsonParser.parseString(
                "{\"name\":\"atoms\",\"run\":\"runs/atoms\",\"numbers\":2268,\"bytes\":11234,\"seconds\":38.25,"
                        + "\"encoder\":null,\"likeness\":null,\"diversity\":null,\"alignment\":null}"),
                atoms);
        JsonObject measured = JsonParser.parseString(ComparisonExamples.measured(comparison).toJson())
                .getAsJsonObject()
                .getAsJsonArray("rows")
                .get(1)
                .getAsJsonObject();
        assertEquals(0.456, measured.get("likeness").getAsDouble());
        assertEquals(0.06, measured.get("diversity").getAsDouble());
        assertTrue(measured.get("alignment").isJsonNull(), "absent is null and never a number");
        assertEquals("image_encoder of Small", measured.get("encoder").getAsString());
        JsonObject base = json.getAsJsonArray("rows").get(0).getAsJsonObject();
        assertEquals("base", base.get("name").getAsString());
        assertTrue(base.get("run").isJsonNull());
        assertEquals(0, base.get("numbers").getAsInt());
    }

    @Test
    void readsBackWhatItWrote(@TempDir Path folder) throws IOException, Failure {
        Files.writeString(folder.resolve(Comparison.FILE), comparison.toJson());
        assertEquals(comparison, Comparison.read(folder));
        Comparison measured = ComparisonExamples.measured(comparison);
        Files.writeString(folder.resolve(Comparison.FILE), measured.toJson());
        assertEquals(measured, Comparison.read(folder));
    }

    @Test
    void readsTheFileOfAVersionWithoutMeasures(@TempDir Path folder) throws IOException, Failure {
        String old = comparison.toJson().replaceAll(",\\s*\"(encoder|likeness|diversity|alignment)\": null", "");
        assertFalse(old.contains("likeness"), old);
        Files.writeString(folder.resolve(Comparison.FILE), old);
        assertEquals(comparison, Comparison.read(folder));
    }

    @Test
    void refusesAFileThatIsNoComparison(@TempDir Path folder) throws IOException {
        for (String content : new String[] {"", "{}", "[1]", "no JSON", "{\"class\": 3, \"prompts\": 4}"}) {
            Files.writeString(folder.resolve(Comparison.FILE), content);
            assertTrue(assertThrows(Failure.Unreadable.class, () -> Comparison.read(folder), content).getMessage()
                    .contains("compare.json"));
        }
    }

    @Test
    void theSubjectIsNamedByTokenAndClassExceptForBase() {
        ComparisonRow base = comparison.rows().get(0);
        ComparisonRow atoms = comparison.rows().get(1);
        assertEquals("a car in the snow", comparison.prompt(base, 0));
        assertEquals("a sks car in the snow", comparison.prompt(atoms, 0));
        assertEquals("<snow> & sks car, sks car", comparison.prompt(atoms, 1));
        assertEquals("pictures/atoms/1-7.png", Comparison.imagePath(atoms, 1, 7));
    }

    @Test
    void measuresAreShownTogetherWithTheirEncoderOrNotAtAll() {
        Comparison measured = ComparisonExamples.measured(comparison);
        assertEquals(List.of("likeness 0.46", "diversity 0.06", "alignment –"),
                ComparisonText.metrics(measured.rows().get(1)));
        assertTrue(ComparisonText.metricsNote(measured).contains("image_encoder of Small"),
                ComparisonText.metricsNote(measured));
        assertEquals(List.of(), ComparisonText.metrics(comparison.rows().get(1)));
        assertEquals(ComparisonText.NO_METRICS, ComparisonText.metricsNote(comparison));
        assertEquals("a car in the snow", comparison.classPrompt(0), "what every row is held against");
    }

    @Test
    void costsReadLikeAPersonWouldSayThem() {
        assertEquals("Atoms + channels 2",
                ComparisonText.rowTitle(new ComparisonRow("atoms+channels-2", "r", 1, 1, 1)));
        assertEquals("Filter atoms + word 2",
                ComparisonText.rowTitle(new ComparisonRow("atoms+textual-inversion-2", "r", 1, 1, 1)));
        assertEquals("Atoms + channels + word + text encoder", ComparisonText
                .rowTitle(new ComparisonRow("atoms+channels+textual-inversion+text-encoder", "r", 1, 1, 1)));
        assertEquals("later-method", ComparisonText.rowTitle(new ComparisonRow("later-method", "r", 1, 1, 1)),
                "of a newer version");
        assertEquals("Textual inversion 3",
                ComparisonText.rowTitle(new ComparisonRow("textual-inversion-3", "r", 1, 1, 1)),
                "a method's own hyphen is no repeat");
        assertEquals(List.of("Base", "Filter atoms", "LoRA"),
                comparison.rows().stream().map(ComparisonText::rowTitle).toList());
        assertEquals("2,268 parameters", ComparisonText.parameters(comparison.rows().get(1)));
    }
}
