package atomstudio.app.tune;

import atomstudio.app.parts.CardView;
import atomstudio.app.parts.NoteView;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import javafx.beans.value.ObservableValue;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.layout.VBox;

/// A run in view: its settings, its loss curve with what was validated, remarks, and previews, live or past.
public final class RunView extends VBox {
    public RunView(RunsViewModel model) {
        super(12);
        getStyleClass().add("run");
        CardView previews = new CardView("Previews");
        previews.subtitle().textProperty().bind(model.watched().map(RunView::prompt).orElse(""));
        previews.add(new PreviewsView(model.watched()), new AskPictureView(model));
        Label hint = new Label("Previews are all made from one seed. Closing the window keeps the run: it resumes exactly.");
        hint.getStyleClass().add("muted");
        hint.setWrapText(true);
        ObservableValue<Boolean> now = model.watched().map(run -> run.when() == WatchedRun.When.NOW).orElse(false);
        hint.visibleProperty().bind(now);
        getChildren().addAll(loss(model), previews, hint);
    }

    private static CardView loss(RunsViewModel model) {
        CardView loss = new CardView("Loss");
        loss.title().textProperty().bind(model.watched().map(RunView::title).orElse("Loss"));
        loss.subtitle().textProperty().bind(model.watched().map(RunView::latest).orElse(""));
        loss.addToHeader(legend("training", "legend-training", model.watched().map(run -> !run.progress().history().checks().isEmpty()).orElse(false)));
        loss.addToHeader(legend("held-out picture", "legend-checks", model.watched().map(run -> checked(run, RunProgress.Check::loss)).orElse(false)));
        loss.addToHeader(legend("previews (right scale)", "legend-checks", model.watched().map(run -> checked(run, check -> !check.loss())).orElse(false)));
        loss.addToHeader(close(model));
        LossChartView chart = new LossChartView();
        model.watched().subscribe(run -> chart.show(run == null ? RunProgress.none(RunProgress.State.WAITING) : run.progress()));
        chart.accessibleTextProperty().bind(model.watched().map(run -> latest(run) + checkedLine(run)).orElse("no curve yet"));
        loss.add(new NoteView(NoteView.NoteKind.PLAIN, model.watched().map(run -> run.order().chosen().line()).orElse("")),
            new NoteView(NoteView.NoteKind.ERROR, model.watched().map(run -> run.progress().state() == RunProgress.State.FAILED ? run.progress().message() : "").orElse("")),
            chart, new NoteView(NoteView.NoteKind.PLAIN, model.watched().map(RunView::checkedLine).orElse("")), new RemarksView(model.watched()));
        return loss;
    }

    private static Button close(RunsViewModel model) {
        Button close = new Button("×");
        close.setId("close-run");
        close.setAccessibleText("Close this run");
        close.getStyleClass().addAll("flat", "small");
        close.setOnAction(pressed -> model.close());
        close.visibleProperty().bind(model.watched().map(run -> run.when() == WatchedRun.When.PAST).orElse(false));
        close.managedProperty().bind(close.visibleProperty());
        return close;
    }

    private static Label legend(String text, String style, ObservableValue<Boolean> shown) {
        Label label = new Label(text);
        label.getStyleClass().add(style);
        label.setMinWidth(USE_PREF_SIZE);
        label.visibleProperty().bind(shown);
        label.managedProperty().bind(label.visibleProperty());
        return label;
    }

    private static boolean checked(WatchedRun run, Predicate<RunProgress.Check> as) {
        return run.progress().history().checks().stream().anyMatch(as);
    }

    private static String title(WatchedRun run) {
        return run.when() == WatchedRun.When.NOW ? "Loss" : "Loss of " + run.order().title();
    }

    private static String latest(WatchedRun run) {
        List<RunProgress.Loss> losses = run.progress().losses();
        return losses.isEmpty() ? "" : String.format(Locale.ROOT, "%.4f smoothed, at step %d", losses.getLast().smooth(), losses.getLast().step());
    }

    /// `loss of a picture held out: 0.0421 at step 50, the best so far at step 25`.
    private static String checkedLine(WatchedRun run) {
        List<RunProgress.Check> checks = run.progress().history().checks();
        if (checks.isEmpty()) return "";
        RunProgress.Check last = checks.getLast();
        String best = last.best() == 0 ? "" : last.best() == last.step() ? ", the best so far" : ", the best so far at step " + last.best();
        return String.format(Locale.ROOT, "%s: %.4f at step %d%s", last.measure(), last.value(), last.step(), best);
    }

    private static String prompt(WatchedRun run) {
        return run.progress().previews().stream().filter(preview -> !preview.asked()).map(RunProgress.Preview::prompt).filter(prompt -> prompt != null && !prompt.isEmpty())
            .findFirst().map(prompt -> "“" + prompt + "”, one seed").orElse("");
    }
}
