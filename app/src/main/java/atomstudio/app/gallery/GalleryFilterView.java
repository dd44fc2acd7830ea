package atomstudio.app.gallery;

import static atomstudio.app.text.Texts.count;
import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.SearchFieldView;
import javafx.collections.ListChangeListener;
import javafx.scene.control.Label;
import javafx.scene.control.MenuButton;
import javafx.scene.control.MenuItem;
import javafx.scene.control.TextField;
import javafx.scene.layout.FlowPane;
import javafx.scene.layout.VBox;

/// The filter of the gallery: a menu of groups, and words of the prompt. Built once.
final class GalleryFilterView extends VBox {
    /// @param fieldWidth of the search field
    GalleryFilterView(GalleryViewModel model, double fieldWidth) {
        super(6);
        MenuButton groups = new MenuButton();
        groups.setId("gallery-group");
        groups.setMnemonicParsing(false);
        groups.getStyleClass().addAll("small", "flat");
        groups.textProperty().bind(model.filter().map(now -> now.group().title()));
        groups.setOnShowing(showing -> groups.getItems().setAll(model.groups().stream().map(group -> {
            MenuItem item = new MenuItem(group.title());
            item.setMnemonicParsing(false);
            item.setOnAction(chosen -> model.filter(new GalleryFilter(model.filter().get().text(), group)));
            return item;
        }).toList()));
        // A menu without items does not open.
        groups.getItems().add(new MenuItem());
        TextField text = new SearchFieldView("gallery-search", text("gallery.search-prompts"));
        text.setPrefWidth(fieldWidth);
        text.textProperty()
                .addListener((property, before, now) -> model
                        .filter(new GalleryFilter(now, model.filter().get().group())));
        model.filter().subscribe(now -> {
            if (!text.getText().equals(now.text())) text.setText(now.text());
        });
        Label count = new Label();
        count.getStyleClass().addAll("muted", "small-text");
        Runnable showCount = () -> count.setText(count("gallery.images", model.shown().size()));
        model.shown().addListener((ListChangeListener<GalleryImage>) change -> showCount.run());
        showCount.run();
        FlowPane line = new FlowPane(6, 6, groups, text, count);
        line.setPrefWrapLength(fieldWidth);
        getChildren().add(line);
    }
}
