package atomstudio.app.generate;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.Shortcut;
import atomstudio.app.desktop.DisplayFormat;
import java.util.OptionalDouble;
import javafx.geometry.Pos;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.layout.VBox;

/// The button that generates: how many images, how long it will take, and its shortcut.
final class GenerateButtonView extends Button {
    private final GenerateViewModel model;
    private final Label title = new Label();
    private final Label details = new Label();

    GenerateButtonView(GenerateViewModel model) {
        this.model = model;
        setId("generate");
        getStyleClass().addAll("accent", "generate-button");
        setMaxWidth(Double.MAX_VALUE);
        title.getStyleClass().add("generate-title");
        details.getStyleClass().add("generate-details");
        VBox lines = new VBox(1, title, details);
        lines.setAlignment(Pos.CENTER);
        setGraphic(lines);
        setOnAction(pressed -> model.generate());
        model.plan().subscribe(now -> show());
        model.batches().busy().subscribe(now -> show());
    }

    private void show() {
        GenerateViewModel.GenerationPlan plan = model.plan().get();
        boolean isBusy = !model.batches().busy().get().isEmpty();
        title.setText(plan.images() == 0 ? text("generate.button.none")
                : isBusy ? text("generate.button.queue", plan.images()) : text("generate.button", plan.images()));
        String keys = Shortcut.GENERATE.keys();
        OptionalDouble seconds = plan.seconds();
        details.setText(plan.images() == 0 || seconds.isEmpty() ? keys
                : text("generate.button.time", DisplayFormat.duration(seconds.getAsDouble()), keys));
        setAccessibleText(title.getText() + ", " + details.getText());
    }
}
