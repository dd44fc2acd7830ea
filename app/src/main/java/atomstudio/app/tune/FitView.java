package atomstudio.app.tune;

import atomstudio.app.parts.NoteView;
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
final class FitView extends VBox {
    private final TuneViewModel model;
    private final VBox advice = new VBox(4);

    FitView(TuneViewModel model) {
        super(4);
        this.model = model;
        setId("fit");
        FitViewModel fit = model.fit();
        advice.visibleProperty().bind(fit.advice().map(list -> !list.isEmpty()));
        advice.managedProperty().bind(advice.visibleProperty());
        fit.advice().subscribe(this::show);
        getChildren().addAll(new NoteView(NoteView.NoteKind.PLAIN, model.price()), new NoteView(NoteView.NoteKind.PLAIN, fit.busy()),
            new NoteView(NoteView.NoteKind.GOOD, fit.estimate().map(found -> found.fits() ? fit.line().get() : "").orElse("")),
            new NoteView(NoteView.NoteKind.WARNING, fit.estimate().map(found -> found.fits() ? "" : fit.line().get() + ". What takes less:").orElse("")),
            advice, new NoteView(NoteView.NoteKind.ERROR, fit.problem()));
    }

    /// The button that asks, or gives the question up.
    static Button button(TuneViewModel model) {
        FitViewModel fit = model.fit();
        Button ask = new Button();
        ask.setId("will-it-fit");
        ask.setMinWidth(Region.USE_PREF_SIZE);
        ask.textProperty().bind(fit.busy().map(busy -> busy.isEmpty() ? "Will it fit?" : "Cancel"));
        ask.setAccessibleText("Estimate memory and time by a few steps, without starting a run");
        ask.disableProperty().bind(model.missing().isNotEmpty());
        ask.setOnAction(pressed -> {
            if (fit.busy().get().isEmpty()) model.askWhetherItFits();
            else fit.forget();
        });
        return ask;
    }

    private void show(List<Advice> list) {
        List<Node> lines = new ArrayList<>();
        for (Advice each : list) {
            Label text = new Label(each.line());
            text.setWrapText(true);
            text.setMinHeight(Region.USE_PREF_SIZE);
            text.getStyleClass().add("small-text");
            HBox.setHgrow(text, Priority.ALWAYS);
            text.setMaxWidth(Double.MAX_VALUE);
            HBox line = new HBox(6, text);
            if (each.applicable()) {
                Button apply = new Button("Apply");
                apply.getStyleClass().addAll("small", "apply-advice");
                apply.setMinWidth(Region.USE_PREF_SIZE);
                apply.setAccessibleText("Apply: " + each.line());
                apply.setOnAction(pressed -> model.apply(each));
                line.getChildren().add(apply);
            }
            lines.add(line);
        }
        advice.getChildren().setAll(lines);
    }
}
