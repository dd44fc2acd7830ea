package atomstudio.app.compare;

import static atomstudio.app.controls.ShownView.refreshWhileShown;
import static atomstudio.app.controls.ShownView.shown;
import static atomstudio.app.text.Texts.text;

import atomstudio.app.compare.CompareExportViewModel.SheetFormat;
import atomstudio.app.compare.CompareTable.CompareRow;
import atomstudio.app.compare.ComparedAdapter.OfRun;
import atomstudio.app.controls.NoteView;
import atomstudio.app.export.ExportView;
import atomstudio.app.export.ExportViewModel;
import atomstudio.app.runs.RunSummary;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import javafx.beans.binding.Bindings;
import javafx.scene.control.Hyperlink;
import javafx.scene.control.Label;
import javafx.scene.control.Menu;
import javafx.scene.control.MenuButton;
import javafx.scene.control.MenuItem;
import javafx.scene.layout.FlowPane;
import javafx.scene.layout.VBox;

/// Export of an adapter, and of the comparison as image, page and table.
final class CompareExportView extends VBox {
    CompareExportView(CompareViewModel comparison, ExportViewModel adapters) {
        super(8);
        setId("compare-export");
        getStyleClass().add("studio-card");
        Label title = new Label(text("compare.export"));
        title.getStyleClass().add("card-title");
        MenuButton adapter = new MenuButton(text("compare.export.adapter"));
        adapter.setId("export-adapter");
        refreshWhileShown(this, comparison.rows(), () -> adapter.getItems().setAll(adapterItems(comparison, adapters)));
        adapter.disableProperty().bind(Bindings.isEmpty(adapter.getItems()));
        MenuButton sheet = new MenuButton(text("compare.export.sheet"));
        sheet.setId("export-sheet");
        for (SheetFormat format : SheetFormat.values()) {
            MenuItem item = new MenuItem(format.title());
            item.setId("export-" + format.name().toLowerCase(Locale.ROOT));
            item.setOnAction(chosen -> comparison.export().export(format));
            sheet.getItems().add(item);
        }
        Hyperlink open = new Hyperlink(text("compare.export.open"));
        open.setOnAction(pressed -> comparison.export().open());
        open.visibleProperty().bind(comparison.export().note().map(note -> note.file().isPresent()));
        open.managedProperty().bind(open.visibleProperty());
        NoteView adapterNote = new NoteView(NoteView.NoteKind.PLAIN,
                adapters.exportNote().when(shown(this)).map(ExportViewModel.ExportNote::text).orElse(""));
        NoteView sheetNote = new NoteView(NoteView.NoteKind.PLAIN,
                comparison.export().note().map(CompareExportViewModel.ExportNote::text));
        getChildren().addAll(title, new FlowPane(8, 8, adapter, sheet), adapterNote, sheetNote, open);
    }

    private static List<MenuItem> adapterItems(CompareViewModel comparison, ExportViewModel adapters) {
        List<RunSummary> runs = comparison.rows()
                .stream()
                .map(CompareRow::adapter)
                .filter(OfRun.class::isInstance)
                .map(of -> ((OfRun) of).run())
                .distinct()
                .toList();
        if (runs.size() == 1) return ExportView.formatItems(adapters, runs.getFirst());
        List<MenuItem> items = new ArrayList<>();
        for (RunSummary run : runs) {
            Menu menu = new Menu(run.title());
            menu.getItems().setAll(ExportView.formatItems(adapters, run));
            items.add(menu);
        }
        return items;
    }
}
