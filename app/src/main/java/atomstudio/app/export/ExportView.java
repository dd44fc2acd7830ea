package atomstudio.app.export;

import atomstudio.app.parts.NoteView;
import atomstudio.app.tune.RunSummary;
import atomstudio.tuning.export.ExportFormat;
import java.util.List;
import java.util.Locale;
import javafx.beans.value.ObservableValue;
import javafx.scene.control.Hyperlink;
import javafx.scene.control.MenuItem;
import javafx.scene.control.SplitMenuButton;
import javafx.scene.layout.VBox;

/// Export of one run's adapter, and where it went.
public final class ExportView extends VBox {
    public ExportView(ExportViewModel model, RunSummary run) {
        super(2);
        SplitMenuButton export = new SplitMenuButton();
        export.setText("Export");
        export.setId("export-" + run.folder().getFileName());
        export.getStyleClass().add("small");
        export.setAccessibleText("Export the adapter " + run.title());
        export.setOnAction(pressed -> model.export(run, ExportFormat.ATOMSTUDIO));
        export.getItems().setAll(items(model, run));
        ObservableValue<ExportViewModel.Note> mine = model.note().map(note -> note.run().equals(run.folder()) ? note : null);
        Hyperlink show = new Hyperlink("Show in folder");
        show.setOnAction(pressed -> model.showFile());
        show.visibleProperty().bind(mine.map(note -> note.file().isPresent()).orElse(false));
        show.managedProperty().bind(show.visibleProperty());
        getChildren().addAll(export, new NoteView(NoteView.Kind.PLAIN, mine.map(ExportViewModel.Note::text).orElse("")), show);
    }

    /// One for each thing that the run can be written as.
    public static List<MenuItem> items(ExportViewModel model, RunSummary run) {
        return model.formats(run).stream().map(format -> {
            MenuItem item = new MenuItem(capital(format.words()) + "…");
            item.setId("export-" + run.folder().getFileName() + "-" + format.option());
            item.setOnAction(chosen -> model.export(run, format));
            return item;
        }).toList();
    }

    private static String capital(String words) {
        return words.substring(0, 1).toUpperCase(Locale.ROOT) + words.substring(1);
    }
}
