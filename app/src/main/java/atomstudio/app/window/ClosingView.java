package atomstudio.app.window;

import atomstudio.app.controls.OverlayView;
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
    private final Button keepButton = new Button("Keep for later and close");

    ClosingView(WindowViewModel window) {
        ClosingViewModel model = window.closing();
        Label title = new Label();
        title.getStyleClass().add("row-title");
        title.textProperty()
                .bind(window.queue()
                        .current()
                        .map(order -> window.titleOf(order) + " is being tuned (" + order.title() + ")")
                        .orElse("The run has just finished"));
        Label message = new Label();
        message.setWrapText(true);
        message.setMinHeight(Region.USE_PREF_SIZE);
        message.textProperty()
                .bind(model.state()
                        .map(state -> state == ClosingViewModel.ClosingState.STOPPING
                                ? "The step on its way is finished and a checkpoint written…"
                                : "Kept, it goes on later exactly where it stopped. Discarded, the unfinished run is deleted."));
        keepButton.setMinWidth(Region.USE_PREF_SIZE);
        keepButton.setId("close-keep");
        keepButton.getStyleClass().add("accent");
        keepButton.setOnAction(pressed -> model.saveAndClose());
        Button discardButton = button("close-discard", "Discard and close", model::discard);
        Button cancelButton = button("close-stay", "Go on tuning", model::cancel);
        Button closeNowButton = button("close-now", "Close now", model::closeNow);
        HBox question = new HBox(8, keepButton, discardButton, cancelButton);
        HBox stopping = new HBox(8, closeNowButton);
        question.visibleProperty().bind(model.state().map(state -> state == ClosingViewModel.ClosingState.CONFIRMING));
        question.managedProperty().bind(question.visibleProperty());
        stopping.visibleProperty().bind(model.state().map(state -> state == ClosingViewModel.ClosingState.STOPPING));
        stopping.managedProperty().bind(stopping.visibleProperty());
        VBox card = new VBox(12, title, message, question, stopping);
        card.setAlignment(Pos.CENTER_LEFT);
        card.setMaxSize(540, Region.USE_PREF_SIZE);
        setCard(card, model::cancel);
        addEventFilter(KeyEvent.KEY_PRESSED, key -> {
            if (key.getCode() == KeyCode.ESCAPE) model.cancel();
        });
        model.state().subscribe(state -> {
            switch (state) {
                case CONFIRMING -> showOverlay(keepButton);
                case STOPPING -> closeNowButton.requestFocus();
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
