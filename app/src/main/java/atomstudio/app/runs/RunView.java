package atomstudio.app.runs;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.CardView;
import atomstudio.app.controls.MutedLabelView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.controls.RoundedImageView;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import javafx.beans.value.ObservableValue;
import javafx.geometry.Pos;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.ScrollPane;
import javafx.scene.control.TextField;
import javafx.scene.control.Tooltip;
import javafx.scene.image.Image;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;
import org.jspecify.annotations.Nullable;

/// A current or past run: settings, loss chart with validation, notes and previews.
public final class RunView extends VBox {
    public RunView(RunsViewModel model) {
        super(12);
        getStyleClass().add("run");
        CardView previews = new CardView("Previews");
        previews.subtitle().textProperty().bind(model.shownRun().map(RunView::previewPrompt).orElse(""));
        previews.add(new PreviewStripView(model.shownRun()), new PreviewPromptView(model));
        Label hint = new MutedLabelView("All previews use the same seed. Progress is saved when you quit.");
        ObservableValue<Boolean> now = model.shownRun()
                .map(run -> run.liveness() == RunsViewModel.ShownRun.Liveness.LIVE)
                .orElse(false);
        hint.visibleProperty().bind(now);
        getChildren().addAll(lossCard(model), previews, hint);
    }

    private static CardView lossCard(RunsViewModel model) {
        CardView loss = new CardView("Loss");
        loss.title().textProperty().bind(model.shownRun().map(RunView::title).orElse("Loss"));
        loss.subtitle().textProperty().bind(model.shownRun().map(RunView::latestLoss).orElse(""));
        loss.addToHeader(legend("Training", "legend-training",
                model.shownRun().map(run -> !run.progress().history().validations().isEmpty()).orElse(false)));
        loss.addToHeader(legend("Held-out photo", "legend-validation",
                model.shownRun().map(run -> hasValidation(run, RunProgress.ValidationPoint::isLoss)).orElse(false)));
        loss.addToHeader(legend("Previews (right axis)", "legend-validation",
                model.shownRun().map(run -> hasValidation(run, point -> !point.isLoss())).orElse(false)));
        loss.addToHeader(closeButton(model));
        LossChartView chart = new LossChartView();
        model.shownRun()
                .subscribe(run -> chart
                        .show(run == null ? RunProgress.initial(RunProgress.RunPhase.WAITING) : run.progress()));
        chart.accessibleTextProperty()
                .bind(model.shownRun().map(run -> latestLoss(run) + validationLine(run)).orElse("No loss yet"));
        loss.add(
                new NoteView(NoteView.NoteKind.PLAIN,
                        model.shownRun().map(run -> run.spec().choices().summary()).orElse("")),
                new NoteView(NoteView.NoteKind.ERROR, model.shownRun()
                        .map(run -> run.progress().phase() == RunProgress.RunPhase.FAILED ? run.progress().message()
                                : "")
                        .orElse("")),
                chart, new NoteView(NoteView.NoteKind.PLAIN, model.shownRun().map(RunView::validationLine).orElse("")),
                new RunNotesView(model.shownRun()));
        return loss;
    }

    private static Button closeButton(RunsViewModel model) {
        Button close = new ActionButtonView("×", model::close, "flat", "small").withId("close-run");
        close.setAccessibleText("Close this run");
        close.visibleProperty()
                .bind(model.shownRun()
                        .map(run -> run.liveness() == RunsViewModel.ShownRun.Liveness.PAST)
                        .orElse(false));
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

    private static boolean hasValidation(RunsViewModel.ShownRun run, Predicate<RunProgress.ValidationPoint> condition) {
        return run.progress().history().validations().stream().anyMatch(condition);
    }

    private static String title(RunsViewModel.ShownRun run) {
        return run.liveness() == RunsViewModel.ShownRun.Liveness.LIVE ? "Loss" : "Loss of " + run.spec().title();
    }

    private static String latestLoss(RunsViewModel.ShownRun run) {
        List<RunProgress.LossPoint> losses = run.progress().losses();
        return losses.isEmpty() ? ""
                : String.format(Locale.ROOT, "%.4f (smoothed) at step %d", losses.getLast().smoothed(),
                        losses.getLast().step());
    }

    /// `loss of the held-out photo: 0.0421 at step 50, best at step 25`.
    private static String validationLine(RunsViewModel.ShownRun run) {
        List<RunProgress.ValidationPoint> points = run.progress().history().validations();
        if (points.isEmpty()) return "";
        RunProgress.ValidationPoint last = points.getLast();
        String best = last.bestStep() == 0 ? "" : last.bestStep() == last.step() ? ", best so far"
                : ", best at step " + last.bestStep();
        return String.format(Locale.ROOT, "%s: %.4f at step %d%s", last.metric(), last.value(), last.step(), best);
    }

    private static String previewPrompt(RunsViewModel.ShownRun run) {
        return run.progress()
                .previews()
                .stream()
                .filter(preview -> !preview.isManual())
                .map(RunProgress.PreviewImage::prompt)
                .filter(prompt -> prompt != null && !prompt.isEmpty())
                .findFirst()
                .map(prompt -> "“" + prompt + "”")
                .orElse("");
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
            prompt.setAccessibleText("Prompt of a preview with the current parameters");
            HBox.setHgrow(prompt, Priority.ALWAYS);
            prompt.setOnAction(entered -> requestPreview());
            Button button = new ActionButtonView("Preview now", this::requestPreview).withId("preview-now");
            button.disableProperty()
                    .bind(model.queue().pendingPreview().isNotEmpty().or(prompt.textProperty().isEmpty()));
            ObservableValue<Boolean> available = model.shownRun().map(PreviewPromptView::canPreview).orElse(false);
            visibleProperty().bind(available);
            managedProperty().bind(visibleProperty());
            model.queue().current().subscribe(now -> {
                if (now != null) prompt.setText("a " + now.phrase().text() + " on the beach");
            });
            HBox row = new HBox(8, prompt, button);
            row.setAlignment(Pos.CENTER_LEFT);
            getChildren().addAll(row, new NoteView(NoteView.NoteKind.PLAIN, model.queue().pendingPreview()));
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

    /// The previews of a run in a strip, the newest at the right.
    public static final class PreviewStripView extends ScrollPane {
        private static final double SIDE = 112;

        private final HBox strip = new HBox(10);
        private @Nullable Path runFolder;
        private List<RunProgress.PreviewImage> shown = List.of();

        public PreviewStripView(ObservableValue<RunsViewModel.ShownRun> watched) {
            getStyleClass().addAll("previews", "edge-to-edge");
            setContent(strip);
            setFitToHeight(true);
            setVbarPolicy(ScrollBarPolicy.NEVER);
            watched.subscribe(now -> {
                if (now != null) show(now);
            });
        }

        private void show(RunsViewModel.ShownRun current) {
            List<RunProgress.PreviewImage> previews = current.progress().previews();
            boolean otherRun = !current.spec().folder().equals(runFolder);
            if (!otherRun && previews.equals(shown) && !strip.getChildren().isEmpty()) return;
            boolean appended = !otherRun && previews.size() > shown.size()
                    && previews.subList(0, shown.size()).equals(shown) && !shown.isEmpty();
            runFolder = current.spec().folder();
            if (!appended) strip.getChildren().clear();
            for (RunProgress.PreviewImage preview : appended ? previews.subList(shown.size(), previews.size())
                    : previews)
                strip.getChildren().add(tile(current.spec().folder(), preview));
            shown = previews;
            boolean hasTiles = !strip.getChildren().isEmpty();
            setMinHeight(hasTiles ? SIDE + 36 : USE_COMPUTED_SIZE);
            if (!hasTiles) strip.getChildren().add(caption(emptyText(current)));
            layout();
            setHvalue(1);
        }

        private static String emptyText(RunsViewModel.ShownRun current) {
            if (current.liveness() != RunsViewModel.ShownRun.Liveness.LIVE) return "No previews";
            return current.spec().choices().hasPreviews() ? "Preparing the first preview"
                    : "Previews are off";
        }

        private static VBox tile(Path run, RunProgress.PreviewImage preview) {
            RoundedImageView image = new RoundedImageView(
                    new Image(run.resolve(preview.file()).toUri().toString(), true), SIDE);
            VBox tile = new VBox(4, image, caption("Step " + preview.step() + (preview.isManual() ? " (manual)" : "")));
            tile.setAccessibleText("“" + preview.prompt() + "”, step " + preview.step());
            Tooltip.install(tile, new Tooltip("“" + preview.prompt() + "”"));
            tile.setAlignment(Pos.TOP_CENTER);
            tile.setMinWidth(SIDE);
            return tile;
        }

        private static Label caption(String text) {
            Label caption = new Label(text);
            caption.getStyleClass().add("muted");
            return caption;
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
            Label line = new Label((note.step() == 0 ? "" : "Step " + note.step() + ": ") + note.text());
            line.getStyleClass().addAll("note", "note-plain");
            line.setWrapText(true);
            line.setMinHeight(Region.USE_PREF_SIZE);
            return line;
        }
    }
}
