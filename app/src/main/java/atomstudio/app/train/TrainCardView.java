package atomstudio.app.train;

import atomstudio.app.controls.CardView;
import atomstudio.app.controls.ExpanderView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.process.RunSpec;
import atomstudio.tuning.config.TrainingSettings;
import javafx.beans.property.ReadOnlyBooleanProperty;
import javafx.beans.value.ObservableValue;
import javafx.geometry.Pos;
import javafx.scene.control.Button;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;

/// Methods with their price, settings folded away, whether it fits, and Start.
public final class TrainCardView extends CardView {
    private final TrainViewModel model;
    private final Button start = new Button();

    /// @param untrained whether nothing was tuned yet: then Start is the page's accented button
    public TrainCardView(TrainViewModel model, ReadOnlyBooleanProperty untrained) {
        super("Tune");
        this.model = model;
        subtitle().textProperty().bind(model.durationEstimate());
        MethodSettingsView method = new MethodSettingsView(model.method());
        TrainingSettingsView training = new TrainingSettingsView(model.training());
        ObservableValue<String> chosen = model.method()
                .settings()
                .map(now -> new RunSpec.TrainingChoices(now, TrainingSettings.DEFAULTS).summary());
        HBox buttons = new HBox(8, startButton(untrained), MemoryCheckView.checkButton(model));
        add(new MethodListView(model.method()), new ExpanderView("fold-method", "method settings", chosen, method),
                method, new NoteView(NoteView.NoteKind.ERROR, model.method().invalidMessage()),
                new ExpanderView("fold-training", "more settings", model.training().summary(), training), training,
                new NoteView(NoteView.NoteKind.ERROR, model.training().invalidMessage()),
                new NoteView(NoteView.NoteKind.ERROR, model.method().problem()),
                buttons, new MemoryCheckView(model),
                new NoteView(NoteView.NoteKind.PLAIN, model.missing().map(this::unreportedProblem)));
    }

    /// What is wrong with a setting stands above already.
    private String unreportedProblem(String missing) {
        return missing.equals(model.method().invalidMessage().get())
                || missing.equals(model.training().invalidMessage().get()) ? "" : missing;
    }

    /// Puts the keyboard on Start.
    public void focusStart() {
        start.requestFocus();
    }

    private Button startButton(ReadOnlyBooleanProperty untrained) {
        start.setId("start");
        start.setMaxWidth(Double.MAX_VALUE);
        HBox.setHgrow(start, Priority.ALWAYS);
        start.setAlignment(Pos.CENTER);
        start.textProperty().bind(untrained.map(untrainedNow -> untrainedNow ? "Start" : "Tune again"));
        untrained.subscribe(untrainedNow -> {
            start.getStyleClass().remove("accent");
            if (untrainedNow) start.getStyleClass().add("accent");
        });
        start.disableProperty().bind(model.missing().isNotEmpty());
        start.setOnAction(pressed -> model.start());
        return start;
    }
}
