package atomstudio.app.train;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.estimate.MemoryCheckViewModel;
import java.util.ArrayList;
import java.util.List;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.Tooltip;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;

/// Cost of the run, result of the memory check, and settings that need less memory.
final class MemoryCheckView extends VBox {
    private final TrainViewModel model;
    private final VBox advice = new VBox(4);

    MemoryCheckView(TrainViewModel model) {
        super(4);
        this.model = model;
        setId("memory-check");
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
                                .map(found -> found.fits() ? "" : check.summary().get() + text("train.advice"))
                                .orElse("")),
                advice, new NoteView(NoteView.NoteKind.ERROR, check.problem()));
    }

    /// Starts the memory check, or cancels a running one.
    static Button checkButton(TrainViewModel model) {
        MemoryCheckViewModel check = model.memoryCheck();
        Button button = new ActionButtonView("", () -> {
            if (check.busy().get().isEmpty()) model.checkMemory();
            else check.reset();
        }).withId("check-memory");
        button.textProperty()
                .bind(check.busy().map(busy -> busy.isEmpty() ? text("train.check-memory") : text("train.cancel")));
        String description = text("train.check-memory.help");
        button.setAccessibleText(description);
        button.setTooltip(new Tooltip(description));
        button.disableProperty().bind(model.missing().isNotEmpty());
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
                Button apply = new ActionButtonView(text("train.advice.apply"), () -> model.applyAdvice(item), "small",
                        "apply-advice");
                apply.setAccessibleText(text("train.advice.apply.help", item.displayText()));
                line.getChildren().add(apply);
            }
            lines.add(line);
        }
        advice.getChildren().setAll(lines);
    }
}
