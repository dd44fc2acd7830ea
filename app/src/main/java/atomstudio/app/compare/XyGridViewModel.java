package atomstudio.app.compare;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.compare.CellOrder.CellChange;
import atomstudio.app.compare.CellOrder.SetAdapter;
import atomstudio.app.compare.CellOrder.SetCheckpoint;
import atomstudio.app.compare.CompareTable.CompareRow;
import atomstudio.app.compare.CompareTable.XyGrid;
import atomstudio.app.compare.ComparedAdapter.OfRun;
import atomstudio.app.compare.ComparedAdapter.RunCheckpoint;
import atomstudio.app.jobs.Jobs;
import atomstudio.diffusion.Failure;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;

/// The choice of an X/Y grid: a row of the comparison and two axes with their values.
public final class XyGridViewModel {
    private final Jobs jobs;
    private final CompareViewModel comparison;
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");

    XyGridViewModel(Jobs jobs, CompareViewModel comparison) {
        this.jobs = jobs;
        this.comparison = comparison;
    }

    /// An axis as it was chosen.
    /// @param typed its numbers; without effect on an axis of checkpoints or methods
    /// @param chosen of the values that exist; without effect on an axis of numbers
    public record AxisInput(GridAxis axis, String typed, List<CellChange> chosen) {
        private List<CellChange> read() throws Failure.Incompatible {
            if (axis.isNumber()) return axis.parse(typed);
            if (chosen.isEmpty()) throw new Failure.Incompatible(text("compare.xy.none", axis.title()));
            return chosen;
        }
    }

    /// Why the choice is no grid; empty if it is.
    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    /// Shows a grid of a row, unless there is a problem.
    public void show(CompareRow row, AxisInput x, AxisInput y) {
        problem.set("");
        if (x.axis == y.axis || !x.axis.isNumber() && !y.axis.isNumber()) {
            problem.set(text("compare.xy.same", x.axis.title(), y.axis.title()));
            return;
        }
        try {
            comparison.showGrid(new XyGrid(row, x.axis, x.read(), y.axis, y.read()));
        } catch (Failure.Incompatible invalid) {
            problem.set(String.valueOf(invalid.getMessage()));
        }
    }

    /// Finds the values of an axis without numbers.
    public void findValues(GridAxis axis, CompareRow row, Consumer<List<CellChange>> onFound) {
        switch (axis) {
            case METHOD -> onFound.accept(
                    comparison.rowChoice()
                            .runs()
                            .stream()
                            .<CellChange>map(run -> new SetAdapter(new OfRun(run)))
                            .toList());
            case CHECKPOINT -> {
                if (row.adapter() instanceof OfRun of) findCheckpoints(of, onFound);
                else onFound.accept(List.of());
            }
            case STRENGTH, STEPS, GUIDANCE -> onFound.accept(List.of());
        }
    }

    private void findCheckpoints(OfRun of, Consumer<List<CellChange>> onFound) {
        jobs.start(text("compare.reading", of.run().folder()), cancellation -> RunCheckpoint.of(of.run()),
                found -> onFound.accept(found.stream()
                        .<CellChange>map(one -> new SetCheckpoint(new OfRun(of.run(), Optional.of(one))))
                        .toList()),
                problem::set);
    }
}
