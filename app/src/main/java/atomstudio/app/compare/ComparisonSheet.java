package atomstudio.app.compare;

import atomstudio.app.compare.Comparison.ComparisonRow;
import atomstudio.app.compare.ComparisonSheet.SheetLayout.PromptColumns;
import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.drawing.BitmapFont;
import atomstudio.app.drawing.BitmapFont.Pen;
import atomstudio.app.drawing.BitmapFont.TextStyle;
import atomstudio.app.drawing.PixelCanvas;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.RgbImage;
import java.awt.Point;
import java.awt.Rectangle;
import java.util.ArrayList;
import java.util.List;

/// Draws a comparison as one image: the training photos on top, a row for the base model and each run, a column for
/// each prompt and seed. Needs no display and no system font.
public final class ComparisonSheet {
    private static final int BACKGROUND = 0xFFFFFF;
    private static final int FOREGROUND = 0x1F2328;
    private static final int MUTED = 0x59636E;
    private static final int LINE = 0xDDE2E8;

    private static final int MARGIN = 48;
    private static final int ROW_HEADER_WIDTH = 272;
    private static final int SEED_GAP = 8;
    private static final int PROMPT_GAP = 28;
    private static final int ROW_GAP = 32;
    private static final int CORNER_RADIUS = 8;
    private static final int THUMBNAIL_SIDE = 96;
    private static final int MAX_THUMBNAILS = 8;
    private static final int CAPTION_LINES = 4;
    private static final int MIN_WIDTH = 1180;
    /// Total width of the columns, and the limits of an image's width.
    private static final int COLUMNS_WIDTH = 1440;
    private static final int MIN_TILE = 160;
    private static final int MAX_TILE = 288;

    private final BitmapFont font = BitmapFont.load();
    private final Comparison.ReportContent content;
    private final Comparison.ImageLookup images;
    private final SheetLayout layout;
    private final int tile;
    private final int tileHeight;
    private final int width;

    private ComparisonSheet(Comparison.ReportContent content, Comparison.ImageLookup images) throws Failure {
        this.content = content;
        this.images = images;
        this.layout = SheetLayout.of(content.comparison());
        this.tile = Math.clamp(COLUMNS_WIDTH / layout.columns(), MIN_TILE, MAX_TILE);
        RgbImage first = images.load(rows().getFirst(), 0, content.comparison().seeds().getFirst());
        this.tileHeight = Math.max(1, Math.round((float) tile * first.height() / first.width()));
        int gaps = SEED_GAP * (layout.columns() - layout.spans()) + PROMPT_GAP * (layout.spans() - 1);
        this.width = Math.max(MIN_WIDTH, 2 * MARGIN + ROW_HEADER_WIDTH + layout.columns() * tile + gaps);
    }

    /// All images have the size of the first.
    public static RgbImage draw(Comparison.ReportContent content, Comparison.ImageLookup images) throws Failure {
        ComparisonSheet sheet = new ComparisonSheet(content, images);
        PixelCanvas canvas = new PixelCanvas(sheet.width, sheet.height(), BACKGROUND);
        int y = sheet.drawHeader(canvas);
        for (List<PromptColumns> band : sheet.layout.bands()) y = sheet.drawBand(canvas, band, y);
        sheet.drawFooter(canvas, y);
        return canvas.image();
    }

    private List<ComparisonRow> rows() {
        return content.comparison().rows();
    }

    private int height() {
        int height = headerHeight();
        for (List<PromptColumns> band : layout.bands())
            height += captionHeight(band) + rows().size() * (rowHeight() + ROW_GAP) + ROW_GAP;
        return height + font.lineHeight(TextStyle.SMALL) * footnotes().size() + MARGIN - ROW_GAP / 2;
    }

    private int headerHeight() {
        return MARGIN + font.lineHeight(TextStyle.SMALL) + 6 + THUMBNAIL_SIDE + ROW_GAP;
    }

    private int rowHeight() {
        int text = rows().stream()
                .mapToInt(row -> titleLines(row).size() * font.lineHeight(TextStyle.HEADING)
                        + facts(row).size() * font.lineHeight(TextStyle.BODY))
                .max()
                .orElse(0);
        return Math.max(tileHeight, text);
    }

    private int drawHeader(PixelCanvas canvas) {
        List<RgbImage> photos = content.photos();
        int shown = Math.min(photos.size(), MAX_THUMBNAILS);
        int left = width - MARGIN - shown * THUMBNAIL_SIDE - Math.max(0, shown - 1) * SEED_GAP;
        int top = MARGIN + font.lineHeight(TextStyle.SMALL) + 6;
        String count = "Trained on " + ComparisonText.photos(photos.size())
                + (shown < photos.size() ? ", the first " + shown : "");
        int label = Math.min(left, width - MARGIN - font.width(count, TextStyle.SMALL));
        if (shown > 0)
            drawText(canvas, TextStyle.SMALL, count, new Pen(label, MARGIN + font.ascent(TextStyle.SMALL) - 4, MUTED));
        for (int i = 0; i < shown; i++)
            canvas.image(photos.get(i).centerSquare(THUMBNAIL_SIDE),
                    new Point(left + i * (THUMBNAIL_SIDE + SEED_GAP), top), CORNER_RADIUS);

        int maxWidth = left - PROMPT_GAP - MARGIN;
        Comparison comparison = content.comparison();
        int baseline = MARGIN + font.ascent(TextStyle.TITLE);
        drawText(canvas, TextStyle.TITLE,
                font.ellipsize(comparison.token() + " " + comparison.className(), TextStyle.TITLE, maxWidth),
                new Pen(MARGIN, baseline, FOREGROUND));
        baseline += font.lineHeight(TextStyle.BODY) + 12;
        for (String line : font.wrap(content.details(), TextStyle.BODY, maxWidth, 3)) {
            drawText(canvas, TextStyle.BODY, line, new Pen(MARGIN, baseline, MUTED));
            baseline += font.lineHeight(TextStyle.BODY);
        }
        return headerHeight();
    }

    private int captionHeight(List<PromptColumns> band) {
        int lines = 1;
        for (PromptColumns span : band) lines = Math.max(lines, captionLines(span).size());
        return ROW_GAP / 2 + lines * font.lineHeight(TextStyle.BODY) + font.lineHeight(TextStyle.SMALL) + 12;
    }

    private List<String> captionLines(PromptColumns span) {
        Comparison comparison = content.comparison();
        return font.wrap(comparison.caption(span.prompt()), TextStyle.BODY, spanWidth(span), CAPTION_LINES);
    }

    private int spanWidth(PromptColumns span) {
        return span.seeds().size() * (tile + SEED_GAP) - SEED_GAP;
    }

    private int drawBand(PixelCanvas canvas, List<PromptColumns> band, int top) throws Failure {
        int y = top + captionHeight(band);
        drawCaptions(canvas, band, y);
        for (ComparisonRow row : rows()) {
            canvas.fill(new Rectangle(MARGIN, y, width - 2 * MARGIN, 1), LINE);
            y += ROW_GAP / 2;
            drawRowHeader(canvas, row, y);
            int x = MARGIN + ROW_HEADER_WIDTH;
            for (PromptColumns span : band) {
                for (long seed : span.seeds()) {
                    canvas.image(images.load(row, span.prompt(), seed).resize(tile, tileHeight), new Point(x, y),
                            CORNER_RADIUS);
                    x += tile + SEED_GAP;
                }
                x += PROMPT_GAP - SEED_GAP;
            }
            y += rowHeight() + ROW_GAP / 2;
        }
        return y + ROW_GAP;
    }

    /// Prompts are aligned above the line of seeds.
    private void drawCaptions(PixelCanvas canvas, List<PromptColumns> band, int bottom) {
        int seedLine = bottom - 12 - (font.lineHeight(TextStyle.SMALL) - font.ascent(TextStyle.SMALL));
        int x = MARGIN + ROW_HEADER_WIDTH;
        for (PromptColumns span : band) {
            List<String> lines = captionLines(span);
            int baseline = seedLine - font.lineHeight(TextStyle.SMALL) - 2
                    - (lines.size() - 1) * font.lineHeight(TextStyle.BODY);
            for (String line : lines) {
                drawText(canvas, TextStyle.BODY, line, new Pen(x, baseline, FOREGROUND));
                baseline += font.lineHeight(TextStyle.BODY);
            }
            for (long seed : span.seeds()) {
                drawText(canvas, TextStyle.SMALL, font.ellipsize("seed " + seed, TextStyle.SMALL, tile),
                        new Pen(x, seedLine, MUTED));
                x += tile + SEED_GAP;
            }
            x += PROMPT_GAP - SEED_GAP;
        }
    }

    private void drawRowHeader(PixelCanvas canvas, ComparisonRow row, int top) {
        int baseline = top + font.ascent(TextStyle.HEADING) - 2;
        for (String line : titleLines(row)) {
            drawText(canvas, TextStyle.HEADING, line, new Pen(MARGIN, baseline, FOREGROUND));
            baseline += font.lineHeight(TextStyle.HEADING);
        }
        for (String line : facts(row)) {
            drawText(canvas, TextStyle.BODY, font.ellipsize(line, TextStyle.BODY, ROW_HEADER_WIDTH - PROMPT_GAP),
                    new Pen(MARGIN, baseline, MUTED));
            baseline += font.lineHeight(TextStyle.BODY);
        }
    }

    private List<String> titleLines(ComparisonRow row) {
        return font.wrap(ComparisonText.rowTitle(row), TextStyle.HEADING, ROW_HEADER_WIDTH - PROMPT_GAP, 2);
    }

    /// Cost and metrics of a row.
    private static List<String> facts(ComparisonRow row) {
        List<String> facts = new ArrayList<>(List.of(ComparisonText.parameters(row)));
        if (row.bytes() > 0) facts.add(DisplayFormat.bytes(row.bytes()) + " adapter");
        if (row.seconds() > 0) facts.add(DisplayFormat.duration(row.seconds()) + " training");
        facts.addAll(ComparisonText.metrics(row));
        facts.removeIf(String::isEmpty);
        return facts;
    }

    private List<String> footnotes() {
        Comparison comparison = content.comparison();
        String notes = "Images in a column share prompt, seed and noise. " + ComparisonText.promptNote(comparison) + " "
                + (layout.omittedPrompts() > 0 ? layout.omittedPrompts() + " more prompts are in index.html. " : "")
                + ComparisonText.metricsNote(comparison) + " " + content.software();
        return font.wrap(notes, TextStyle.SMALL, width - 2 * MARGIN, 6);
    }

    private void drawFooter(PixelCanvas canvas, int top) {
        int baseline = top - ROW_GAP + font.ascent(TextStyle.SMALL) + 4;
        for (String line : footnotes()) {
            drawText(canvas, TextStyle.SMALL, line, new Pen(MARGIN, baseline, MUTED));
            baseline += font.lineHeight(TextStyle.SMALL);
        }
    }

    private void drawText(PixelCanvas canvas, TextStyle style, String line, Pen pen) {
        font.draw(canvas, line, style, pen);
    }

    /// Layout of the columns: prompts side by side, seeds within a prompt, and a new band below when a band is full.
    /// @param omittedPrompts prompts beyond the sheet's columns; the page shows all
    record SheetLayout(List<List<PromptColumns>> bands, int omittedPrompts) {
        /// Columns of a band.
        static final int MAX_COLUMNS_PER_BAND = 10;
        /// Columns of a sheet.
        private static final int MAX_COLUMNS = 120;

        SheetLayout {
            bands = bands.stream().map(List::copyOf).toList();
        }

        /// Adjacent columns of one prompt.
        record PromptColumns(int prompt, List<Long> seeds) {}

        static SheetLayout of(Comparison comparison) {
            List<List<Long>> seedGroups = split(comparison.seeds());
            int prompts = Math.min(comparison.prompts().size(), Math.max(1, MAX_COLUMNS / comparison.seeds().size()));
            List<PromptColumns> spans = new ArrayList<>();
            for (int prompt = 0; prompt < prompts; prompt++) {
                for (List<Long> seeds : seedGroups) spans.add(new PromptColumns(prompt, seeds));
            }
            int groupsPerBand = Math.max(1, MAX_COLUMNS_PER_BAND / seedGroups.getFirst().size());
            return new SheetLayout(split(spans, groupsPerBand), comparison.prompts().size() - prompts);
        }

        /// Columns of the widest band.
        int columns() {
            return bands.stream()
                    .mapToInt(band -> band.stream().mapToInt(span -> span.seeds().size()).sum())
                    .max()
                    .orElse(1);
        }

        /// Prompts side by side in the widest band.
        int spans() {
            return bands.stream().mapToInt(List::size).max().orElse(1);
        }

        private static List<List<Long>> split(List<Long> seeds) {
            return split(seeds, MAX_COLUMNS_PER_BAND);
        }

        /// Splits a list into the fewest parts of at most `maxSize`, of nearly equal size.
        private static <T> List<List<T>> split(List<T> all, int maxSize) {
            int count = Math.ceilDiv(all.size(), maxSize);
            List<List<T>> parts = new ArrayList<>();
            for (int i = 0; i < count; i++)
                parts.add(all.subList(all.size() * i / count, all.size() * (i + 1) / count));
            return parts;
        }
    }
}
