package atomstudio.app.window;

import atomstudio.app.gallery.GalleryGridView;
import atomstudio.app.models.ModelsView;
import atomstudio.app.settings.SettingsView;
import atomstudio.app.trash.TrashView;
import java.util.Locale;
import java.util.function.Function;
import javafx.scene.Node;

/// The screens that the sidebar opens below "Generate", in its order. A new screen is a package with its view and view
/// model, and a constant here. Its style sheet, if it has one, is `app/<name>/<name>.css`.
enum Screen {
    GALLERY("Gallery", model -> new GalleryGridView(model.largeImage())),
    MODELS("Models", model -> new ModelsView(model.models(), model.downloads())),
    TRASH("Trash", model -> new TrashView(model.deletions(), model.clock())),
    SETTINGS("Settings", model -> new SettingsView(model.settings(), model.home(), model::showFiles));

    private final String title;
    private final Function<WindowViewModel, Node> view;

    Screen(String title, Function<WindowViewModel, Node> view) {
        this.title = title;
        this.view = view;
    }

    /// The text of its sidebar button.
    String title() {
        return title;
    }

    /// Its package, and part of its sidebar button's id.
    String id() {
        return name().toLowerCase(Locale.ROOT);
    }

    Node createView(WindowViewModel model) {
        return view.apply(model);
    }
}
