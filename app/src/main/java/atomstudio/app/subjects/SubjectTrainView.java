package atomstudio.app.subjects;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.FocusScrollView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.export.ExportView;
import atomstudio.app.runs.ProgressCardView;
import atomstudio.app.runs.RunSummary;
import atomstudio.app.runs.RunView;
import atomstudio.app.runs.RunsCardView;
import atomstudio.app.train.QueueCardView;
import atomstudio.app.train.TrainCardView;
import java.time.InstantSource;
import java.util.List;
import javafx.beans.binding.Bindings;
import javafx.beans.value.ObservableValue;
import javafx.scene.Node;
import javafx.scene.control.Menu;
import javafx.scene.control.MenuItem;
import javafx.scene.control.ScrollPane;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.VBox;

/// The tab to train: methods and settings on the left, the shown run and all runs on the right.
final class SubjectTrainView extends HBox {
    private static final double LEFT_WIDTH = 340;

    private final TrainCardView train;

    SubjectTrainView(SubjectPageViewModel model, InstantSource clock) {
        super(18);
        getStyleClass().add("subject-tab");
        train = new TrainCardView(model.train(), model.untrained());
        ProgressCardView progress = new ProgressCardView(model.queue());
        Node queue = new QueueCardView(model.queue(), model.train(), model::removeQueued);
        bindVisible(train, model.training().map(now -> !now));
        bindVisible(progress, model.training());
        bindVisible(queue,
                Bindings.createBooleanBinding(() -> model.training().get() || !model.queue().waiting().isEmpty(),
                        model.training(), model.queue().waiting()));
        model.training().addListener((property, before, now) -> {
            if (now) moveFocus(train, progress::focusCancel);
            else moveFocus(progress, train::focusStart);
        });
        ScrollPane left = new FocusScrollView(new VBox(12, train, progress, queue));
        left.setMinWidth(LEFT_WIDTH);
        left.setMaxWidth(LEFT_WIDTH);
        getChildren().addAll(left, runs(model, clock));
    }

    private static Node runs(SubjectPageViewModel model, InstantSource clock) {
        RunView run = new RunView(model.runs());
        bindVisible(run, model.runs().shownRun().map(shown -> true).orElse(false));
        ScrollPane runs = new FocusScrollView(
                new VBox(12, run, new RunsCardView(model.runs(), clock, listed -> runMenuItems(model, listed)),
                        new NoteView(NoteView.NoteKind.PLAIN,
                                model.export().exportNote().map(note -> note.text()).orElse(""))));
        HBox.setHgrow(runs, Priority.ALWAYS);
        return runs;
    }

    private static List<MenuItem> runMenuItems(SubjectPageViewModel model, RunSummary run) {
        Menu export = new Menu(run.isDone() ? text("subjects.export") : text("subjects.export.checkpoint"));
        export.getItems().setAll(ExportView.formatItems(model.export(), run));
        MenuItem row = new MenuItem(
                model.isCompared(run.folder()) ? text("subjects.compare.hide") : text("subjects.compare.show"));
        row.setDisable(!run.isDone());
        row.setOnAction(chosen -> model.toggleRow(run));
        return List.of(row, export);
    }

    private static void bindVisible(Node node, ObservableValue<Boolean> when) {
        node.visibleProperty().bind(when);
        node.managedProperty().bind(when);
    }

    /// Moves the focus on if it is in a card that is about to be hidden.
    private void moveFocus(Node card, Runnable focusNext) {
        if (getScene() == null) return;
        for (Node focused = getScene().getFocusOwner(); focused != null; focused = focused.getParent()) {
            if (focused == card) focusNext.run();
        }
    }

    void focusStart() {
        train.focusStart();
    }
}
