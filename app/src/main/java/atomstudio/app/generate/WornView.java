package atomstudio.app.generate;

import atomstudio.app.generate.PictureSettings.Worn;
import atomstudio.app.parts.NumberFieldView;
import atomstudio.diffusion.engine.Applied;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.Tooltip;
import javafx.scene.layout.FlowPane;
import javafx.scene.layout.HBox;

/// The adapters that all rows wear, each with its strength.
final class WornView extends FlowPane {
    private final GenerateViewModel model;
    private List<Path> shown = List.of();

    WornView(GenerateViewModel model) {
        super(6, 6);
        this.model = model;
        fill();
        model.settings().subscribe(now -> {
            if (!files(now).equals(shown)) fill();
        });
    }

    private static List<Path> files(PictureSettings settings) {
        return settings.worn().stream().map(Worn::file).toList();
    }

    private void fill() {
        shown = files(model.settings().get());
        List<Node> nodes = new ArrayList<>(model.settings().get().worn().stream().map(this::field).toList());
        Button add = new Button("+ adapter…");
        add.setId("add-adapter");
        add.getStyleClass().add("small");
        add.setTooltip(new Tooltip("Adapters of runs, exported ones, embeddings, or pictures that carry theirs"));
        add.setOnAction(pressed -> model.source().chooseAdapters());
        nodes.add(add);
        getChildren().setAll(nodes);
    }

    private Node field(Worn worn) {
        Label label = new Label(worn.name());
        label.setTooltip(new Tooltip(worn.file().toString()));
        label.setMaxWidth(180);
        NumberFieldView strength = new NumberFieldView(new NumberFieldView.Range(-Applied.MOST_STRENGTH, Applied.MOST_STRENGTH, 0.1), PictureSettings::number, value -> model.source().strength(worn.file(), value));
        strength.setPrefColumnCount(3);
        strength.setAccessibleText("Strength of " + label.getText());
        strength.show(worn.strength());
        Button off = new Button("×");
        off.getStyleClass().addAll("flat", "small");
        off.setAccessibleText("Take off " + label.getText());
        off.setOnAction(pressed -> model.source().takeOff(worn.file()));
        HBox field = new HBox(4, label, strength, off);
        field.setAlignment(Pos.CENTER_LEFT);
        field.getStyleClass().add("field");
        return field;
    }
}
