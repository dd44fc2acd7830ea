package atomstudio.app.train;

import atomstudio.app.controls.CardView;
import atomstudio.app.controls.ExpanderView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.process.RunSpec;
import atomstudio.tuning.config.TrainingSettings;
import javafx.beans.property.ReadOnlyBooleanProperty;
import javafx.beans.value.ObservableValue;
import javafx.scene.control.Button;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.VBox;

/// The card to start a run: methods with their cost, settings, memory check and the start button.
public final class TrainCardView extends CardView {
    private final TrainViewModel model;
    private final Button start = new Button();

    /// @param untrained whether the subject has no finished run: then Start is the page's accented button
    public TrainCardView(TrainViewModel model, ReadOnlyBooleanProperty untrained) {
        super("Train");
        this.model = model;
        subtitle().textProperty().bind(model.durationEstimate());
        MethodSettingsView method = new MethodSettingsView(model.method());
        VBox training = new VBox(6, new PresetView(model),
                new NoteView(NoteView.NoteKind.PLAIN, model.settingsNote()),
                new TrainingSettingsView(model.training()));
        ObservableValue<String> chosen = model.method()
                .settings()
                .map(now -> new RunSpec.TrainingChoices(now, TrainingSettings.DEFAULTS).summary());
        HBox buttons = new HBox(8, startButton(untrained), MemoryCheckView.checkButton(model));
        add(new MethodListView(model.method()), new ExpanderView("method-options", "Method options", chosen, method),
                method, new NoteView(NoteView.NoteKind.ERROR, model.method().invalidMessage()),
                new ExpanderView("training-options", "Training options", model.training().summary(), training),
                training,
                new NoteView(NoteView.NoteKind.ERROR, model.training().invalidMessage()),
                new NoteView(NoteView.NoteKind.ERROR, model.method().problem()),
                buttons, new MemoryCheckView(model),
                new NoteView(NoteView.NoteKind.PLAIN, model.missing().map(this::unreportedProblem)));
    }

    /// Invalid settings have their own message.
    private String unreportedProblem(String missing) {
        return missing.equals(model.method().invalidMessage().get())
                || missing.equals(model.training().invalidMessage().get()) ? "" : missing;
    }

    public void focusStart() {
        start.requestFocus();
    }

    private Button startButton(ReadOnlyBooleanProperty untrained) {
        start.setId("start");
        start.setMaxWidth(Double.MAX_VALUE);
        HBox.setHgrow(start, Priority.ALWAYS);
        start.textProperty().bind(untrained.map(untrainedNow -> untrainedNow ? "Start training" : "Train another"));
        untrained.subscribe(untrainedNow -> {
            start.getStyleClass().remove("accent");
            if (untrainedNow) start.getStyleClass().add("accent");
        });
        start.disableProperty().bind(model.missing().isNotEmpty());
        start.setOnAction(pressed -> model.start());
        return start;
    }
}
