package atomstudio.app.compare;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.compare.CellOrder.CellChange;
import atomstudio.app.compare.CellOrder.SetAdapter;
import atomstudio.app.compare.CellOrder.SetPrompt;
import atomstudio.app.compare.CellOrder.SetSeed;
import atomstudio.app.compare.CellOrder.SetStrength;
import atomstudio.app.generate.ImageSettings;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/// Orders in rows and columns. A cell is the start with the changes of its row and then of its column.
/// @param axes empty: adapters × prompts and seeds
/// @param omitted columns beyond the limit
public record CompareTable(CellOrder start, List<TableLine> rows, List<TableLine> columns, List<GridAxis> axes,
        int omitted) {
    static final int MAX_COLUMNS = 96;

    public CompareTable {
        rows = List.copyOf(rows);
        columns = List.copyOf(columns);
        axes = List.copyOf(axes);
    }

    /// A row or a column.
    /// @param detail a second line; may be empty
    public record TableLine(String title, String detail, List<CellChange> changes) {
        public TableLine {
            changes = List.copyOf(changes);
        }
    }

    /// An adapter at a strength.
    public record CompareRow(ComparedAdapter adapter, double strength) {
        public static final CompareRow BASE = new CompareRow(new ComparedAdapter.BaseModel(), 1);

        /// `LoRA rank 4 × 1.0`.
        public String title() {
            return adapter.file().isEmpty() ? adapter.title()
                    : text("compare.row", adapter.title(), ImageSettings.number(strength));
        }
    }

    /// What the columns show.
    public enum ColumnChoice {
        PROMPTS, SEEDS, PROMPTS_AND_SEEDS;

        public String title() {
            return switch (this) {
                case PROMPTS -> text("compare.columns.prompts");
                case SEEDS -> text("compare.columns.seeds");
                case PROMPTS_AND_SEEDS -> text("compare.columns.both");
            };
        }
    }

    /// Adapters × prompts and seeds.
    static CompareTable of(CellOrder start, List<CompareRow> rows, ColumnChoice choice) {
        List<PromptVariant> prompts = PromptVariant.of(start.prompt());
        List<Long> seeds = start.settings().seeds().list();
        if (choice == ColumnChoice.SEEDS) prompts = prompts.subList(0, 1);
        if (choice == ColumnChoice.PROMPTS) seeds = seeds.subList(0, 1);
        List<TableLine> columns = new ArrayList<>();
        for (PromptVariant prompt : prompts)
            for (long seed : seeds)
                columns.add(new TableLine(prompt.label(), new SetSeed(seed).title(),
                        List.of(new SetPrompt(prompt), new SetSeed(seed))));
        return new CompareTable(start, rows.stream()
                .map(row -> new TableLine(row.title(), "",
                        List.of(new SetAdapter(row.adapter), new SetStrength(row.strength))))
                .toList(), columns.subList(0, Math.min(columns.size(), MAX_COLUMNS)), List.of(),
                Math.max(0, columns.size() - MAX_COLUMNS));
    }

    /// The values of two axes.
    static CompareTable of(CellOrder start, XyGrid grid) {
        PromptVariant prompt = PromptVariant.of(start.prompt()).getFirst();
        List<CellChange> common = List.of(new SetAdapter(grid.row().adapter), new SetStrength(grid.row().strength),
                new SetPrompt(prompt), new SetSeed(start.settings().seeds().first()));
        CellOrder changed = start;
        for (CellChange change : common) changed = change.apply(changed);
        return new CompareTable(changed, lines(grid.y()), lines(grid.x()), List.of(grid.xAxis(), grid.yAxis()), 0);
    }

    private static List<TableLine> lines(List<CellChange> values) {
        return values.stream().map(value -> new TableLine(value.title(), "", List.of(value))).toList();
    }

    /// An X/Y grid: a row of the comparison with the values of two axes.
    public record XyGrid(CompareRow row, GridAxis xAxis, List<CellChange> x, GridAxis yAxis, List<CellChange> y) {
        /// `LoRA rank 4 × 1.0: strength × steps`.
        public String title() {
            return text("compare.xy.title", row.title(), xAxis.title(), yAxis.title());
        }
    }

    public boolean isGrid() { return !axes.isEmpty(); }

    /// Everything that cells add to the model.
    Set<ComparedAdapter> adapters() {
        Set<ComparedAdapter> adapters = new LinkedHashSet<>(List.of(start.adapter()));
        for (TableLine line : Stream.concat(rows.stream(), columns.stream()).toList())
            for (CellChange change : line.changes) adapters.add(change.apply(start).adapter());
        return adapters;
    }

    public CellOrder cell(int row, int column) {
        CellOrder order = start;
        for (CellChange change : rows.get(row).changes()) order = change.apply(order);
        for (CellChange change : columns.get(column).changes()) order = change.apply(order);
        return order;
    }
}
