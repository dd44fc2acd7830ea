package atomstudio.app.generate;

import static atomstudio.app.controls.ShownView.shown;
import static atomstudio.app.text.Texts.text;

import atlantafx.base.controls.ToggleSwitch;
import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.MutedLabelView;
import atomstudio.app.controls.RoundedImageView;
import atomstudio.app.generate.AdapterLibrary.AdapterInfo;
import atomstudio.app.generate.ImageSettings.SelectedAdapter;
import atomstudio.app.generate.ImageSettings.SelectedAdapter.AdapterSwitch;
import atomstudio.app.generate.LiveStrength.DragState;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.MenuButton;
import javafx.scene.control.MenuItem;
import javafx.scene.control.SeparatorMenuItem;
import javafx.scene.control.Tooltip;
import javafx.scene.image.Image;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.scene.layout.StackPane;
import javafx.scene.layout.VBox;
import org.kordamp.ikonli.feather.Feather;
import org.kordamp.ikonli.javafx.FontIcon;

/// The adapters added to the images: a card each, and a menu that adds runs and files.
final class AdapterCardsView extends VBox {
    private static final double THUMBNAIL_SIDE = 38;

    private final GenerateViewModel model;
    private final VBox cards = new VBox(6);
    private final Map<Path, CardView> byFile = new HashMap<>();

    AdapterCardsView(GenerateViewModel model) {
        super(6);
        this.model = model;
        getChildren().addAll(GeneratePanelView.title(text("generate.adapters"), addMenu()), cards);
        model.settings().map(ImageSettings::adapters).subscribe(this::show);
    }

    private void show(List<SelectedAdapter> adapters) {
        List<CardView> shown = new ArrayList<>();
        for (SelectedAdapter adapter : adapters)
            shown.add(byFile.computeIfAbsent(adapter.file(), file -> new CardView(adapter)));
        byFile.values().retainAll(shown);
        if (!cards.getChildren().equals(shown)) cards.getChildren().setAll(shown);
        for (int i = 0; i < adapters.size(); i++) shown.get(i).show(adapters.get(i));
    }

    private MenuButton addMenu() {
        MenuButton menu = new MenuButton("", new FontIcon(Feather.PLUS));
        menu.setId("add-adapter");
        menu.getStyleClass().addAll("flat", "small", "no-arrow");
        menu.setAccessibleText(text("generate.adapters.add"));
        menu.setTooltip(new Tooltip(text("generate.adapters.add.tip")));
        menu.getItems().setAll(fileItem());
        menu.setOnShowing(showing -> {
            List<MenuItem> items = new ArrayList<>(
                    model.adapters().library().runs().stream().map(this::runItem).toList());
            if (!items.isEmpty()) items.add(new SeparatorMenuItem());
            items.add(fileItem());
            menu.getItems().setAll(items);
        });
        return menu;
    }

    private MenuItem runItem(AdapterInfo run) {
        MenuItem item = new MenuItem(run.title() + " · " + run.detail(), thumbnail(run.thumbnail()));
        item.setOnAction(chosen -> model.adapters().add(List.of(run.file())));
        return item;
    }

    private MenuItem fileItem() {
        MenuItem item = new MenuItem(text("generate.adapters.file"));
        item.setId("add-adapter-file");
        item.setOnAction(chosen -> model.adapters().chooseFiles());
        return item;
    }

    /// Loaded in the background.
    private static Node thumbnail(Optional<Path> file) {
        StackPane frame = new StackPane();
        frame.getStyleClass().add("adapter-thumbnail");
        frame.setMinSize(THUMBNAIL_SIDE, THUMBNAIL_SIDE);
        frame.setMaxSize(THUMBNAIL_SIDE, THUMBNAIL_SIDE);
        frame.getChildren()
                .setAll(file
                        .<Node>map(image -> new RoundedImageView(new Image(
                                image.toUri().toString(), 2 * THUMBNAIL_SIDE, 2 * THUMBNAIL_SIDE, true, true, true),
                                THUMBNAIL_SIDE))
                        .orElseGet(() -> new FontIcon(Feather.LAYERS)));
        return frame;
    }

    private final class CardView extends HBox {
        private final Label title = new Label();
        private final Label detail = new MutedLabelView("", "small-text");
        private final Label trigger = new MutedLabelView("", "small-text");
        private final StackPane thumbnail = new StackPane();
        private final StrengthView strength;
        private final ToggleSwitch on = new ToggleSwitch();
        private Optional<Path> shownThumbnail = Optional.empty();

        CardView(SelectedAdapter adapter) {
            super(8);
            getStyleClass().add("adapter-card");
            setAlignment(Pos.CENTER_LEFT);
            Path file = adapter.file();
            thumbnail.getChildren().setAll(thumbnail(Optional.empty()));
            title.getStyleClass().add("adapter-name");
            title.setMinWidth(0);
            title.setTooltip(new Tooltip(file.toString()));
            strength = new StrengthView(text("generate.adapters.strength", adapter.name()),
                    new StrengthView.StrengthChanges() {
                        @Override
                        public void changed(double value) {
                            model.adapters().setWeight(file, value);
                        }

                        @Override
                        public void dragging(double value, DragState state) {
                            model.adapters().setWeight(file, value);
                            model.live().render(state);
                        }
                    });
            on.setAccessibleText(text("generate.adapters.switch", adapter.name()));
            on.selectedProperty()
                    .addListener((property, before, now) -> model.adapters()
                            .setSwitch(file, now ? AdapterSwitch.ON : AdapterSwitch.OFF));
            Button remove = new ActionButtonView("", () -> model.adapters().remove(file), "flat", "small");
            remove.setGraphic(new FontIcon(Feather.X));
            remove.setAccessibleText(text("generate.adapters.remove", adapter.name()));
            remove.setTooltip(new Tooltip(text("generate.adapters.remove", adapter.name())));
            Region gap = new Region();
            HBox.setHgrow(gap, Priority.ALWAYS);
            HBox line = new HBox(6, title, detail, gap, on, remove);
            line.setAlignment(Pos.CENTER_LEFT);
            VBox lines = new VBox(2, line, trigger, strength);
            HBox.setHgrow(lines, Priority.ALWAYS);
            getChildren().addAll(thumbnail, lines);
            model.adapters().library().info(file).when(shown(this)).subscribe(this::showInfo);
        }

        private void showInfo(AdapterInfo info) {
            title.setText(info.title());
            detail.setText(info.detail());
            trigger.setText(
                    info.triggerWords().isEmpty() ? "" : text("generate.adapters.trigger", info.triggerWords()));
            trigger.setVisible(!info.triggerWords().isEmpty());
            trigger.setManaged(trigger.isVisible());
            if (!info.thumbnail().equals(shownThumbnail)) thumbnail.getChildren().setAll(thumbnail(info.thumbnail()));
            shownThumbnail = info.thumbnail();
        }

        void show(SelectedAdapter adapter) {
            on.setSelected(adapter.isOn());
            strength.show(adapter.weight());
            strength.setDisable(!adapter.isOn());
        }
    }
}
