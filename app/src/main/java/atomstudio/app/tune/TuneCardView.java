package atomstudio.app.tune;

import atomstudio.app.parts.CardView;
import atomstudio.app.parts.NoteView;
import atomstudio.tuning.train.TrainingSettings;
import javafx.beans.property.ReadOnlyBooleanProperty;
import javafx.beans.value.ObservableValue;
import javafx.geometry.Pos;
import javafx.scene.control.Button;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;

/// Methods with their price, settings folded away, whether it fits, and Start.
public final class TuneCardView extends CardView {
    private final TuneViewModel model;
    private final Button start = new Button();

    /// @param first whether nothing was tuned yet: then Start is the page's accented button
    public TuneCardView(TuneViewModel model, ReadOnlyBooleanProperty first) {
        super("Tune");
        this.model = model;
        subtitle().textProperty().bind(model.estimate());
        MethodSettingsView method = new MethodSettingsView(model.method());
        TrainingSettingsView training = new TrainingSettingsView(model.training());
        ObservableValue<String> chosen = model.method().settings().map(now -> new TuneOrder.Chosen(now, TrainingSettings.USUAL).line());
        HBox buttons = new HBox(8, startButton(first), FitView.button(model));
        add(new MethodListView(model.method()), new FoldView("fold-method", "method settings", chosen, method), method, new NoteView(NoteView.NoteKind.ERROR, model.method().wrong()),
            new FoldView("fold-training", "more settings", model.training().line(), training), training, new NoteView(NoteView.NoteKind.ERROR, model.training().wrong()),
            new NoteView(NoteView.NoteKind.ERROR, model.method().problem()),
            buttons, new FitView(model), new NoteView(NoteView.NoteKind.PLAIN, model.missing().map(this::unsaid)));
    }

    /// What is wrong with a setting stands above already.
    private String unsaid(String missing) {
        return missing.equals(model.method().wrong().get()) || missing.equals(model.training().wrong().get()) ? "" : missing;
    }

    /// Puts the keyboard on Start.
    public void focusStart() {
        start.requestFocus();
    }

    private Button startButton(ReadOnlyBooleanProperty first) {
        start.setId("start");
        start.setMaxWidth(Double.MAX_VALUE);
        HBox.setHgrow(start, Priority.ALWAYS);
        start.setAlignment(Pos.CENTER);
        start.textProperty().bind(first.map(nothingYet -> nothingYet ? "Start" : "Tune again"));
        first.subscribe(nothingYet -> {
            start.getStyleClass().remove("accent");
            if (nothingYet) start.getStyleClass().add("accent");
        });
        start.disableProperty().bind(model.missing().isNotEmpty());
        start.setOnAction(pressed -> model.start());
        return start;
    }
}
