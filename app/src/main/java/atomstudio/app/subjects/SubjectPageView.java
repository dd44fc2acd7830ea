package atomstudio.app.subjects;

import atomstudio.app.controls.MutedLabelView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.export.ExportView;
import atomstudio.app.generate.GalleryView;
import atomstudio.app.generate.PromptBarView;
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
import javafx.geometry.Bounds;
import javafx.scene.Node;
import javafx.scene.Scene;
import javafx.scene.control.Label;
import javafx.scene.control.Menu;
import javafx.scene.control.MenuItem;
import javafx.scene.control.ScrollPane;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.VBox;

/// A subject's page: photos, training and runs on the left, images and progress on the right.
public final class SubjectPageView extends VBox {
    private static final double LEFT_WIDTH = 306;
    /// Margin around a control that is scrolled into view, in pixels.
    private static final double MARGIN = 12;

    private final SubjectHeaderView header;
    private final TrainCardView train;
    private final PromptBarView prompt;

    /// @param delete deletes the subject
    public SubjectPageView(SubjectPageViewModel model, InstantSource clock, Runnable delete) {
        getStyleClass().add("subject-page");
        header = new SubjectHeaderView(model.subject(), model::classWords, delete);
        train = new TrainCardView(model.train(), model.untrained());
        prompt = new PromptBarView(model.generate(), model.untrained().map(first -> !first));
        ProgressCardView progress = new ProgressCardView(model.queue());
        Node queue = new QueueCardView(model.queue(), model.train(), model::removeQueued);
        bindVisible(train, model.training().map(now -> !now));
        bindVisible(progress, model.training());
        bindVisible(queue,
                Bindings.createBooleanBinding(() -> model.training().get() || !model.queue().waiting().isEmpty(),
                        model.training(), model.queue().waiting()));
        model.training().addListener((property, before, now) -> {
            if (now) moveFocus(train, progress::focusCancel);
            else moveFocus(progress, prompt::focusGenerate);
        });
        VBox leftColumn = new VBox(12, new PhotosCardView(model.subject()), train, progress, queue,
                new RunsCardView(model.runs(), clock, run -> runMenuItems(model, run)),
                new NoteView(NoteView.NoteKind.PLAIN,
                        model.export()
                                .exportNote()
                                .map(note -> model.isCompared(note.run()) ? "" : note.text())
                                .orElse("")));
        ScrollPane left = scroll(leftColumn);
        left.setMinWidth(LEFT_WIDTH);
        left.setMaxWidth(LEFT_WIDTH);
        HBox columns = new HBox(18, left, resultsColumn(model));
        VBox.setVgrow(columns, Priority.ALWAYS);
        columns.getStyleClass().add("columns");
        getChildren().addAll(header, columns);
    }

    private static List<MenuItem> runMenuItems(SubjectPageViewModel model, RunSummary run) {
        Menu export = new Menu(run.isDone() ? "Export adapter" : "Export last checkpoint");
        export.getItems().setAll(ExportView.formatItems(model.export(), run));
        MenuItem row = new MenuItem(model.isCompared(run.folder()) ? "Hide from comparison" : "Show in comparison");
        row.setDisable(!run.isDone());
        row.setOnAction(chosen -> model.toggleRow(run));
        return List.of(row, export);
    }

    private Node resultsColumn(SubjectPageViewModel model) {
        RunView run = new RunView(model.runs());
        GalleryView gallery = new GalleryView(model.generate(), model.largeImage(),
                row -> row.run().map(source -> new ExportView(model.export(), source)));
        ObservableValue<Boolean> runShown = model.runs().shownRun().map(shown -> true).orElse(false);
        bindVisible(run, runShown);
        bindVisible(gallery, runShown.map(now -> !now));
        Label hint = new MutedLabelView("Train a method to compare it here, same seeds per column.");
        bindVisible(hint, model.untrained().flatMap(first -> runShown.map(now -> first && !now)));
        ScrollPane results = scroll(new VBox(12, run, gallery, hint));
        VBox.setVgrow(results, Priority.ALWAYS);
        results.viewportBoundsProperty().subscribe(viewport -> gallery.fitInto(viewport.getHeight()));
        VBox right = new VBox(12, prompt, results);
        right.setMinWidth(0);
        HBox.setHgrow(right, Priority.ALWAYS);
        return right;
    }

    private static ScrollPane scroll(Node content) {
        ScrollPane scroll = new ScrollPane(content);
        scroll.setFitToWidth(true);
        scroll.getStyleClass().add("edge-to-edge");
        scroll.setHbarPolicy(ScrollPane.ScrollBarPolicy.NEVER);
        scroll.sceneProperty().flatMap(Scene::focusOwnerProperty).subscribe(focused -> {
            for (Node node = focused; node != null; node = node.getParent())
                if (node == content) scrollTo(scroll, focused);
        });
        return scroll;
    }

    /// Scrolls just enough to show the focused control.
    private static void scrollTo(ScrollPane scroll, Node focused) {
        Bounds bounds = scroll.getContent().sceneToLocal(focused.localToScene(focused.getLayoutBounds()));
        double viewportHeight = scroll.getViewportBounds().getHeight();
        double scrollable = scroll.getContent().getLayoutBounds().getHeight() - viewportHeight;
        if (scrollable <= 0) return;
        double top = scroll.getVvalue() * scrollable;
        double target = bounds.getMinY() < top ? bounds.getMinY() - MARGIN
                : bounds.getMaxY() > top + viewportHeight ? bounds.getMaxY() + MARGIN - viewportHeight : top;
        scroll.setVvalue(Math.clamp(target / scrollable, 0, 1));
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

    /// How the page was reached.
    public enum Arrival { NEW, FROM_SIDEBAR }

    /// Focuses the empty class word field, or the start button. Coming from the sidebar, the focus stays there.
    public void focusInitialControl(Arrival arrival) {
        if (header.focusClassNameIfEmpty() || arrival == Arrival.FROM_SIDEBAR) return;
        train.focusStart();
    }
}
