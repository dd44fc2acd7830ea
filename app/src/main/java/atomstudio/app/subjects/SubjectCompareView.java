package atomstudio.app.subjects;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.FocusScrollView;
import atomstudio.app.controls.MutedLabelView;
import atomstudio.app.export.ExportView;
import atomstudio.app.generate.GalleryView;
import atomstudio.app.generate.PromptBarView;
import javafx.beans.property.SimpleBooleanProperty;
import javafx.scene.control.Label;
import javafx.scene.control.ScrollPane;
import javafx.scene.layout.Priority;
import javafx.scene.layout.VBox;

/// The tab to compare: a prompt, and a row of images of the base model and of each run.
public final class SubjectCompareView extends VBox {
    public SubjectCompareView(SubjectPageViewModel model) {
        super(12);
        getStyleClass().add("subject-tab");
        GalleryView gallery = new GalleryView(model.generate(), model.largeImage(),
                row -> row.run().map(source -> new ExportView(model.export(), source)));
        Label hint = new MutedLabelView(text("subjects.compare.untrained"));
        hint.visibleProperty().bind(model.untrained());
        hint.managedProperty().bind(hint.visibleProperty());
        ScrollPane results = new FocusScrollView(new VBox(12, gallery, hint));
        VBox.setVgrow(results, Priority.ALWAYS);
        results.viewportBoundsProperty().subscribe(viewport -> gallery.fitInto(viewport.getHeight()));
        getChildren().addAll(new PromptBarView(model.generate(), new SimpleBooleanProperty(true)), results);
    }
}
