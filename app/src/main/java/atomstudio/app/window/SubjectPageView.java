package atomstudio.app.window;

import atomstudio.app.export.ExportView;
import atomstudio.app.generate.GalleryView;
import atomstudio.app.generate.PromptBarView;
import atomstudio.app.parts.NoteView;
import atomstudio.app.subjects.PhotosCardView;
import atomstudio.app.subjects.SubjectHeaderView;
import atomstudio.app.tune.ProgressCardView;
import atomstudio.app.tune.QueueCardView;
import atomstudio.app.tune.RunSummary;
import atomstudio.app.tune.RunView;
import atomstudio.app.tune.RunsCardView;
import atomstudio.app.tune.TrainCardView;
import java.time.InstantSource;
import java.util.List;
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

/// A subject's page: what goes in on the left, what comes out on the right.
final class SubjectPageView extends VBox {
    private static final double LEFT = 306;
    /// Room that stays beyond what is scrolled into view.
    private static final double MARGIN = 12;

    private final SubjectHeaderView head;
    private final TrainCardView tune;
    private final PromptBarView prompt;

    SubjectPageView(SubjectPageViewModel model, InstantSource clock) {
        getStyleClass().add("subject-page");
        head = new SubjectHeaderView(model.subject(), model::words);
        tune = new TrainCardView(model.tune(), model.first());
        prompt = new PromptBarView(model.generate(), model.first().map(first -> !first));
        ProgressCardView progress = new ProgressCardView(model.queue());
        Node queue = new QueueCardView(model.queue(), model.tune());
        shown(tune, model.tuning().map(now -> !now));
        shown(progress, model.tuning());
        shown(queue, model.tuning());
        model.tuning().addListener((property, before, now) -> {
            if (now) handOver(tune, progress::focusCancel);
            else handOver(progress, prompt::focusGenerate);
        });
        VBox inside = new VBox(12, new PhotosCardView(model.subject()), tune, progress, queue, new RunsCardView(model.runs(), clock, run -> more(model, run)),
            new NoteView(NoteView.NoteKind.PLAIN, model.export().exportNote().map(note -> model.compares(note.run()) ? "" : note.text()).orElse("")));
        ScrollPane left = scroll(inside);
        left.setMinWidth(LEFT);
        left.setMaxWidth(LEFT);
        HBox columns = new HBox(18, left, right(model));
        VBox.setVgrow(columns, Priority.ALWAYS);
        columns.getStyleClass().add("columns");
        getChildren().addAll(head, columns);
    }

    private static List<MenuItem> more(SubjectPageViewModel model, RunSummary run) {
        Menu export = new Menu(run.isDone() ? "Export adapter" : "Export adapter of the last checkpoint");
        export.getItems().setAll(ExportView.formatItems(model.export(), run));
        MenuItem row = new MenuItem(model.compares(run.folder()) ? "Hide its row" : "Show as a row");
        row.setDisable(!run.isDone());
        row.setOnAction(chosen -> model.toggleRow(run));
        return List.of(row, export);
    }

    private Node right(SubjectPageViewModel model) {
        RunView run = new RunView(model.runs());
        GalleryView gallery = new GalleryView(model.generate(), model.large(), row -> row.run().map(of -> new ExportView(model.export(), of)));
        ObservableValue<Boolean> watching = model.runs().shownRun().map(watched -> true).orElse(false);
        shown(run, watching);
        shown(gallery, watching.map(now -> !now));
        Label hint = new Label("A row for every method appears here once it is tuned: the same seeds below each other.");
        hint.getStyleClass().add("muted");
        hint.setWrapText(true);
        shown(hint, model.first().flatMap(first -> watching.map(now -> first && !now)));
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
            for (Node node = focused; node != null; node = node.getParent()) if (node == content) reveal(scroll, focused);
        });
        return scroll;
    }

    /// Scrolls as little as brings into view what has the keyboard.
    private static void reveal(ScrollPane scroll, Node focused) {
        Bounds place = scroll.getContent().sceneToLocal(focused.localToScene(focused.getLayoutBounds()));
        double view = scroll.getViewportBounds().getHeight();
        double hidden = scroll.getContent().getLayoutBounds().getHeight() - view;
        if (hidden <= 0) return;
        double top = scroll.getVvalue() * hidden;
        double wanted = place.getMinY() < top ? place.getMinY() - MARGIN : place.getMaxY() > top + view ? place.getMaxY() + MARGIN - view : top;
        scroll.setVvalue(Math.clamp(wanted / hidden, 0, 1));
    }

    private static void shown(Node node, ObservableValue<Boolean> when) {
        node.visibleProperty().bind(when);
        node.managedProperty().bind(when);
    }

    /// The keyboard stays where the eye is: when a card goes in which it was, it goes on to what comes next.
    private void handOver(Node card, Runnable next) {
        if (getScene() == null) return;
        for (Node focused = getScene().getFocusOwner(); focused != null; focused = focused.getParent()) {
            if (focused == card) next.run();
        }
    }

    /// How the page was reached.
    enum Arrival { NEW, BY_SIDEBAR }

    /// Puts the cursor where the page asks something, or on Start; whoever goes through the sidebar stays there.
    void ask(Arrival arrival) {
        if (head.focusClassNameIfEmpty() || arrival == Arrival.BY_SIDEBAR) return;
        tune.focusStart();
    }
}
