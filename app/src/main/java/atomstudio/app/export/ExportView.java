package atomstudio.app.export;

import atomstudio.app.parts.NoteView;
import atomstudio.app.tune.RunSummary;
import javafx.beans.value.ObservableValue;
import javafx.scene.control.Button;
import javafx.scene.control.Hyperlink;
import javafx.scene.layout.VBox;

/// Export of one run's adapter, and where it went.
public final class ExportView extends VBox {
    public ExportView(ExportViewModel model, RunSummary run) {
        super(2);
        Button export = new Button("Export");
        export.setId("export-" + run.folder().getFileName());
        export.getStyleClass().add("small");
        export.setAccessibleText("Export the adapter " + run.title());
        export.setOnAction(pressed -> model.export(run));
        ObservableValue<ExportViewModel.Note> mine = model.note().map(note -> note.run().equals(run.folder()) ? note : null);
        Hyperlink show = new Hyperlink("Show in folder");
        show.setOnAction(pressed -> model.showFile());
        show.visibleProperty().bind(mine.map(note -> note.file().isPresent()).orElse(false));
        show.managedProperty().bind(show.visibleProperty());
        getChildren().addAll(export, new NoteView(NoteView.Kind.PLAIN, mine.map(ExportViewModel.Note::text).orElse("")), show);
    }
}
