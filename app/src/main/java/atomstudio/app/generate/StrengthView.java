package atomstudio.app.generate;

import atomstudio.app.controls.ValueFieldView;
import atomstudio.app.generate.LiveStrength.DragState;
import atomstudio.app.pipeline.GenerationLimits;
import javafx.geometry.Pos;
import javafx.scene.control.Slider;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;

/// An adapter's strength: a slider from 0 to 2, and a field for the whole range.
final class StrengthView extends HBox {
    private static final double SLIDER_MAX = 2;
    private static final double STEP = 0.05;

    private final Slider slider = new Slider(0, SLIDER_MAX, 1);
    private final ValueFieldView<Double> field;
    private boolean showing;

    interface StrengthChanges {
        /// A value from the field.
        void changed(double value);

        /// A value from the slider; the last one of a drag is released.
        void dragging(double value, DragState state);
    }

    StrengthView(String name, StrengthChanges changes) {
        super(8);
        setAlignment(Pos.CENTER_LEFT);
        slider.setBlockIncrement(STEP);
        slider.setAccessibleText(name);
        slider.setMinWidth(60);
        HBox.setHgrow(slider, Priority.ALWAYS);
        slider.valueProperty().addListener((property, before, now) -> {
            if (!showing && rounded(before.doubleValue()) != rounded(now.doubleValue()))
                changes.dragging(rounded(now.doubleValue()),
                        slider.isValueChanging() ? DragState.MOVING : DragState.RELEASED);
        });
        slider.valueChangingProperty().addListener((property, before, now) -> {
            if (!now) changes.dragging(rounded(slider.getValue()), DragState.RELEASED);
        });
        field = ValueFieldView.ofNumber(new ValueFieldView.NumberRange(GenerationLimits.ADAPTER_WEIGHT, 0.1),
                ImageSettings::number, changes::changed);
        field.setPrefColumnCount(3);
        field.setMinWidth(Region.USE_PREF_SIZE);
        field.setAccessibleText(name);
        field.getStyleClass().add("strength-field");
        getChildren().addAll(slider, field);
    }

    Slider slider() {
        return slider;
    }

    private static double rounded(double value) {
        return Math.round(value * 20) / 20.0;
    }

    void show(double value) {
        showing = true;
        field.showValue(value);
        if (!slider.isValueChanging() || rounded(slider.getValue()) != value)
            slider.setValue(Math.clamp(value, 0, SLIDER_MAX));
        showing = false;
    }
}
