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
        previews.subtitle().textProperty().bind(model.shownRun().map(RunView::previewPrompt).orElse(""));
        previews.add(new PreviewStripView(model.shownRun()), new PreviewPromptView(model));
        Label hint = new Label("Previews are all made from one seed. Closing the window keeps the run: it resumes exactly.");
        hint.getStyleClass().add("muted");
        hint.setWrapText(true);
        ObservableValue<Boolean> now = model.shownRun().map(run -> run.liveness() == ShownRun.Liveness.LIVE).orElse(false);
        hint.visibleProperty().bind(now);
        getChildren().addAll(lossCard(model), previews, hint);
    }

    private static CardView lossCard(RunsViewModel model) {
        CardView loss = new CardView("Loss");
        loss.title().textProperty().bind(model.shownRun().map(RunView::title).orElse("Loss"));
        loss.subtitle().textProperty().bind(model.shownRun().map(RunView::latestLoss).orElse(""));
        loss.addToHeader(legend("training", "legend-training", model.shownRun().map(run -> !run.progress().history().validations().isEmpty()).orElse(false)));
        loss.addToHeader(legend("held-out picture", "legend-checks", model.shownRun().map(run -> hasValidation(run, RunProgress.ValidationPoint::isLoss)).orElse(false)));
        loss.addToHeader(legend("previews (right scale)", "legend-checks", model.shownRun().map(run -> hasValidation(run, check -> !check.isLoss())).orElse(false)));
        loss.addToHeader(closeButton(model));
        LossChartView chart = new LossChartView();
        model.shownRun().subscribe(run -> chart.show(run == null ? RunProgress.initial(RunProgress.RunPhase.WAITING) : run.progress()));
        chart.accessibleTextProperty().bind(model.shownRun().map(run -> latestLoss(run) + validationLine(run)).orElse("no curve yet"));
        loss.add(new NoteView(NoteView.NoteKind.PLAIN, model.shownRun().map(run -> run.spec().choices().summary()).orElse("")),
            new NoteView(NoteView.NoteKind.ERROR, model.shownRun().map(run -> run.progress().phase() == RunProgress.RunPhase.FAILED ? run.progress().message() : "").orElse("")),
            chart, new NoteView(NoteView.NoteKind.PLAIN, model.shownRun().map(RunView::validationLine).orElse("")), new RunNotesView(model.shownRun()));
        return loss;
    }

    private static Button closeButton(RunsViewModel model) {
        Button close = new Button("×");
        close.setId("close-run");
        close.setAccessibleText("Close this run");
        close.getStyleClass().addAll("flat", "small");
        close.setOnAction(pressed -> model.close());
        close.visibleProperty().bind(model.shownRun().map(run -> run.liveness() == ShownRun.Liveness.PAST).orElse(false));
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

    private static boolean hasValidation(ShownRun run, Predicate<RunProgress.ValidationPoint> condition) {
        return run.progress().history().validations().stream().anyMatch(condition);
    }

    private static String title(ShownRun run) {
        return run.liveness() == ShownRun.Liveness.LIVE ? "Loss" : "Loss of " + run.spec().title();
    }

    private static String latestLoss(ShownRun run) {
        List<RunProgress.LossPoint> losses = run.progress().losses();
        return losses.isEmpty() ? "" : String.format(Locale.ROOT, "%.4f smoothed, at step %d", losses.getLast().smoothed(), losses.getLast().step());
    }

    /// `loss of a picture held out: 0.0421 at step 50, the best so far at step 25`.
    private static String validationLine(ShownRun run) {
        List<RunProgress.ValidationPoint> checks = run.progress().history().validations();
        if (checks.isEmpty()) return "";
        RunProgress.ValidationPoint last = checks.getLast();
        String best = last.bestStep() == 0 ? "" : last.bestStep() == last.step() ? ", the best so far" : ", the best so far at step " + last.bestStep();
        return String.format(Locale.ROOT, "%s: %.4f at step %d%s", last.metric(), last.value(), last.step(), best);
    }

    private static String previewPrompt(ShownRun run) {
        return run.progress().previews().stream().filter(preview -> !preview.isManual()).map(RunProgress.PreviewImage::prompt).filter(prompt -> prompt != null && !prompt.isEmpty())
            .findFirst().map(prompt -> "“" + prompt + "”, one seed").orElse("");
    }
}
