package atomstudio.app.generate;

import atomstudio.app.generate.ImageSettings.SelectedAdapter;
import atomstudio.app.parts.NumberFieldView;
import atomstudio.diffusion.engine.WeightedAdapter;
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
final class AdaptersView extends FlowPane {
    private final GenerateViewModel model;
    private List<Path> shown = List.of();

    AdaptersView(GenerateViewModel model) {
        super(6, 6);
        this.model = model;
        refresh();
        model.settings().subscribe(now -> {
            if (!files(now).equals(shown)) refresh();
        });
    }

    private static List<Path> files(ImageSettings settings) {
        return settings.adapters().stream().map(SelectedAdapter::file).toList();
    }

    private void refresh() {
        shown = files(model.settings().get());
        List<Node> nodes = new ArrayList<>(model.settings().get().adapters().stream().map(this::field).toList());
        Button add = new Button("+ adapter…");
        add.setId("add-adapter");
        add.getStyleClass().add("small");
        add.setTooltip(new Tooltip("Adapters of runs, exported ones, embeddings, or pictures that carry theirs"));
        add.setOnAction(pressed -> model.source().chooseAdapters());
        nodes.add(add);
        getChildren().setAll(nodes);
    }

    private Node field(SelectedAdapter adapter) {
        Label label = new Label(adapter.name());
        label.setTooltip(new Tooltip(adapter.file().toString()));
        label.setMaxWidth(180);
        NumberFieldView weightField = new NumberFieldView(new NumberFieldView.NumberRange(-WeightedAdapter.MAX_WEIGHT, WeightedAdapter.MAX_WEIGHT, 0.1), ImageSettings::number, value -> model.source().setAdapterWeight(adapter.file(), value));
        weightField.setPrefColumnCount(3);
        weightField.setAccessibleText("Strength of " + label.getText());
        weightField.showValue(adapter.weight());
        Button removeButton = new Button("×");
        removeButton.getStyleClass().addAll("flat", "small");
        removeButton.setAccessibleText("Take off " + label.getText());
        removeButton.setOnAction(pressed -> model.source().removeAdapter(adapter.file()));
        HBox field = new HBox(4, label, weightField, removeButton);
        field.setAlignment(Pos.CENTER_LEFT);
        field.getStyleClass().add("field");
        return field;
    }
}
