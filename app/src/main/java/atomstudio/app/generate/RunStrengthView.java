package atomstudio.app.generate;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.generate.LiveStrength.DragState;
import javafx.scene.layout.VBox;

/// The strength of all rows of runs.
final class RunStrengthView extends VBox {
    RunStrengthView(GenerateViewModel model) {
        super(6);
        StrengthView strength = new StrengthView(text("generate.runs.strength"), new StrengthView.StrengthChanges() {
            @Override
            public void changed(double value) {
                model.updateSettings(now -> now.withAdapterWeight(value));
            }

            @Override
            public void dragging(double value, DragState state) {
                changed(value);
                model.live().render(state);
            }
        });
        strength.setId("adapter-weight");
        model.settings().subscribe(now -> strength.show(now.adapterWeight()));
        getChildren().addAll(GeneratePanelView.title(text("generate.runs.strength")), strength);
    }
}
