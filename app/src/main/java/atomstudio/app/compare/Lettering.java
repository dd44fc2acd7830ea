package atomstudio.app.compare;

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

/// Letters drawn once into an atlas (see `src/labels/make.py`), so that the sheet needs no font. What the atlas lacks is an empty box.
public final class Lettering {
    /// What a text is for; each has its own size and weight in the atlas.
    public enum Style { TITLE, HEADING, BODY, SMALL }

    private static final String ELLIPSIS = "…";
    private static final int MISSING = 0;

    /// A letter: its place in the atlas, its corner seen from the pen on the base line, how far the pen moves.
    private record Letter(int x, int y, int width, int height, int left, int top, int advance) {}

    private record Face(int ascent, int descent, Map<Integer, Letter> letters) {}

    /// A style as the file has it.
    private record Stored(int ascent, int descent, int[][] letters) {}

    private final Raster atlas;
    private final Map<Style, Face> faces;

    private Lettering(Raster atlas, Map<Style, Face> faces) {
        this.atlas = atlas;
        this.faces = faces;
    }

    public static Lettering load() {
        try (InputStream picture = resource("labels.png"); Reader metrics = new InputStreamReader(resource("labels.json"), StandardCharsets.UTF_8)) {
            Gson gson = new Gson();
            JsonObject stored = gson.fromJson(metrics, JsonObject.class);
            Map<Style, Face> faces = new EnumMap<>(Style.class);
            for (Style style : Style.values()) {
                faces.put(style, face(gson.fromJson(stored.get(style.name().toLowerCase(Locale.ROOT)), Stored.class)));
            }
            ImageIO.setUseCache(false);
            return new Lettering(ImageIO.read(picture).getRaster(), faces);
        } catch (IOException broken) {
            throw new UncheckedIOException("the program's letters", broken);
        }
    }

    private static InputStream resource(String name) {
        InputStream stream = Lettering.class.getResourceAsStream(name);
        if (stream == null) throw new IllegalStateException(name + " is missing from the class path");
        return stream;
    }

    private static Face face(Stored stored) {
        Map<Integer, Letter> letters = new HashMap<>();
        for (int[] n : stored.letters) letters.put(n[0], new Letter(n[1], n[2], n[3], n[4], n[5], n[6], n[7]));
        return new Face(stored.ascent, stored.descent, letters);
    }

    /// From the top of a line to its base line.
    public int ascent(Style style) {
        return face(style).ascent;
    }

    /// From one base line to the next.
    public int lineHeight(Style style) {
        return (int) Math.round((face(style).ascent + face(style).descent) * 1.1);
    }

    public int width(String text, Style style) {
        int width = 0;
        for (Letter letter : letters(text, style)) width += letter.advance;
        return width;
    }

    /// Draws one line; (x, baseline) is where the pen starts.
    public void draw(Canvas canvas, String text, Style style, Pen pen) {
        int x = pen.x;
        for (Letter letter : letters(text, style)) {
            for (int row = 0; row < letter.height; row++) {
                for (int column = 0; column < letter.width; column++) {
                    int coverage = atlas.getSample(letter.x + column, letter.y + row, 0);
                    canvas.blend(x + letter.left + column, pen.baseline + letter.top + row, pen.rgb, coverage);
                }
            }
            x += letter.advance;
        }
    }

    /// Where a line starts, and its colour 0xRRGGBB.
    public record Pen(int x, int baseline, int rgb) {}

    /// Lines no wider than `width`, broken at spaces, words that are too long anywhere; what does not fit into `most` lines is an ellipsis.
    public List<String> wrap(String text, Style style, int width, int most) {
        List<String> lines = new ArrayList<>();
        String rest = text.strip().replaceAll("\\s+", " ");
        while (!rest.isEmpty()) {
            if (lines.size() == most - 1) {
                lines.add(fit(rest, style, width));
                return lines;
            }
            int end = breakAt(rest, style, width);
            lines.add(rest.substring(0, end).stripTrailing());
            rest = rest.substring(end).stripLeading();
        }
        return lines;
    }

    /// The text, or as much of its beginning as fits with an ellipsis after it.
    public String fit(String text, Style style, int width) {
        if (width(text, style) <= width) return text;
        int end = text.length();
        while (end > 0 && width(text.substring(0, end).stripTrailing() + ELLIPSIS, style) > width) end = text.offsetByCodePoints(end, -1);
        return text.substring(0, end).stripTrailing() + ELLIPSIS;
    }

    private int breakAt(String text, Style style, int width) {
        if (width(text, style) <= width) return text.length();
        int last = 0;
        for (int space = text.indexOf(' '); space >= 0; space = text.indexOf(' ', space + 1)) {
            if (width(text.substring(0, space), style) > width) break;
            last = space;
        }
        if (last > 0) return last;
        int end = text.offsetByCodePoints(0, 1);
        while (end < text.length() && width(text.substring(0, text.offsetByCodePoints(end, 1)), style) <= width) end = text.offsetByCodePoints(end, 1);
        return end;
    }

    private List<Letter> letters(String text, Style style) {
        Map<Integer, Letter> known = face(style).letters;
        List<Letter> letters = new ArrayList<>();
        Normalizer.normalize(text, Normalizer.Form.NFC).codePoints().filter(Lettering::visible).forEach(code -> {
            Letter letter = known.get(Character.isWhitespace(code) || code == 0xA0 ? ' ' : code);
            letters.add(letter == null ? known.get(MISSING) : letter);
        });
        return letters;
    }

    /// Marks that join or vary the letter before them take no room.
    private static boolean visible(int code) {
        return switch (Character.getType(code)) {
            case Character.NON_SPACING_MARK, Character.ENCLOSING_MARK, Character.FORMAT -> false;
            default -> true;
        };
    }

    private Face face(Style style) {
        Face face = faces.get(style);
        if (face == null) throw new IllegalStateException("no letters for " + style);
        return face;
    }
}
