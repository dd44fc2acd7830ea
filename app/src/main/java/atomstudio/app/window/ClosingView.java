package atomstudio.app.window;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.OverlayView;
import javafx.geometry.Pos;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.input.KeyCode;
import javafx.scene.input.KeyEvent;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;

/// The dialog before the window closes during a run.
final class ClosingView extends OverlayView {
    ClosingView(WindowViewModel window) {
        ClosingViewModel model = window.closing();
        Label title = new Label();
        title.getStyleClass().add("row-title");
        title.textProperty()
                .bind(window.queue()
                        .current()
                        .map(spec -> text("window.training-2", window.subjects().titleOf(spec), spec.title()))
                        .orElse(text("window.training-has-finished")));
        Label message = new Label();
        message.setWrapText(true);
        message.setMinHeight(Region.USE_PREF_SIZE);
        message.textProperty()
                .bind(model.state()
                        .map(state -> state == ClosingViewModel.ClosingState.STOPPING
                                ? text("window.finishing-the-current-step-and-saving")
                                : text("window.training-is-still-running-save-progress")));
        Button saveButton = new ActionButtonView(text("window.save-and-quit"), model::saveAndClose, "accent")
                .withId("close-save");
        Button closeNowButton = new ActionButtonView(text("window.quit-now"), model::closeNow).withId("close-now");
        HBox question = new HBox(8, saveButton,
                new ActionButtonView(text("window.discard"), model::discard).withId("close-discard"),
                new ActionButtonView(text("window.cancel-2"), model::cancel).withId("close-cancel"));
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
                case CONFIRMING -> showOverlay(saveButton);
                case STOPPING -> closeNowButton.requestFocus();
                case OPEN, CLOSED -> hideOverlay();
            }
        });
    }
}
