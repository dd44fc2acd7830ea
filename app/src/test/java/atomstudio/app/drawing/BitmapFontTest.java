package atomstudio.app.drawing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.drawing.BitmapFont.Pen;
import atomstudio.app.drawing.BitmapFont.TextStyle;
import atomstudio.diffusion.image.RgbImage;
import java.util.List;
import org.junit.jupiter.api.Test;

class BitmapFontTest {
    private final BitmapFont font = BitmapFont.load();

    private RgbImage drawn(String text) {
        PixelCanvas canvas = new PixelCanvas(200, 40, 0xFFFFFF);
        font.draw(canvas, text, TextStyle.BODY, new Pen(4, 28, 0x000000));
        return canvas.image();
    }

    @Test
    void drawsDifferentCharactersDifferently() {
        for (String pair : List.of("ab", "Il", "0O", "éè", "яш", "αω"))
            assertNotEquals(drawn(pair.substring(0, 1)), drawn(pair.substring(1)), pair);
        assertEquals(RgbImage.filled(200, 40, 0xFFFFFF), drawn("   "));
    }

    @Test
    void hasEveryCharacterOfTheSheet() {
        RgbImage missing = drawn("\uFFFF");
        String used = "Base model Atoms + channels LoRA 0123456789,.:;·×–…“”'()%/{}?!éüßñçøåÉ";
        for (int i = 0; i < used.length(); i++) {
            assertNotEquals(missing, drawn(used.substring(i, i + 1)), used.substring(i, i + 1));
        }
    }

    @Test
    void missingCharactersAreBoxesAndCombiningMarksHaveNoWidth() {
        assertEquals(drawn("雪"), drawn("\uFFFF"));
        assertEquals(drawn("\uD83D\uDE97"), drawn("雪"), "an emoji is one character");
        assertEquals(font.width("雪", TextStyle.BODY), font.width("雪\uFE0F\u200D", TextStyle.BODY));
        assertEquals(drawn("é"), drawn("e\u0301"));
    }

    @Test
    void wrapsAtSpaces() {
        List<String> lines = font.wrap("a sks car in the snow with  a very\nlong caption", TextStyle.BODY, 150, 9);
        assertEquals("a sks car in the snow with a very long caption", String.join(" ", lines));
        assertTrue(lines.size() > 2, lines.toString());
        for (String line : lines) assertTrue(font.width(line, TextStyle.BODY) <= 150, line);
    }

    @Test
    void shortensWithAnEllipsis() {
        List<String> lines = font.wrap("one two three four five six seven eight nine ten", TextStyle.BODY, 100, 2);
        assertEquals(2, lines.size());
        assertTrue(lines.getLast().endsWith("…") && font.width(lines.getLast(), TextStyle.BODY) <= 100,
                lines.toString());
    }

    @Test
    void breaksWordsLongerThanALine() {
        List<String> lines = font.wrap("Donaudampfschifffahrtsgesellschaft", TextStyle.BODY, 100, 9);
        assertEquals("Donaudampfschifffahrtsgesellschaft", String.join("", lines));
        assertEquals(List.of(), font.wrap("  ", TextStyle.BODY, 100, 3));
    }
}
