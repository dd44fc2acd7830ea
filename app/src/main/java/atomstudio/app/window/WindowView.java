package atomstudio.app.window;

import atomstudio.app.controls.Shortcut;
import atomstudio.app.export.ExportDialogView;
import atomstudio.app.gallery.GalleryStripView;
import atomstudio.app.gallery.LargeImageView;
import atomstudio.app.gallery.LargeImageViewModel;
import atomstudio.app.generate.GeneratePageView;
import atomstudio.app.generate.GenerateViewModel;
import atomstudio.app.generate.MaskPaintView;
import atomstudio.app.notices.NoticesView;
import atomstudio.app.start.StartView;
import atomstudio.app.subjects.SubjectPageView;
import atomstudio.app.subjects.SubjectPageViewModel;
import java.io.File;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javafx.collections.ListChangeListener;
import javafx.css.PseudoClass;
import javafx.geometry.Insets;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.input.DragEvent;
import javafx.scene.input.KeyEvent;
import javafx.scene.input.TransferMode;
import javafx.scene.layout.BorderPane;
import javafx.scene.layout.StackPane;
import org.jspecify.annotations.Nullable;

/// The window's root: bars around the current page, and overlays. Files can be dropped anywhere.
public final class WindowView extends StackPane {
    private static final PseudoClass DROPPING = PseudoClass.getPseudoClass("dropping");

    private final WindowViewModel model;
    private final InstantSource clock;
    private final BorderPane frame = new BorderPane();
    private final StackPane overlays = new StackPane();
    private final GalleryStripView strip;
    private final ShortcutsView shortcuts = new ShortcutsView();
    /// Built when first opened, and kept: their view models live as long as the window, or until a subject is deleted.
    private final Map<WindowPage, PageView> pages = new HashMap<>();

    private record PageView(Node center, List<Node> overlays) {}

    public WindowView(WindowViewModel model, InstantSource clock) {
        this.model = model;
        this.clock = clock;
        getStyleClass().add("window");
        strip = new GalleryStripView(model.largeImage());
        frame.setTop(new TopBarView(model));
        frame.setLeft(new SidebarView(model));
        frame.setBottom(new StatusBarView(model));
        overlays.setPickOnBounds(false);
        getChildren().addAll(frame, overlays, new LargeImageView(model.largeImage()), notices(model),
                shortcuts, new ClosingView(model), new DropTargetsView(model.drops()));
        model.page().subscribe(this::showPage);
        model.subjects()
                .pages()
                .addListener((ListChangeListener<SubjectPageViewModel>) change -> pages.keySet()
                        .removeIf(page -> page instanceof WindowPage.SubjectPage(SubjectPageViewModel subject)
                                && !model.subjects().pages().contains(subject)));
        setOnDragOver(this::onDragOver);
        setOnDragExited(drag -> {
            pseudoClassStateChanged(DROPPING, false);
            model.drops().exit();
        });
        setOnDragDropped(this::onDropped);
    }

    private static Node notices(WindowViewModel model) {
        NoticesView notices = new NoticesView(model.notices());
        setAlignment(notices, Pos.BOTTOM_RIGHT);
        setMargin(notices, new Insets(0, 16, 96, 0));
        return notices;
    }

    private void showPage(WindowPage page) {
        SubjectPageView.Arrival arrival = arrival();
        PageView shown = pages.computeIfAbsent(page, this::createPage);
        frame.setCenter(shown.center);
        frame.setRight(page instanceof WindowPage.GeneratePage ? strip : null);
        overlays.getChildren().setAll(shown.overlays);
        if (shown.center instanceof SubjectPageView view) view.focusInitialControl(arrival);
    }

    private PageView createPage(WindowPage page) {
        return switch (page) {
            case WindowPage.StartPage _ -> new PageView(new StartView(model.start()), List.of());
            case WindowPage.SubjectPage(SubjectPageViewModel subject) -> new PageView(
                    new SubjectPageView(subject, clock,
                            new SubjectPageView.PageActions(() -> model.delete(subject), model::openModels)),
                    List.of(new MaskPaintView(subject.generate().source()),
                            new ExportDialogView(subject.export())));
            case WindowPage.GeneratePage(GenerateViewModel generate, LargeImageViewModel largeImage) -> new PageView(
                    new GeneratePageView(generate, largeImage),
                    List.of(new MaskPaintView(generate.source())));
            case WindowPage.ScreenPage(Screen screen) -> new PageView(screen.createView(model), List.of());
        };
    }

    /// The content between the bars.
    @Nullable
    Node page() {
        return frame.getCenter();
    }

    private SubjectPageView.Arrival arrival() {
        Node focused = getScene() == null ? null : getScene().getFocusOwner();
        for (Node node = focused; node != null; node = node.getParent())
            if (node == frame.getLeft()) return SubjectPageView.Arrival.FROM_SIDEBAR;
        return SubjectPageView.Arrival.NEW;
    }

    private void onDragOver(DragEvent drag) {
        if (!drag.getDragboard().hasFiles()) return;
        drag.acceptTransferModes(TransferMode.COPY);
        pseudoClassStateChanged(DROPPING, true);
        model.drops().enter(files(drag));
        drag.consume();
    }

    private static List<Path> files(DragEvent drag) {
        return drag.getDragboard().getFiles().stream().map(File::toPath).toList();
    }

    /// Handles the shortcuts of the window, after the focused control.
    void onKey(KeyEvent key) {
        if (Shortcut.UNDO.matches(key)) model.notices().undo();
        else if (Shortcut.OVERVIEW.matches(key)) shortcuts.toggle();
        else if (Shortcut.NEW_SUBJECT.matches(key)) model.newSubject();
        else if (Shortcut.PAGE_1.matches(key)) model.openGenerate();
        else
            if (Arrays.stream(Screen.values()).anyMatch(screen -> screen.shortcut().matches(key)))
                Arrays.stream(Screen.values())
                        .filter(screen -> screen.shortcut().matches(key))
                        .forEach(model::open);
            else
                return;
        key.consume();
    }

    private void onDropped(DragEvent drag) {
        pseudoClassStateChanged(DROPPING, false);
        model.drops().exit();
        boolean files = drag.getDragboard().hasFiles();
        if (files) model.drops().drop(files(drag));
        drag.setDropCompleted(files);
        drag.consume();
    }
}
