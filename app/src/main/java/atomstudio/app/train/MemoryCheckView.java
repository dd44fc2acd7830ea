package atomstudio.app.train;

import atomstudio.app.controls.NoteView;
import atomstudio.app.estimate.MemoryCheckViewModel;
import java.util.ArrayList;
import java.util.List;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;

/// What the run tunes, whether it fits, and what would make it fit.
final class MemoryCheckView extends VBox {
    private final TrainViewModel model;
    private final VBox advice = new VBox(4);

    MemoryCheckView(TrainViewModel model) {
        super(4);
        this.model = model;
        setId("fit");
        MemoryCheckViewModel check = model.memoryCheck();
        advice.visibleProperty().bind(check.advice().map(list -> !list.isEmpty()));
        advice.managedProperty().bind(advice.visibleProperty());
        check.advice().subscribe(this::showAdvice);
        getChildren().addAll(new NoteView(NoteView.NoteKind.PLAIN, model.costLine()),
                new NoteView(NoteView.NoteKind.PLAIN, check.busy()),
                new NoteView(NoteView.NoteKind.GOOD,
                        check.estimate().map(found -> found.fits() ? check.summary().get() : "").orElse("")),
                new NoteView(NoteView.NoteKind.WARNING,
                        check.estimate()
                                .map(found -> found.fits() ? "" : check.summary().get() + ". What takes less:")
                                .orElse("")),
                advice, new NoteView(NoteView.NoteKind.ERROR, check.problem()));
    }

    /// The button that asks, or gives the question up.
    static Button checkButton(TrainViewModel model) {
        MemoryCheckViewModel check = model.memoryCheck();
        Button button = new Button();
        button.setId("will-it-fit");
        button.setMinWidth(Region.USE_PREF_SIZE);
        button.textProperty().bind(check.busy().map(busy -> busy.isEmpty() ? "Will it fit?" : "Cancel"));
        button.setAccessibleText("Estimate memory and time by a few steps, without starting a run");
        button.disableProperty().bind(model.missing().isNotEmpty());
        button.setOnAction(pressed -> {
            if (check.busy().get().isEmpty()) model.checkMemory();
            else check.reset();
        });
        return button;
    }

    private void showAdvice(List<MemoryCheckViewModel.MemoryAdvice> list) {
        List<Node> lines = new ArrayList<>();
        for (MemoryCheckViewModel.MemoryAdvice item : list) {
            Label text = new Label(item.displayText());
            text.setWrapText(true);
            text.setMinHeight(Region.USE_PREF_SIZE);
            text.getStyleClass().add("small-text");
            HBox.setHgrow(text, Priority.ALWAYS);
            text.setMaxWidth(Double.MAX_VALUE);
            HBox line = new HBox(6, text);
            if (item.isApplicable()) {
                Button apply = new Button("Apply");
                apply.getStyleClass().addAll("small", "apply-advice");
                apply.setMinWidth(Region.USE_PREF_SIZE);
                apply.setAccessibleText("Apply: " + item.displayText());
                apply.setOnAction(pressed -> model.applyAdvice(item));
                line.getChildren().add(apply);
            }
            lines.add(line);
        }
        advice.getChildren().setAll(lines);
    }
}
