package atomstudio.app.trash;

import static atomstudio.app.controls.ShownView.refreshWhileShown;
import static atomstudio.app.controls.ShownView.shown;
import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.CardColumnsView;
import atomstudio.app.controls.FocusScrollView;
import atomstudio.app.controls.MutedLabelView;
import atomstudio.app.desktop.DisplayFormat;
import java.time.InstantSource;
import java.util.Locale;
import javafx.beans.binding.Bindings;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;

/// The Trash page: what was deleted, with Restore, and a button that deletes it for good.
public final class TrashView extends VBox {
    private static final double LINE_WIDTH = 480;

    private final Deletions deletions;
    private final InstantSource clock;

    public TrashView(Deletions deletions, InstantSource clock) {
        super(12);
        this.deletions = deletions;
        this.clock = clock;
        getStyleClass().add("plain-page");
        Label title = new Label(text("trash.trash"));
        title.getStyleClass().add("page-title");
        CardColumnsView lines = new CardColumnsView(LINE_WIDTH);
        refreshWhileShown(this, deletions.entries(),
                () -> lines.getChildren().setAll(deletions.entries().stream().map(this::line).toList()));
        shown(this).subscribe(now -> {
            if (now != null && now) deletions.refresh();
        });
        MutedLabelView hint = new MutedLabelView("");
        hint.textProperty()
                .bind(Bindings.createStringBinding(() -> deletions.entries().isEmpty()
                        ? text("trash.is-empty")
                        : text("trash.deleted-files-stay-here-until-the"),
                        deletions.entries()));
        FocusScrollView scroll = new FocusScrollView(lines).withBarInMargin();
        VBox.setVgrow(scroll, Priority.ALWAYS);
        getChildren().addAll(title, hint, scroll, emptyButtons());
    }

    private Node line(Trash.Entry entry) {
        Label title = new Label(entry.title().substring(0, 1).toUpperCase(Locale.ROOT) + entry.title().substring(1));
        Label when = new MutedLabelView(DisplayFormat.dateTime(entry.deleted(), clock.instant()));
        when.setMinWidth(Region.USE_PREF_SIZE);
        Region gap = new Region();
        HBox.setHgrow(gap, Priority.ALWAYS);
        Button restore = new ActionButtonView(text("trash.restore"), () -> deletions.restore(entry, () -> {}), "small");
        restore.setAccessibleText(text("trash.restore-the", entry.title()));
        HBox line = new HBox(12, title, when, gap, restore);
        line.setAlignment(Pos.CENTER_LEFT);
        line.getStyleClass().add("studio-card");
        return line;
    }

    /// Emptying cannot be undone, so it takes two clicks at different places.
    private Node emptyButtons() {
        Button confirm = new ActionButtonView(text("trash.delete-all-for-good"), () -> {}, "danger")
                .withId("empty-trash-now");
        Button cancel = new ActionButtonView(text("trash.keep-them"), () -> {}).withId("keep-trash");
        HBox question = new HBox(8, cancel, confirm);
        Button empty = new ActionButtonView(text("trash.empty-trash"), () -> {}).withId("empty-trash");
        empty.disableProperty().bind(Bindings.isEmpty(deletions.entries()));
        show(question, false);
        empty.setOnAction(pressed -> {
            show(empty, false);
            show(question, true);
            cancel.requestFocus();
        });
        Runnable close = () -> {
            show(question, false);
            show(empty, true);
        };
        confirm.setOnAction(pressed -> {
            deletions.empty();
            close.run();
        });
        cancel.setOnAction(pressed -> close.run());
        return new HBox(empty, question);
    }

    private static void show(Node node, boolean visible) {
        node.setVisible(visible);
        node.setManaged(visible);
    }
}
