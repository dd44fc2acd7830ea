package atomstudio.app.notices;

import atlantafx.base.controls.Notification;
import atlantafx.base.theme.Styles;
import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.RoundedImageView;
import java.util.List;
import java.util.Locale;
import javafx.animation.PauseTransition;
import javafx.collections.ListChangeListener;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.image.Image;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;
import javafx.util.Duration;

/// Notices in the corner of the window. A plain one goes after a while, unless the pointer or the keyboard focus is on
/// it; an error stays.
public final class NoticesView extends VBox {
    private static final Duration SHOWN_FOR = Duration.seconds(20);
    private static final double WIDTH = 420;
    private static final double IMAGE_SIDE = 72;

    private final NoticesViewModel model;

    public NoticesView(NoticesViewModel model) {
        super(8);
        this.model = model;
        setId("notices");
        getStyleClass().add("notices");
        setAlignment(Pos.BOTTOM_RIGHT);
        setPickOnBounds(false);
        setMaxSize(WIDTH, Region.USE_PREF_SIZE);
        model.notices().addListener((ListChangeListener<NoticesViewModel.Notice>) this::update);
    }

    private void update(ListChangeListener.Change<? extends NoticesViewModel.Notice> change) {
        while (change.next()) {
            getChildren().removeIf(shown -> change.getRemoved().contains(shown.getUserData()));
            List<Node> added = change.getAddedSubList().stream().map(this::notification).toList();
            getChildren().addAll(added);
        }
    }

    private Node notification(NoticesViewModel.Notice notice) {
        Notification shown = new Notification(notice.text());
        shown.setUserData(notice);
        shown.getStyleClass()
                .addAll(Styles.ELEVATED_2,
                        notice.kind() == NoticesViewModel.NoticeKind.ERROR ? Styles.DANGER : Styles.ACCENT);
        shown.setMaxWidth(WIDTH);
        shown.setMinHeight(Region.USE_PREF_SIZE);
        notice.image()
                .ifPresent(file -> shown.setGraphic(
                        new RoundedImageView(new Image(file.toUri().toString(), true), IMAGE_SIDE)));
        notice.action()
                .ifPresent(action -> shown
                        .setPrimaryActions(new ActionButtonView(action.title(), () -> model.act(notice), "small")
                                .withId(id(action))));
        shown.setOnClose(close -> model.dismiss(notice));
        if (notice.kind() == NoticesViewModel.NoticeKind.PLAIN) dismissLater(shown, notice);
        return shown;
    }

    private static String id(NoticesViewModel.NoticeAction action) {
        return "notice-" + action.title().toLowerCase(Locale.ROOT).replace(' ', '-');
    }

    private void dismissLater(Notification shown, NoticesViewModel.Notice notice) {
        PauseTransition pause = new PauseTransition(SHOWN_FOR);
        pause.setOnFinished(end -> {
            if (shown.isHover() || shown.isFocusWithin()) pause.playFromStart();
            else model.dismiss(notice);
        });
        pause.play();
    }
}
