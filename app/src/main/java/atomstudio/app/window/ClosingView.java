package atomstudio.app.window;

import atomstudio.app.parts.OverlayView;
import javafx.geometry.Pos;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.input.KeyCode;
import javafx.scene.input.KeyEvent;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;

/// The question before a window is closed during a run.
final class ClosingView extends OverlayView {
    private final Button keep = new Button("Keep for later and close");

    ClosingView(WindowViewModel window) {
        ClosingViewModel model = window.closing();
        Label title = new Label();
        title.getStyleClass().add("row-title");
        title.textProperty().bind(window.queue().current().map(order -> window.titleOf(order) + " is being tuned (" + order.title() + ")").orElse("The run has just finished"));
        Label what = new Label();
        what.setWrapText(true);
        what.setMinHeight(Region.USE_PREF_SIZE);
        what.textProperty().bind(model.state().map(state -> state == ClosingViewModel.State.STOPPING
            ? "The step on its way is finished and a checkpoint written…" : "Kept, it goes on later exactly where it stopped. Discarded, the unfinished run is deleted."));
        keep.setMinWidth(Region.USE_PREF_SIZE);
        keep.setId("close-keep");
        keep.getStyleClass().add("accent");
        keep.setOnAction(pressed -> model.keep());
        Button discard = button("close-discard", "Discard and close", model::discard);
        Button stay = button("close-stay", "Go on tuning", model::stay);
        Button now = button("close-now", "Close now", model::closeNow);
        HBox asked = new HBox(8, keep, discard, stay);
        HBox stopping = new HBox(8, now);
        asked.visibleProperty().bind(model.state().map(state -> state == ClosingViewModel.State.ASKING));
        asked.managedProperty().bind(asked.visibleProperty());
        stopping.visibleProperty().bind(model.state().map(state -> state == ClosingViewModel.State.STOPPING));
        stopping.managedProperty().bind(stopping.visibleProperty());
        VBox card = new VBox(12, title, what, asked, stopping);
        card.setAlignment(Pos.CENTER_LEFT);
        card.setMaxSize(540, Region.USE_PREF_SIZE);
        setCard(card, model::stay);
        addEventFilter(KeyEvent.KEY_PRESSED, key -> {
            if (key.getCode() == KeyCode.ESCAPE) model.stay();
        });
        model.state().subscribe(state -> {
            switch (state) {
                case ASKING -> showOverlay(keep);
                case STOPPING -> now.requestFocus();
                case OPEN, CLOSED -> hideOverlay();
            }
        });
    }

    private static Button button(String id, String text, Runnable action) {
        Button button = new Button(text);
        button.setId(id);
        button.setMinWidth(Region.USE_PREF_SIZE);
        button.setOnAction(pressed -> action.run());
        return button;
    }
}
