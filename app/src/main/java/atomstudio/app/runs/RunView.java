package atomstudio.app.runs;

import static atomstudio.app.text.Texts.text;

import atlantafx.base.layout.InputGroup;
import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.CardView;
import atomstudio.app.controls.NoteView;
import java.util.List;
import java.util.Locale;
import java.util.function.IntConsumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javafx.beans.value.ObservableValue;
import javafx.collections.ListChangeListener;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.Scene;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.ProgressBar;
import javafx.scene.control.TextField;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;
import org.kordamp.ikonli.feather.Feather;
import org.kordamp.ikonli.javafx.FontIcon;

/// A current or past run: progress with Pause and Stop, loss chart with validation and earlier runs, notes, previews.
public final class RunView extends CardView {
    /// Height of the chart, as a part of the window's, and its limits in pixels.
    private static final double CHART_SHARE = 0.28;
    private static final double MIN_CHART = 230;
    private static final double MAX_CHART = 460;

    private final RunsViewModel model;
    private final ObservableValue<Boolean> live;

    /// @param openPreview shows the preview of an index large
    public RunView(RunsViewModel model, IntConsumer openPreview) {
        super("");
        this.model = model;
        setId("shown-run");
        live = model.shownRun().map(run -> run.liveness() == RunsViewModel.ShownRun.Liveness.LIVE).orElse(false);
        title().textProperty().bind(model.shownRun().map(run -> run.spec().title()).orElse(""));
        subtitle().textProperty().bind(model.shownRun().map(run -> state(run.progress())).orElse(""));
        for (Node button : buttons()) addToHeader(button);
        ProgressBar bar = new ProgressBar();
        bar.setId("progress-card");
        bar.setMaxWidth(Double.MAX_VALUE);
        bar.progressProperty().bind(model.shownRun().map(run -> run.progress().fraction()).orElse(0.0));
        showWhile(bar, live);
        add(bar, new NoteView(NoteView.NoteKind.PLAIN, model.queue().pendingCommand()),
                new NoteView(NoteView.NoteKind.PLAIN,
                        model.shownRun().map(run -> run.spec().choices().summary()).orElse("")),
                new NoteView(NoteView.NoteKind.ERROR, model.shownRun().map(RunView::failure).orElse("")), chart(),
                legends(), new NoteView(NoteView.NoteKind.PLAIN, model.shownRun().map(RunView::valuesLine).orElse("")),
                new SearchChartView(model.searched()), new RunNotesView(model.shownRun()),
                new PreviewStripView(model.shownRun(), openPreview),
                new PreviewPromptView(model));
    }

    private List<Node> buttons() {
        RunQueue queue = model.queue();
        Button pause = new ActionButtonView("", () -> {
            if (queue.progress().get().phase() == RunProgress.RunPhase.PAUSED) queue.resume();
            else queue.pause();
        }).withId("pause-run");
        pause.textProperty()
                .bind(queue.progress()
                        .map(progress -> progress.phase() == RunProgress.RunPhase.PAUSED ? text("runs.resume")
                                : text("runs.pause")));
        pause.disableProperty()
                .bind(queue.progress()
                        .map(progress -> !progress.isActive() || progress.phase() == RunProgress.RunPhase.STARTING));
        Button stop = new ActionButtonView(text("runs.stop"), queue::cancel).withId("cancel-run");
        Button close = new ActionButtonView("", model::close, "flat", "small", "button-icon").withId("close-run");
        close.setGraphic(new FontIcon(Feather.X));
        close.setAccessibleText(text("runs.close"));
        showWhile(pause, live);
        showWhile(stop, live);
        showWhile(close, live.map(now -> !now));
        return List.of(pause, stop, close);
    }

    private static void showWhile(Node node, ObservableValue<Boolean> shown) {
        node.visibleProperty().bind(shown);
        node.managedProperty().bind(node.visibleProperty());
    }

    /// `step 124 of 200 · 5.1 s a step · 1.2 GB · 6 min left`.
    private static String state(RunProgress progress) {
        String state = switch (progress.phase()) {
            case WAITING -> text("runs.state.waiting");
            case STARTING -> text("runs.state.starting");
            case TRAINING -> progress.timeLeft();
            case PAUSED -> text("runs.state.paused");
            case CANCELLED -> text("runs.state.stopped");
            case FAILED -> text("runs.state.failed");
            case DONE -> text("runs.state.done");
        };
        String step = progress.steps() == 0 ? "" : text("runs.step", progress.step(), progress.steps());
        String speed = progress.phase() == RunProgress.RunPhase.TRAINING ? progress.speedText() : "";
        return Stream.of(step, speed, state).filter(part -> !part.isEmpty()).collect(Collectors.joining(" · "));
    }

    private static String failure(RunsViewModel.ShownRun run) {
        return run.progress().phase() == RunProgress.RunPhase.FAILED ? run.progress().message() : "";
    }

    private LossChartView chart() {
        LossChartView chart = new LossChartView();
        chart.prefHeightProperty()
                .bind(sceneProperty().flatMap(Scene::heightProperty)
                        .map(height -> Math.clamp(CHART_SHARE * height.doubleValue(), MIN_CHART, MAX_CHART))
                        .orElse(MIN_CHART));
        model.shownRun()
                .subscribe(run -> chart
                        .show(run == null ? RunProgress.initial(RunProgress.RunPhase.WAITING) : run.progress()));
        Runnable showEarlier = () -> chart.showEarlier(earlierRuns());
        model.shownRun().map(run -> run.spec().folder()).subscribe(folder -> showEarlier.run());
        model.runs().addListener((ListChangeListener<RunSummary>) change -> showEarlier.run());
        chart.accessibleTextProperty()
                .bind(model.shownRun().map(RunView::valuesLine).orElse(text("runs.chart.empty")));
        return chart;
    }

    /// Of the same model: losses of different models cannot be compared.
    private List<LossChartView.EarlierRun> earlierRuns() {
        RunsViewModel.ShownRun shown = model.shownRun().get();
        if (shown == null) return List.of();
        return model.runs()
                .stream()
                .filter(run -> !run.folder().equals(shown.spec().folder())
                        && run.spec().model().equals(shown.spec().model()))
                .map(run -> new LossChartView.EarlierRun(run.title(), run.progress().losses()))
                .toList();
    }

    private HBox legends() {
        HBox legends = new HBox(14, legend("runs.legend.training", "legend-training", run -> true),
                legend("runs.legend.held-out", "legend-validation",
                        run -> hasValidation(run, RunProgress.ValidationPoint::isLoss)),
                legend("runs.legend.previews", "legend-validation",
                        run -> hasValidation(run, point -> !point.isLoss())),
                legend("runs.legend.earlier", "muted", run -> !earlierRuns().isEmpty()));
        legends.setAlignment(Pos.CENTER_LEFT);
        return legends;
    }

    private Label legend(String key, String style, Predicate<RunsViewModel.ShownRun> shown) {
        Label label = new Label(text(key));
        label.getStyleClass().addAll(style, "small-text");
        label.setMinWidth(USE_PREF_SIZE);
        showWhile(label,
                model.shownRun().map(run -> !run.progress().losses().isEmpty() && shown.test(run)).orElse(false));
        return label;
    }

    private static boolean hasValidation(RunsViewModel.ShownRun run, Predicate<RunProgress.ValidationPoint> condition) {
        return run.progress().history().validations().stream().anyMatch(condition);
    }

    /// `Loss 0.2041 (smoothed) at step 50 · loss of the held-out photo: 0.0421 at step 50, best at step 25`.
    private static String valuesLine(RunsViewModel.ShownRun run) {
        List<RunProgress.LossPoint> losses = run.progress().losses();
        String loss = losses.isEmpty() ? ""
                : text("runs.loss", losses.getLast().smoothed(), losses.getLast().step());
        return Stream.of(loss, validationLine(run)).filter(part -> !part.isEmpty()).collect(Collectors.joining(" · "));
    }

    private static String validationLine(RunsViewModel.ShownRun run) {
        List<RunProgress.ValidationPoint> points = run.progress().history().validations();
        if (points.isEmpty()) return "";
        RunProgress.ValidationPoint last = points.getLast();
        String best = last.bestStep() == 0 ? ""
                : last.bestStep() == last.step() ? text("runs.validation.best-so-far")
                : text("runs.validation.best", last.bestStep());
        return String.format(Locale.ROOT, "%s: %.4f", last.metric(), last.value())
                + text("runs.validation.step", last.step()) + best;
    }

    /// Requests previews of a running or paused run for any prompt.
    static final class PreviewPromptView extends VBox {
        private final RunsViewModel model;
        private final TextField prompt = new TextField();

        PreviewPromptView(RunsViewModel model) {
            super(4);
            this.model = model;
            setId("preview-request");
            prompt.setId("preview-prompt");
            prompt.setAccessibleText(text("runs.preview.prompt"));
            HBox.setHgrow(prompt, Priority.ALWAYS);
            prompt.setOnAction(entered -> requestPreview());
            Button button = new ActionButtonView(text("runs.preview.now"), this::requestPreview).withId("preview-now");
            button.disableProperty()
                    .bind(model.queue().pendingPreview().isNotEmpty().or(prompt.textProperty().isEmpty()));
            showWhile(this, model.shownRun().map(PreviewPromptView::canPreview).orElse(false));
            model.queue().current().subscribe(now -> {
                if (now != null) prompt.setText(text("runs.preview.example", now.phrase().text()));
            });
            getChildren().addAll(new InputGroup(prompt, button),
                    new NoteView(NoteView.NoteKind.PLAIN, model.queue().pendingPreview()));
        }

        /// Previews need at least one step.
        private static boolean canPreview(RunsViewModel.ShownRun run) {
            boolean isActive = switch (run.progress().phase()) {
                case TRAINING, PAUSED -> true;
                case WAITING, STARTING, CANCELLED, FAILED, DONE -> false;
            };
            return isActive && run.liveness() == RunsViewModel.ShownRun.Liveness.LIVE && run.progress().step() > 0;
        }

        private void requestPreview() {
            if (model.queue().pendingPreview().get().isEmpty()) model.requestPreview(prompt.getText());
        }
    }

    /// Notes of a run with their steps: selected precision, out of memory, early stopping, best step.
    static final class RunNotesView extends VBox {
        private List<RunProgress.RunNote> shown = List.of();

        RunNotesView(ObservableValue<RunsViewModel.ShownRun> watched) {
            super(3);
            setId("run-notes");
            watched.subscribe(now -> show(now == null ? List.of() : now.progress().history().notes()));
        }

        private void show(List<RunProgress.RunNote> notes) {
            setVisible(!notes.isEmpty());
            setManaged(!notes.isEmpty());
            if (notes.equals(shown)) return;
            shown = notes;
            getChildren().setAll(notes.stream().map(RunNotesView::line).toList());
        }

        private static Label line(RunProgress.RunNote note) {
            Label line = new Label(note.step() == 0 ? note.text() : text("runs.note", note.step(), note.text()));
            line.getStyleClass().addAll("note", "note-plain");
            line.setWrapText(true);
            line.setMinHeight(Region.USE_PREF_SIZE);
            return line;
        }
    }
}
