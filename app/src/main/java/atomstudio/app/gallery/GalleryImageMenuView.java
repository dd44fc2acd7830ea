package atomstudio.app.gallery;

import static atomstudio.app.text.Texts.text;

import java.util.ArrayList;
import java.util.List;
import javafx.scene.control.MenuItem;
import javafx.scene.control.SeparatorMenuItem;

/// The menu of an image of the gallery.
public final class GalleryImageMenuView {
    private GalleryImageMenuView() {}

    public static List<MenuItem> items(LargeImageViewModel model, GalleryImage image) {
        LargeImageViewModel.ImageActions actions = model.actions();
        List<MenuItem> items = new ArrayList<>(List.of(item(text("gallery.menu.open"), () -> model.open(image)),
                item(model.gallery().isStarred(image) ? text("gallery.menu.unstar") : text("gallery.menu.star"),
                        () -> model.gallery().toggleStar(image)),
                new SeparatorMenuItem(),
                item(text("gallery.menu.variations"), () -> actions.generateVariations(image)),
                item(text("gallery.menu.source"), () -> actions.useAsSource(image)),
                item(text("gallery.menu.settings"), () -> actions.restoreSettings(image))));
        if (image.unsaved().isEmpty())
            items.add(item(text("gallery.menu.folder"), () -> model.showInFolder(image)));
        items.add(new SeparatorMenuItem());
        items.add(item(text("gallery.menu.delete"), () -> model.gallery().delete(List.of(image))));
        return items;
    }

    private static MenuItem item(String text, Runnable action) {
        MenuItem item = new MenuItem(text);
        item.setOnAction(chosen -> action.run());
        return item;
    }
}
