package atomstudio.app.drawing;

import java.awt.geom.AffineTransform;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.fontbox.cff.Type2CharString;
import org.apache.fontbox.ttf.OTFParser;
import org.apache.fontbox.ttf.OpenTypeFont;
import org.apache.pdfbox.io.RandomAccessReadBuffer;

/// Text as shapes from the typeface Inter that ships with the program, read by FontBox: the system needs no font,
/// and the pixels are the same everywhere. What Inter lacks (CJK, emoji) is a box.
public final class BitmapFont {
    /// What a text is for: its weight and its size in pixels.
    public enum TextStyle {
        TITLE("SemiBold", 40), HEADING("SemiBold", 24), BODY("Regular", 20), SMALL("Regular", 17);

        private final String weight;
        private final int size;

        TextStyle(String weight, int size) {
            this.weight = weight;
            this.size = size;
        }
    }

    private static final String ELLIPSIS = "…";
    /// In parts of the size: from a line's top to its base line, and from one base line to the next.
    private static final double ASCENT = 0.95;
    private static final double LINE = 1.3;
    /// Font units in Inter's em.
    private static final int UNITS = 2048;

    private final Map<String, OpenTypeFont> fonts = new HashMap<>();

    private BitmapFont() {}

    public static BitmapFont load() {
        BitmapFont letters = new BitmapFont();
        for (TextStyle style : TextStyle.values()) letters.fonts.computeIfAbsent(style.weight, BitmapFont::font);
        return letters;
    }

    private static OpenTypeFont font(String weight) {
        String name = "/com/formdev/flatlaf/fonts/inter/Inter-" + weight + ".otf";
        try (InputStream file = Objects.requireNonNull(BitmapFont.class.getResourceAsStream(name), name)) {
            return new OTFParser().parse(new RandomAccessReadBuffer(file));
        } catch (IOException broken) {
            throw new UncheckedIOException(name, broken);
        }
    }

    /// From the top of a line to its base line.
    public int ascent(TextStyle style) {
        return (int) Math.round(ASCENT * style.size);
    }

    /// From one base line to the next.
    public int lineHeight(TextStyle style) {
        return (int) Math.round(LINE * style.size);
    }

    public int width(String text, TextStyle style) {
        return (int) Math.ceil(glyphs(text, style).stream().mapToInt(Type2CharString::getWidth).sum() * scale(style));
    }

    /// Draws one line.
    public void draw(PixelCanvas canvas, String text, TextStyle style, Pen pen) {
        double scale = scale(style);
        AffineTransform place = new AffineTransform(scale, 0, 0, -scale, pen.x, pen.baseline);
        for (Type2CharString glyph : glyphs(text, style)) {
            canvas.fill(place.createTransformedShape(glyph.getPath()), pen.rgb);
            place.translate(glyph.getWidth(), 0);
        }
    }

    /// Where the base line of a text starts, and its colour 0xRRGGBB.
    public record Pen(int x, int baseline, int rgb) {}

    /// Lines no wider than `width`, broken at spaces, words that are too long anywhere; what does not fit into `most`
    /// lines is an ellipsis.
    public List<String> wrap(String text, TextStyle style, int width, int maxLines) {
        List<String> lines = new ArrayList<>();
        String rest = text.strip().replaceAll("\\s+", " ");
        while (!rest.isEmpty()) {
            if (lines.size() == maxLines - 1) {
                lines.add(ellipsize(rest, style, width));
                return lines;
            }
            int end = breakIndex(rest, style, width);
            lines.add(rest.substring(0, end).stripTrailing());
            rest = rest.substring(end).stripLeading();
        }
        return lines;
    }

    /// The text, or as much of its beginning as fits with an ellipsis after it.
    public String ellipsize(String text, TextStyle style, int width) {
        if (width(text, style) <= width) return text;
        int end = text.length();
        while (end > 0 && width(text.substring(0, end).stripTrailing() + ELLIPSIS, style) > width)
            end = text.offsetByCodePoints(end, -1);
        return text.substring(0, end).stripTrailing() + ELLIPSIS;
    }

    private int breakIndex(String text, TextStyle style, int width) {
        if (width(text, style) <= width) return text.length();
        int last = 0;
        for (int space = text.indexOf(' '); space >= 0; space = text.indexOf(' ', space + 1)) {
            if (width(text.substring(0, space), style) > width) break;
            last = space;
        }
        if (last > 0) return last;
        int end = text.offsetByCodePoints(0, 1);
        while (end < text.length() && width(text.substring(0, text.offsetByCodePoints(end, 1)), style) <= width)
            end = text.offsetByCodePoints(end, 1);
        return end;
    }

    private List<Type2CharString> glyphs(String text, TextStyle style) {
        OpenTypeFont font = Objects.requireNonNull(fonts.get(style.weight));
        List<Type2CharString> glyphs = new ArrayList<>();
        try {
            String composed = Normalizer.normalize(text, Normalizer.Form.NFC);
            for (int code : composed.codePoints().filter(BitmapFont::isVisible).toArray()) {
                int glyph = font.getUnicodeCmapLookup().getGlyphId(Character.isWhitespace(code) ? ' ' : code);
                glyphs.add(font.getCFF().getFont().getType2CharString(glyph));
            }
            return glyphs;
        } catch (IOException broken) {
            throw new UncheckedIOException("the typeface Inter", broken);
        }
    }

    /// Marks that join or vary the letter before them take no room.
    private static boolean isVisible(int code) {
        return switch (Character.getType(code)) {
            case Character.NON_SPACING_MARK, Character.ENCLOSING_MARK, Character.FORMAT -> false;
            default -> true;
        };
    }

    /// Pixels of a font unit.
    private static double scale(TextStyle style) {
        return (double) style.size / UNITS;
    }
}
