package atomstudio.app.generate;

import atomstudio.app.generate.PictureSettings.Worn;
import atomstudio.app.tune.RunSummary;
import atomstudio.diffusion.picture.Picture;
import atomstudio.tuning.measure.Measures;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javafx.beans.property.ReadOnlyBooleanProperty;
import javafx.beans.property.ReadOnlyBooleanWrapper;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.collections.FXCollections;
import javafx.collections.ObservableList;
import org.jspecify.annotations.Nullable;

/// A row of pictures, one a seed: of the base model, or of a run's adapter.
public final class GalleryRow {
    /// A place in the row; `made` is null until its picture is there.
    public record Cell(long seed, @Nullable Made made) {}

    /// What a picture looks like while it is made.
    public record Emerging(int column, Picture look) {}

    private static final String NOTHING = "nothing tuned";

    private final Optional<RunSummary> run;
    private final ObservableList<Cell> cells = FXCollections.observableArrayList();
    private final ObservableList<Cell> cellsView = FXCollections.unmodifiableObservableList(cells);
    private final ReadOnlyStringWrapper busy = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper warning = new ReadOnlyStringWrapper("");
    private final ReadOnlyBooleanWrapper stale = new ReadOnlyBooleanWrapper();
    private final ReadOnlyStringWrapper measuring = new ReadOnlyStringWrapper("");
    private final ReadOnlyObjectWrapper<@Nullable Measures> measures = new ReadOnlyObjectWrapper<>();
    private final ReadOnlyObjectWrapper<@Nullable Emerging> emerging = new ReadOnlyObjectWrapper<>();
    private final ReadOnlyStringWrapper wearing = new ReadOnlyStringWrapper("");
    private final Set<Integer> current = new HashSet<>();
    private @Nullable RowOrder order;

    GalleryRow(Optional<RunSummary> run) {
        this.run = run;
        wear(List.of());
    }

    /// Empty: the base model.
    public Optional<RunSummary> run() {
        return run;
    }

    public String title() {
        return run.map(RunSummary::title).orElse("Base");
    }

    /// What the row's own adapter costs; empty for the base model.
    public List<String> price() {
        return run.map(RunSummary::price).orElse(List.of());
    }

    /// `nothing tuned`, `wears style × 0.8`; empty for a run that wears nothing beside its own adapter.
    public ReadOnlyStringProperty wearing() {
        return wearing.getReadOnlyProperty();
    }

    void wear(List<Worn> worn) {
        String names = worn.stream().map(Worn::toString).collect(Collectors.joining(", "));
        wearing.set(worn.isEmpty() ? run.isPresent() ? "" : NOTHING : (run.isPresent() ? "also wears " : "wears ") + names);
    }

    public ObservableList<Cell> cells() {
        return cellsView;
    }

    /// `step 12 of 25`, `waiting`; empty when nothing is being made.
    public ReadOnlyStringProperty busy() {
        return busy.getReadOnlyProperty();
    }

    public ReadOnlyStringProperty warning() {
        return warning.getReadOnlyProperty();
    }

    /// Whether a picture was made just now, while others of its row are still those of before.
    boolean current(int column) {
        return current.contains(column);
    }

    /// Whether the pictures were made with a prompt or settings that have been changed since.
    public ReadOnlyBooleanProperty stale() {
        return stale.getReadOnlyProperty();
    }

    /// The picture that is being made; null where none is, or nothing is seen yet.
    public ReadOnlyObjectProperty<@Nullable Emerging> emerging() {
        return emerging.getReadOnlyProperty();
    }

    /// What the pictures measure; null while that is not known.
    public ReadOnlyObjectProperty<@Nullable Measures> measures() {
        return measures.getReadOnlyProperty();
    }

    /// `measuring…`; empty when nothing is being measured.
    public ReadOnlyStringProperty measuring() {
        return measuring.getReadOnlyProperty();
    }

    /// Whether all pictures are there and were not measured yet.
    boolean unmeasured() {
        return order != null && measures.get() == null && !cells.isEmpty() && cells.stream().allMatch(cell -> cell.made != null);
    }

    List<Picture> pictures() {
        return cells.stream().map(Cell::made).filter(Objects::nonNull).map(Made::picture).toList();
    }

    void measuring(String what) {
        measuring.set(what);
    }

    void measured(Measures found) {
        measures.set(found);
    }

    /// Whether all pictures of `wanted` are there already.
    boolean has(RowOrder wanted) {
        return wanted.equals(order) && cells.stream().allMatch(cell -> cell.made != null);
    }

    void compare(RowOrder wanted) {
        stale.set(order != null && !wanted.equals(order));
    }

    /// Its pictures were made in a way that is not the wished one any more.
    void forget() {
        order = null;
        stale.set(!cells.isEmpty());
    }

    /// Makes room; pictures that are there stay until others come, where there is still a column for them.
    void begin(RowOrder wanted) {
        emerging.set(null);
        current.clear();
        List<Long> seeds = wanted.settings().seeds().list();
        List<Cell> room = IntStream.range(0, seeds.size())
            .mapToObj(i -> new Cell(seeds.get(i), i < cells.size() ? cells.get(i).made() : null)).toList();
        cells.setAll(room);
        order = null;
        warning.set("");
        measures.set(null);
        measuring.set("");
        stale.set(true);
        busy.set("waiting");
    }

    void step(int done, int of) {
        busy.set("step " + done + " of " + of);
    }

    void emerge(int column, Picture look) {
        emerging.set(new Emerging(column, look));
    }

    void put(int column, Made made) {
        emerging.set(null);
        current.add(column);
        cells.set(column, new Cell(cells.get(column).seed(), made));
    }

    void warn(String message) {
        String before = warning.get();
        if (!before.contains(message)) warning.set(before.isEmpty() ? message : before + "\n" + message);
    }

    void complete(RowOrder wanted) {
        order = wanted;
        current.clear();
        stale.set(false);
        busy.set("");
    }

    void interrupted() {
        emerging.set(null);
        busy.set("");
    }
}
