package atomstudio.app.train;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.FocusScrollView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.process.RunSpec;
import atomstudio.app.runs.RunQueue;
import atomstudio.tuning.config.TrainingSettings;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javafx.animation.PauseTransition;
import javafx.beans.binding.Bindings;
import javafx.beans.property.BooleanProperty;
import javafx.beans.value.ObservableValue;
import javafx.scene.control.Button;
import javafx.scene.control.ToggleButton;
import javafx.scene.control.Tooltip;
import javafx.scene.layout.FlowPane;
import javafx.scene.layout.Priority;
import javafx.scene.layout.VBox;
import javafx.util.Duration;

/// The next run: methods as cards with their cost, preset, memory check, the queue, and Start, which stays in sight.
public final class TrainPanelView extends VBox {
    /// A second press within this time is part of a double click, not a second run.
    private static final long DOUBLE_CLICK_NANOS = 800_000_000;
    /// Settings are typed; estimates wait for a pause.
    private static final Duration ESTIMATE_DELAY = Duration.millis(1500);

    private final TrainViewModel model;
    private final Button start = new Button();
    private final ToggleButton options = new ToggleButton(text("train.options"));
    private final PauseTransition estimateDelay = new PauseTransition(ESTIMATE_DELAY);
    private long lastStart = Long.MIN_VALUE / 2;

    /// @param remove removes a waiting run
    public TrainPanelView(TrainViewModel model, RunQueue queue, Consumer<RunSpec> remove) {
        super(10);
        this.model = model;
        getStyleClass().add("train-panel");
        options.setId("options");
        options.setTooltip(new Tooltip(text("train.options.help")));
        FlowPane buttons = new FlowPane(8, 8, MethodCardsView.moreMethods(model.method()),
                PresetView.presets(model.training()), options, MemoryCheckView.checkButton(model));
        QueueCardView waiting = new QueueCardView(queue, remove);
        waiting.visibleProperty().bind(Bindings.isNotEmpty(queue.waiting()));
        waiting.managedProperty().bind(waiting.visibleProperty());
        FocusScrollView content = new FocusScrollView(new VBox(10, new MethodCardsView(model), buttons,
                new NoteView(NoteView.NoteKind.PLAIN, changedSettings()), new MemoryCheckView(model), waiting))
                .withBarInMargin();
        VBox.setVgrow(content, Priority.ALWAYS);
        setUpStart();
        getChildren().addAll(content, new NoteView(NoteView.NoteKind.ERROR, model.method().problem()),
                new NoteView(NoteView.NoteKind.ERROR, model.method().invalidMessage()),
                new NoteView(NoteView.NoteKind.ERROR, model.training().invalidMessage()),
                new NoteView(NoteView.NoteKind.PLAIN, model.missing().map(this::unreportedProblem)), start);
        estimateDelay.setOnFinished(end -> model.requestEstimates());
        model.estimatesNeeded().subscribe(now -> estimateWhenShown());
        sceneProperty().subscribe(scene -> estimateWhenShown());
    }

    private void estimateWhenShown() {
        if (getScene() == null) estimateDelay.stop();
        else estimateDelay.playFromStart();
    }

    /// The settings that differ from their defaults.
    private ObservableValue<String> changedSettings() {
        return model.method()
                .settings()
                .flatMap(method -> model.training()
                        .summary()
                        .map(training -> Stream.of(
                                new RunSpec.TrainingChoices(method, TrainingSettings.DEFAULTS).summary(), training)
                                .filter(part -> !part.isEmpty())
                                .collect(Collectors.joining(" · "))));
    }

    /// Invalid settings have their own message.
    private String unreportedProblem(String missing) {
        return missing.equals(model.method().invalidMessage().get())
                || missing.equals(model.training().invalidMessage().get()) ? "" : missing;
    }

    /// Whether the form of all options is open.
    public BooleanProperty optionsShown() {
        return options.selectedProperty();
    }

    public void focusStart() {
        start.requestFocus();
    }

    private void setUpStart() {
        start.setId("start");
        start.getStyleClass().addAll("accent", "start-run");
        start.setMaxWidth(Double.MAX_VALUE);
        start.textProperty()
                .bind(model.queue()
                        .current()
                        .map(spec -> text("train.start.queue", spec.title()))
                        .orElse(text("train.start")));
        start.disableProperty().bind(model.missing().isNotEmpty());
        start.setOnAction(pressed -> {
            long now = System.nanoTime();
            if (now - lastStart < DOUBLE_CLICK_NANOS) return;
            lastStart = now;
            options.setSelected(false);
            model.start();
        });
    }
}
