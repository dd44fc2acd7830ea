package atomstudio.app.window;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.Shortcut;
import atomstudio.app.freedesktop.ApplicationsMenuView;
import atomstudio.app.gallery.GalleryGridView;
import atomstudio.app.models.ModelsView;
import atomstudio.app.models.ProxySettingView;
import atomstudio.app.settings.SettingsView;
import atomstudio.app.trash.TrashView;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Stream;
import javafx.scene.Node;
import org.kordamp.ikonli.feather.Feather;

/// The screens that the sidebar opens beside "Generate" and the subjects, in its order. A new screen is a package with
/// its view and view model, and a constant here. Its style sheet, if it has one, is `app/<name>/<name>.css`.
enum Screen {
    GALLERY(text("window.gallery"), Feather.GRID, Place.TOP, Shortcut.PAGE_2,
            model -> new GalleryGridView(model.largeImage())),
    MODELS(text("window.models"), Feather.BOX, Place.TOP, Shortcut.PAGE_3,
            model -> new ModelsView(model.models(), model.downloads())),
    TRASH(text("window.trash"), Feather.TRASH_2, Place.BOTTOM, Shortcut.PAGE_4,
            model -> new TrashView(model.deletions(), model.clock())),
    SETTINGS(text("window.settings"), Feather.SETTINGS, Place.BOTTOM, Shortcut.PAGE_5,
            model -> new SettingsView(model.settings(), model.devices(), model.home(), model::showFiles,
                    Stream.concat(Stream.<Node>of(new ProxySettingView(model.downloads().settings())),
                            model.createApplicationsMenu().map(ApplicationsMenuView::new).stream()).toList()));

    /// Above or below the subjects in the sidebar.
    enum Place { TOP, BOTTOM }

    private final String title;
    private final Feather icon;
    private final Place place;
    private final Shortcut shortcut;
    private final Function<WindowViewModel, Node> view;

    Screen(String title, Feather icon, Place place, Shortcut shortcut, Function<WindowViewModel, Node> view) {
        this.title = title;
        this.icon = icon;
        this.place = place;
        this.shortcut = shortcut;
        this.view = view;
    }

    /// The text of its sidebar button.
    String title() {
        return title;
    }

    Feather icon() {
        return icon;
    }

    Place place() {
        return place;
    }

    Shortcut shortcut() {
        return shortcut;
    }

    /// Its package, and part of its sidebar button's id.
    String id() {
        return name().toLowerCase(Locale.ROOT);
    }

    Node createView(WindowViewModel model) {
        return view.apply(model);
    }
}
