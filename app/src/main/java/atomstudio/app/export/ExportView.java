package atomstudio.app.export;

import static atomstudio.app.controls.ShownView.shown;
import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.NoteView;
import atomstudio.app.runs.RunSummary;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import javafx.beans.value.ObservableValue;
import javafx.scene.control.Hyperlink;
import javafx.scene.control.MenuItem;
import javafx.scene.control.SplitMenuButton;
import javafx.scene.layout.VBox;

/// Export button of a run, with the formats as a menu and a link to the exported file.
public final class ExportView extends VBox {
    public ExportView(ExportViewModel model, RunSummary run) {
        super(2);
        SplitMenuButton export = new SplitMenuButton();
        export.setText(text("export.export"));
        export.setId("export-" + run.folder().getFileName());
        export.getStyleClass().add("small");
        export.setAccessibleText(text("export.export.accessible", run.title()));
        export.setOnAction(event -> model.open(run));
        export.getItems().setAll(formatItems(model, run));
        // The view ends with its row, before the view model.
        ObservableValue<ExportViewModel.ExportNote> ownNote = model.exportNote()
                .when(shown(this))
                .map(note -> note.run().equals(run.folder()) ? note : null);
        Hyperlink showLink = new Hyperlink(text("export.show-in-folder"));
        showLink.setOnAction(event -> model.showInFolder());
        showLink.visibleProperty().bind(ownNote.map(note -> note.file().isPresent()).orElse(false));
        showLink.managedProperty().bind(showLink.visibleProperty());
        getChildren().addAll(export,
                new NoteView(NoteView.NoteKind.PLAIN, ownNote.map(ExportViewModel.ExportNote::text).orElse("")),
                showLink);
    }

    /// One item per export format.
    public static List<MenuItem> formatItems(ExportViewModel model, RunSummary run) {
        MenuItem all = item(run, text("export.compare"), "dialog", () -> model.open(run));
        Stream<MenuItem> adapters = model.formats(run)
                .stream()
                .map(format -> item(run, capitalized(format.description()), format.option(),
                        () -> model.export(run, format)));
        MenuItem settings = item(run, text("export.toml"), "toml", () -> model.exportSettings(run));
        return Stream.of(Stream.of(all), adapters, Stream.of(settings)).flatMap(items -> items).toList();
    }

    private static MenuItem item(RunSummary run, String text, String name, Runnable action) {
        MenuItem item = new MenuItem(text + "…");
        item.setId("export-" + run.folder().getFileName() + "-" + name);
        item.setOnAction(event -> action.run());
        return item;
    }

    private static String capitalized(String text) {
        return text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1);
    }
}
