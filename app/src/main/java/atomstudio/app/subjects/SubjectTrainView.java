package atomstudio.app.subjects;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.FocusScrollView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.export.ExportView;
import atomstudio.app.runs.LargePreviewView;
import atomstudio.app.runs.RunSummary;
import atomstudio.app.runs.RunView;
import atomstudio.app.runs.RunsTableView;
import atomstudio.app.train.TrainPanelView;
import atomstudio.app.train.TrainingFormView;
import java.time.InstantSource;
import java.util.List;
import java.util.function.BiConsumer;
import javafx.beans.value.ObservableValue;
import javafx.scene.Node;
import javafx.scene.control.Menu;
import javafx.scene.control.MenuItem;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.StackPane;
import javafx.scene.layout.VBox;

/// The tab to train: the next run on the left, the shown run and all runs, or the form of all options, on the right.
final class SubjectTrainView extends StackPane {
    private static final double LEFT_WIDTH = 340;

    private final TrainPanelView train;

    SubjectTrainView(SubjectPageViewModel model, InstantSource clock) {
        train = new TrainPanelView(model.train(), model.queue(), model::removeQueued);
        train.setMinWidth(LEFT_WIDTH);
        train.setMaxWidth(LEFT_WIDTH);
        LargePreviewView largePreview = new LargePreviewView(model.runs().shownRun());
        Node form = new TrainingFormView(model.train(), () -> {
            train.optionsShown().set(false);
            train.focusStart();
        });
        Node runs = runs(model, clock, largePreview, this::duplicate);
        bindVisible(form, train.optionsShown());
        bindVisible(runs, train.optionsShown().map(shown -> !shown));
        StackPane right = new StackPane(runs, form);
        HBox.setHgrow(right, Priority.ALWAYS);
        HBox columns = new HBox(18, train, right);
        columns.getStyleClass().add("subject-tab");
        getChildren().addAll(columns, largePreview);
    }

    /// Shows the settings of a run in the form, to change and start them.
    private void duplicate(SubjectPageViewModel model, RunSummary run) {
        model.train().copySettings(run.spec());
        train.optionsShown().set(true);
    }

    private static Node runs(SubjectPageViewModel model, InstantSource clock, LargePreviewView largePreview,
            BiConsumer<SubjectPageViewModel, RunSummary> duplicate) {
        RunView run = new RunView(model.runs(), largePreview::open);
        bindVisible(run, model.runs().shownRun().map(shown -> true).orElse(false));
        RunsTableView table = new RunsTableView(model.runs(), clock,
                listed -> model.compare().metrics().ofRun(listed.folder()),
                listed -> runMenuItems(model, listed, duplicate));
        model.tab().subscribe(shown -> {
            if (shown == SubjectPageViewModel.PageTab.TRAIN) table.refresh();
        });
        model.compare().metrics().scores().subscribe(now -> table.refresh());
        return new FocusScrollView(new VBox(12, run, table, new NoteView(NoteView.NoteKind.PLAIN,
                model.export().exportNote().map(note -> note.text()).orElse("")))).withBarInMargin();
    }

    private static List<MenuItem> runMenuItems(SubjectPageViewModel model, RunSummary run,
            BiConsumer<SubjectPageViewModel, RunSummary> duplicate) {
        Menu export = new Menu(run.isDone() ? text("subjects.export") : text("subjects.export.checkpoint"));
        export.getItems().setAll(ExportView.formatItems(model.export(), run));
        MenuItem row = new MenuItem(
                model.isCompared(run.folder()) ? text("subjects.compare.hide") : text("subjects.compare.show"));
        row.setDisable(!run.isDone());
        row.setOnAction(chosen -> model.toggleRow(run));
        MenuItem again = new MenuItem(text("subjects.duplicate"));
        again.setOnAction(chosen -> duplicate.accept(model, run));
        return List.of(again, row, export);
    }

    private static void bindVisible(Node node, ObservableValue<Boolean> when) {
        node.visibleProperty().bind(when);
        node.managedProperty().bind(when);
    }

    void focusStart() {
        train.focusStart();
    }
}
