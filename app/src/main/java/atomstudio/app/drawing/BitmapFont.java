package atomstudio.app.drawing;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import java.awt.image.Raster;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.imageio.ImageIO;

/// Letters drawn once into an atlas (see `src/labels/make.py`), so that the sheet needs no font. What the atlas lacks
/// is an empty box.
public final class BitmapFont {
    /// What a text is for; each has its own size and weight in the atlas.
    public enum TextStyle { TITLE, HEADING, BODY, SMALL }

    private static final String ELLIPSIS = "…";
    private static final int MISSING_GLYPH = 0;

    /// A letter: its place in the atlas, its corner seen from the pen on the base line, how far the pen moves.
    private record Glyph(int x, int y, int width, int height, int left, int top, int advance) {}

    private record FontFace(int ascent, int descent, Map<Integer, Glyph> glyphs) {}

    /// A style as the file has it.
    private record StoredFace(int ascent, int descent, int[][] letters) {}

    private final Raster atlas;
    private final Map<TextStyle, FontFace> faces;

    private BitmapFont(Raster atlas, Map<TextStyle, FontFace> faces) {
        this.atlas = atlas;
        this.faces = faces;
    }

    public static BitmapFont load() {
        try (InputStream picture = resource("labels.png");
                Reader metrics = new InputStreamReader(resource("labels.json"), StandardCharsets.UTF_8)) {
            Gson gson = new Gson();
            JsonObject stored = gson.fromJson(metrics, JsonObject.class);
            Map<TextStyle, FontFace> faces = new EnumMap<>(TextStyle.class);
            for (TextStyle style : TextStyle.values()) {
                faces.put(style,
                        face(gson.fromJson(stored.get(style.name().toLowerCase(Locale.ROOT)), StoredFace.class)));
            }
            ImageIO.setUseCache(false);
            return new BitmapFont(ImageIO.read(picture).getRaster(), faces);
        } catch (IOException broken) {
            throw new UncheckedIOException("the program's letters", broken);
        }
    }

    private static InputStream resource(String name) {
        InputStream stream = BitmapFont.class.getResourceAsStream(name);
        if (stream == null) throw new IllegalStateException(name + " is missing from the class path");
        return stream;
    }

    private static FontFace face(StoredFace stored) {
        Map<Integer, Glyph> glyphs = new HashMap<>();
        for (int[] n : stored.letters) glyphs.put(n[0], new Glyph(n[1], n[2], n[3], n[4], n[5], n[6], n[7]));
        return new FontFace(stored.ascent, stored.descent, glyphs);
    }

    /// From the top of a line to its base line.
    public int ascent(TextStyle style) {
        return face(style).ascent;
    }

    /// From one base line to the next.
    public int lineHeight(TextStyle style) {
        return (int) Math.round((face(style).ascent + face(style).descent) * 1.1);
    }

    public int width(String text, TextStyle style) {
        int width = 0;
        for (Glyph glyph : glyphs(text, style)) width += glyph.advance;
        return width;
    }

    /// Draws one line; (x, baseline) is where the pen starts.
    public void draw(PixelCanvas canvas, String text, TextStyle style, Pen pen) {
        int x = pen.x;
        for (Glyph glyph : glyphs(text, style)) {
            for (int row = 0; row < glyph.height; row++) {
                for (int column = 0; column < glyph.width; column++) {
                    int coverage = atlas.getSample(glyph.x + column, glyph.y + row, 0);
                    canvas.blend(x + glyph.left + column, pen.baseline + glyph.top + row, pen.rgb, coverage);
                }
            }
            x += glyph.advance;
        }
    }

    /// Where a line starts, and its colour 0xRRGGBB.
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

    private List<Glyph> glyphs(String text, TextStyle style) {
        Map<Integer, Glyph> known = face(style).glyphs;
        List<Glyph> result = new ArrayList<>();
        Normalizer.normalize(text, Normalizer.Form.NFC).codePoints().filter(BitmapFont::isVisible).forEach(code -> {
            Glyph glyph = known.get(Character.isWhitespace(code) || code == 0xA0 ? ' ' : code);
            result.add(glyph == null ? known.get(MISSING_GLYPH) : glyph);
        });
        return result;
    }

    /// Marks that join or vary the letter before them take no room.
    private static boolean isVisible(int code) {
        return switch (Character.getType(code)) {
            case Character.NON_SPACING_MARK, Character.ENCLOSING_MARK, Character.FORMAT -> false;
            default -> true;
        };
    }

    private FontFace face(TextStyle style) {
        FontFace face = faces.get(style);
        if (face == null) throw new IllegalStateException("no letters for " + style);
        return face;
    }
}
