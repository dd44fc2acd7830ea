package atomstudio.app.compare;

import atomstudio.app.compare.Bands.Span;
import atomstudio.app.compare.Canvas.Box;
import atomstudio.app.compare.Comparison.Row;
import atomstudio.app.compare.Lettering.Pen;
import atomstudio.app.compare.Lettering.Style;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.picture.Picture;
import java.util.ArrayList;
import java.util.List;

/// Draws a comparison as one picture: the subject on top, a row each for Base and the runs, a column each for prompt and seed.
/// Needs neither a display nor a font.
final class Sheet {
    private static final int PAPER = 0xFFFFFF;
    private static final int INK = 0x1F2328;
    private static final int MUTED = 0x59636E;
    private static final int LINE = 0xDDE2E8;

    private static final int MARGIN = 48;
    private static final int HEAD = 272;
    private static final int SEED_GAP = 8;
    private static final int PROMPT_GAP = 28;
    private static final int ROW_GAP = 32;
    private static final int ROUND = 8;
    private static final int THUMB = 96;
    private static final int MOST_THUMBS = 8;
    private static final int CAPTION_LINES = 4;
    private static final int LEAST_WIDTH = 1180;
    /// Width that the columns share, and the limits of a picture's side.
    private static final int COLUMNS_WIDTH = 1440;
    private static final int LEAST_TILE = 160;
    private static final int MOST_TILE = 288;

    private final Lettering letters = Lettering.load();
    private final Showing showing;
    private final Gallery gallery;
    private final Bands bands;
    private final int tile;
    private final int tileHeight;
    private final int width;

    private Sheet(Showing showing, Gallery gallery) throws Failure {
        this.showing = showing;
        this.gallery = gallery;
        this.bands = Bands.of(showing.comparison());
        this.tile = Math.clamp(COLUMNS_WIDTH / bands.columns(), LEAST_TILE, MOST_TILE);
        Picture first = gallery.picture(rows().getFirst(), 0, showing.comparison().seeds().getFirst());
        this.tileHeight = Math.max(1, Math.round((float) tile * first.height() / first.width()));
        int gaps = SEED_GAP * (bands.columns() - bands.spans()) + PROMPT_GAP * (bands.spans() - 1);
        this.width = Math.max(LEAST_WIDTH, 2 * MARGIN + HEAD + bands.columns() * tile + gaps);
    }

    /// All pictures have the size of the first.
    static Picture draw(Showing showing, Gallery gallery) throws Failure {
        Sheet sheet = new Sheet(showing, gallery);
        Canvas canvas = new Canvas(sheet.width, sheet.height(), PAPER);
        int y = sheet.header(canvas);
        for (List<Span> band : sheet.bands.bands()) y = sheet.band(canvas, band, y);
        sheet.footer(canvas, y);
        return canvas.picture();
    }

    private List<Row> rows() {
        return showing.comparison().rows();
    }

    private int height() {
        int height = headerHeight();
        for (List<Span> band : bands.bands()) height += captionHeight(band) + rows().size() * (rowHeight() + ROW_GAP) + ROW_GAP;
        return height + letters.lineHeight(Style.SMALL) * footnotes().size() + MARGIN - ROW_GAP / 2;
    }

    private int headerHeight() {
        return MARGIN + letters.lineHeight(Style.SMALL) + 6 + THUMB + ROW_GAP;
    }

    private int rowHeight() {
        int text = rows().stream().mapToInt(row -> title(row).size() * letters.lineHeight(Style.HEADING) + facts(row).size() * letters.lineHeight(Style.BODY)).max().orElse(0);
        return Math.max(tileHeight, text);
    }

    private int header(Canvas canvas) {
        List<Picture> subject = showing.subject();
        int shown = Math.min(subject.size(), MOST_THUMBS);
        int left = width - MARGIN - shown * THUMB - Math.max(0, shown - 1) * SEED_GAP;
        int top = MARGIN + letters.lineHeight(Style.SMALL) + 6;
        String count = "Trained on " + Words.photos(subject.size()) + (shown < subject.size() ? ", the first " + shown : "");
        int label = Math.min(left, width - MARGIN - letters.width(count, Style.SMALL));
        if (shown > 0) text(canvas, Style.SMALL, count, new Pen(label, MARGIN + letters.ascent(Style.SMALL) - 4, MUTED));
        for (int i = 0; i < shown; i++) canvas.picture(subject.get(i).square(THUMB), left + i * (THUMB + SEED_GAP), top, ROUND);

        int room = left - PROMPT_GAP - MARGIN;
        Comparison comparison = showing.comparison();
        int baseline = MARGIN + letters.ascent(Style.TITLE);
        text(canvas, Style.TITLE, letters.fit(comparison.token() + " " + comparison.className(), Style.TITLE, room), new Pen(MARGIN, baseline, INK));
        baseline += letters.lineHeight(Style.BODY) + 12;
        for (String line : letters.wrap(showing.details(), Style.BODY, room, 3)) {
            text(canvas, Style.BODY, line, new Pen(MARGIN, baseline, MUTED));
            baseline += letters.lineHeight(Style.BODY);
        }
        return headerHeight();
    }

    private int captionHeight(List<Span> band) {
        int lines = 1;
        for (Span span : band) lines = Math.max(lines, caption(span).size());
        return ROW_GAP / 2 + lines * letters.lineHeight(Style.BODY) + letters.lineHeight(Style.SMALL) + 12;
    }

    private List<String> caption(Span span) {
        Comparison comparison = showing.comparison();
        Row tuned = rows().getLast();
        return letters.wrap(comparison.prompt(tuned, span.prompt()), Style.BODY, spanWidth(span), CAPTION_LINES);
    }

    private int spanWidth(Span span) {
        return span.seeds().size() * (tile + SEED_GAP) - SEED_GAP;
    }

    private int band(Canvas canvas, List<Span> band, int top) throws Failure {
        int y = top + captionHeight(band);
        captions(canvas, band, y);
        for (Row row : rows()) {
            canvas.fill(new Box(MARGIN, y, width - 2 * MARGIN, 1), LINE);
            y += ROW_GAP / 2;
            head(canvas, row, y);
            int x = MARGIN + HEAD;
            for (Span span : band) {
                for (long seed : span.seeds()) {
                    canvas.picture(gallery.picture(row, span.prompt(), seed).resize(tile, tileHeight), x, y, ROUND);
                    x += tile + SEED_GAP;
                }
                x += PROMPT_GAP - SEED_GAP;
            }
            y += rowHeight() + ROW_GAP / 2;
        }
        return y + ROW_GAP;
    }

    /// Prompts stand on one line above the seeds, whatever their length.
    private void captions(Canvas canvas, List<Span> band, int bottom) {
        int seedLine = bottom - 12 - (letters.lineHeight(Style.SMALL) - letters.ascent(Style.SMALL));
        int x = MARGIN + HEAD;
        for (Span span : band) {
            List<String> lines = caption(span);
            int baseline = seedLine - letters.lineHeight(Style.SMALL) - 2 - (lines.size() - 1) * letters.lineHeight(Style.BODY);
            for (String line : lines) {
                text(canvas, Style.BODY, line, new Pen(x, baseline, INK));
                baseline += letters.lineHeight(Style.BODY);
            }
            for (long seed : span.seeds()) {
                text(canvas, Style.SMALL, letters.fit("seed " + seed, Style.SMALL, tile), new Pen(x, seedLine, MUTED));
                x += tile + SEED_GAP;
            }
            x += PROMPT_GAP - SEED_GAP;
        }
    }

    private void head(Canvas canvas, Row row, int top) {
        int baseline = top + letters.ascent(Style.HEADING) - 2;
        for (String line : title(row)) {
            text(canvas, Style.HEADING, line, new Pen(MARGIN, baseline, INK));
            baseline += letters.lineHeight(Style.HEADING);
        }
        for (String line : facts(row)) {
            text(canvas, Style.BODY, letters.fit(line, Style.BODY, HEAD - PROMPT_GAP), new Pen(MARGIN, baseline, MUTED));
            baseline += letters.lineHeight(Style.BODY);
        }
    }

    private List<String> title(Row row) {
        return letters.wrap(Words.title(row), Style.HEADING, HEAD - PROMPT_GAP, 2);
    }

    /// What a row cost and what its pictures measure.
    private static List<String> facts(Row row) {
        List<String> facts = new ArrayList<>(List.of(Words.numbers(row)));
        if (!row.isBase()) facts.addAll(List.of(Words.bytes(row.bytes()) + " adapter", Words.seconds(row.seconds()) + " training"));
        facts.addAll(Words.measures(row));
        return facts;
    }

    private List<String> footnotes() {
        Comparison comparison = showing.comparison();
        String notes = "Images below each other share prompt, seed and noise; Base was asked for “" + comparison.className() + "”, the others for “"
            + comparison.token() + " " + comparison.className() + "”. "
            + (bands.leftOut() > 0 ? bands.leftOut() + " more prompts are on the page index.html. " : "") + Words.encoder(comparison) + " " + showing.maker();
        return letters.wrap(notes, Style.SMALL, width - 2 * MARGIN, 6);
    }

    private void footer(Canvas canvas, int top) {
        int baseline = top - ROW_GAP + letters.ascent(Style.SMALL) + 4;
        for (String line : footnotes()) {
            text(canvas, Style.SMALL, line, new Pen(MARGIN, baseline, MUTED));
            baseline += letters.lineHeight(Style.SMALL);
        }
    }

    private void text(Canvas canvas, Style style, String line, Pen pen) {
        letters.draw(canvas, line, style, pen);
    }
}
