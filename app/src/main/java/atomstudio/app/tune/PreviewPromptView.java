package atomstudio.app.tune;

import atomstudio.app.parts.NoteView;
import javafx.beans.value.ObservableValue;
import javafx.geometry.Pos;
import javafx.scene.control.Button;
import javafx.scene.control.TextField;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;

/// A prompt for a picture from what a run has learned by now: the model stays warm while it is paused.
final class PreviewPromptView extends VBox {
    private final RunsViewModel model;
    private final TextField prompt = new TextField();

    PreviewPromptView(RunsViewModel model) {
        super(4);
        this.model = model;
        setId("ask-picture");
        prompt.setId("ask-prompt");
        prompt.setAccessibleText("Prompt for a picture from what is tuned by now");
        HBox.setHgrow(prompt, Priority.ALWAYS);
        prompt.setOnAction(entered -> requestPreview());
        Button button = new Button("Make a picture now");
        button.setId("ask-now");
        button.setMinWidth(Region.USE_PREF_SIZE);
        button.setOnAction(pressed -> requestPreview());
        button.disableProperty().bind(model.queue().pendingPreview().isNotEmpty().or(prompt.textProperty().isEmpty()));
        // Before the first step there is nothing to make a picture from.
        ObservableValue<Boolean> available = model.shownRun().map(PreviewPromptView::canPreview).orElse(false);
        visibleProperty().bind(available);
        managedProperty().bind(visibleProperty());
        model.queue().current().subscribe(now -> {
            if (now != null) prompt.setText("a " + now.phrase().triggerWord() + " " + now.phrase().className() + " on the beach");
        });
        HBox row = new HBox(8, prompt, button);
        row.setAlignment(Pos.CENTER_LEFT);
        getChildren().addAll(row, new NoteView(NoteView.NoteKind.PLAIN, model.queue().pendingPreview()));
    }

    private static boolean canPreview(ShownRun run) {
        boolean isActive = switch (run.progress().phase()) {
            case TRAINING, PAUSED -> true;
            case WAITING, STARTING, CANCELLED, FAILED, DONE -> false;
        };
        return isActive && run.liveness() == ShownRun.Liveness.LIVE && run.progress().step() > 0;
    }

    private void requestPreview() {
        if (model.queue().pendingPreview().get().isEmpty()) model.requestPreview(prompt.getText());
    }
}
