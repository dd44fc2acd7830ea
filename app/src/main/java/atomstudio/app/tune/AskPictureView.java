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
final class AskPictureView extends VBox {
    private final RunsViewModel model;
    private final TextField prompt = new TextField();

    AskPictureView(RunsViewModel model) {
        super(4);
        this.model = model;
        setId("ask-picture");
        prompt.setId("ask-prompt");
        prompt.setAccessibleText("Prompt for a picture from what is tuned by now");
        HBox.setHgrow(prompt, Priority.ALWAYS);
        prompt.setOnAction(entered -> ask());
        Button ask = new Button("Make a picture now");
        ask.setId("ask-now");
        ask.setMinWidth(Region.USE_PREF_SIZE);
        ask.setOnAction(pressed -> ask());
        ask.disableProperty().bind(model.queue().drawing().isNotEmpty().or(prompt.textProperty().isEmpty()));
        // Before the first step there is nothing to make a picture from.
        ObservableValue<Boolean> possible = model.watched().map(AskPictureView::possible).orElse(false);
        visibleProperty().bind(possible);
        managedProperty().bind(visibleProperty());
        model.queue().current().subscribe(now -> {
            if (now != null) prompt.setText("a " + now.words().token() + " " + now.words().className() + " on the beach");
        });
        HBox line = new HBox(8, prompt, ask);
        line.setAlignment(Pos.CENTER_LEFT);
        getChildren().addAll(line, new NoteView(NoteView.NoteKind.PLAIN, model.queue().drawing()));
    }

    private static boolean possible(WatchedRun run) {
        boolean going = switch (run.progress().state()) {
            case TUNING, PAUSED -> true;
            case WAITING, STARTING, CANCELLED, FAILED, DONE -> false;
        };
        return going && run.when() == WatchedRun.When.NOW && run.progress().step() > 0;
    }

    private void ask() {
        if (model.queue().drawing().get().isEmpty()) model.generate(prompt.getText());
    }
}
