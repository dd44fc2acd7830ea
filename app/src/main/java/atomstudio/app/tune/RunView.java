package atomstudio.app.tune;

import atomstudio.app.parts.CardView;
import atomstudio.app.parts.NoteView;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import javafx.beans.value.ObservableValue;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.layout.VBox;

/// A run in view: its loss curve and previews, live or past.
public final class RunView extends VBox {
    public RunView(RunsViewModel model) {
        super(12);
        getStyleClass().add("run");
        CardView loss = new CardView("Loss");
        loss.title().textProperty().bind(model.watched().map(RunView::title).orElse("Loss"));
        loss.remark().textProperty().bind(model.watched().map(RunView::latest).orElse(""));
        Button close = new Button("×");
        close.setId("close-run");
        close.setAccessibleText("Close this run");
        close.getStyleClass().addAll("flat", "small");
        close.setOnAction(pressed -> model.close());
        close.visibleProperty().bind(model.watched().map(run -> run.when() == WatchedRun.When.PAST).orElse(false));
        close.managedProperty().bind(close.visibleProperty());
        loss.corner(close);
        LossChartView chart = new LossChartView();
        model.watched().subscribe(run -> chart.show(run == null ? List.of() : run.progress().losses(), run == null ? 0 : run.progress().steps()));
        NoteView remark = new NoteView(NoteView.Kind.WARNING, model.watched().map(run -> run.progress().state() != RunProgress.State.FAILED ? run.progress().message() : "").orElse(""));
        loss.add(remark, new NoteView(NoteView.Kind.ERROR, model.watched().map(run -> run.progress().state() == RunProgress.State.FAILED ? run.progress().message() : "").orElse("")), chart);

        CardView previews = new CardView("Previews");
        previews.remark().textProperty().bind(model.watched().map(RunView::prompt).orElse(""));
        previews.add(new PreviewsView(model.watched()));
        Label hint = new Label("Previews are all made from one seed. Closing the window keeps the run: it resumes exactly.");
        hint.getStyleClass().add("muted");
        hint.setWrapText(true);
        ObservableValue<Boolean> now = model.watched().map(run -> run.when() == WatchedRun.When.NOW).orElse(false);
        hint.visibleProperty().bind(now);
        getChildren().addAll(loss, previews, hint);
    }

    private static String title(WatchedRun run) {
        return run.when() == WatchedRun.When.NOW ? "Loss" : "Loss of " + run.order().title();
    }

    private static String latest(WatchedRun run) {
        List<RunProgress.Loss> losses = run.progress().losses();
        return losses.isEmpty() ? "" : String.format(Locale.ROOT, "%.4f smoothed, at step %d", losses.getLast().smooth(), losses.getLast().step());
    }

    private static String prompt(WatchedRun run) {
        return run.progress().previews().stream().map(RunProgress.Preview::prompt).filter(Objects::nonNull).filter(prompt -> !prompt.isEmpty())
            .findFirst().map(prompt -> "“" + prompt + "”, one seed").orElse("");
    }
}
