package atomstudio.app.window;

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
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javafx.css.PseudoClass;
import javafx.geometry.Insets;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.input.DragEvent;
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
    private final Map<SubjectPageViewModel, SubjectPageView> subjectPages = new HashMap<>();
    private final StartView startView;
    private final GalleryStripView strip;
    private final Map<Screen, Node> screens = new EnumMap<>(Screen.class);
    private @Nullable GeneratePageView generateView;

    public WindowView(WindowViewModel model, InstantSource clock) {
        this.model = model;
        this.clock = clock;
        getStyleClass().add("window");
        startView = new StartView(model.start());
        strip = new GalleryStripView(model.largeImage());
        frame.setTop(new TopBarView(model));
        frame.setLeft(new SidebarView(model));
        frame.setBottom(new StatusBarView(model));
        overlays.setPickOnBounds(false);
        getChildren().addAll(frame, overlays, new LargeImageView(model.largeImage()), notices(model),
                new ClosingView(model));
        model.page().subscribe(this::showPage);
        setOnDragOver(this::onDragOver);
        setOnDragExited(drag -> pseudoClassStateChanged(DROPPING, false));
        setOnDragDropped(this::onDropped);
    }

    private static Node notices(WindowViewModel model) {
        NoticesView notices = new NoticesView(model.notices());
        setAlignment(notices, Pos.BOTTOM_RIGHT);
        setMargin(notices, new Insets(0, 16, 40, 0));
        return notices;
    }

    private void showPage(WindowPage page) {
        List<Node> pageOverlays = new ArrayList<>();
        frame.setCenter(switch (page) {
            case WindowPage.StartPage _ -> startView;
            case WindowPage.SubjectPage(SubjectPageViewModel subject) -> {
                SubjectPageView view = subjectPages.computeIfAbsent(subject,
                        added -> new SubjectPageView(added, clock));
                pageOverlays.add(new MaskPaintView(subject.generate().source()));
                yield view;
            }
            case WindowPage.GeneratePage(GenerateViewModel generate, LargeImageViewModel largeImage) -> {
                pageOverlays.add(new MaskPaintView(generate.source()));
                GeneratePageView view = generateView;
                if (view == null) view = new GeneratePageView(model.models().current(), generate, largeImage);
                generateView = view;
                yield view;
            }
            case WindowPage.ScreenPage(Screen screen) ->
                    screens.computeIfAbsent(screen, added -> added.createView(model));
        });
        frame.setRight(page instanceof WindowPage.GeneratePage ? strip : null);
        overlays.getChildren().setAll(pageOverlays);
        if (page instanceof WindowPage.SubjectPage && frame.getCenter() instanceof SubjectPageView view)
            view.focusInitialControl(arrival());
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
        drag.consume();
    }

    private void onDropped(DragEvent drag) {
        pseudoClassStateChanged(DROPPING, false);
        boolean files = drag.getDragboard().hasFiles();
        if (files) model.onFilesDropped(drag.getDragboard().getFiles().stream().map(File::toPath).toList());
        drag.setDropCompleted(files);
        drag.consume();
    }
}
