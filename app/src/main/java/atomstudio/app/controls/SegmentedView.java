package atomstudio.app.controls;

import atlantafx.base.theme.Styles;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import javafx.scene.control.ToggleButton;
import javafx.scene.control.Tooltip;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import org.jspecify.annotations.Nullable;

/// A row of joined buttons of equal width, of which at most one is selected.
public final class SegmentedView<T> extends HBox {
    private final Map<T, ToggleButton> buttons = new LinkedHashMap<>();

    /// A value and its button.
    public record Segment<T>(T value, String title, String description) {}

    /// @param name what is chosen, for screen readers
    public SegmentedView(String name, List<Segment<T>> segments, Consumer<T> onChosen) {
        getStyleClass().add("segments");
        for (Segment<T> segment : segments) {
            ToggleButton button = new ToggleButton(segment.title);
            button.setAccessibleText(name + ": " + segment.title);
            if (!segment.description.isEmpty()) button.setTooltip(new Tooltip(segment.description));
            button.setMaxWidth(Double.MAX_VALUE);
            button.setMinWidth(0);
            button.setPrefWidth(40);
            HBox.setHgrow(button, Priority.ALWAYS);
            button.setOnAction(pressed -> {
                button.setSelected(true);
                onChosen.accept(segment.value);
            });
            buttons.put(segment.value, button);
        }
        List<ToggleButton> all = new ArrayList<>(buttons.values());
        for (int i = 0; i < all.size(); i++)
            all.get(i)
                    .getStyleClass()
                    .add(i == 0 ? Styles.LEFT_PILL : i == all.size() - 1 ? Styles.RIGHT_PILL : Styles.CENTER_PILL);
        getChildren().setAll(all);
    }

    /// @param value null, or one without a button: none is selected
    public void show(@Nullable T value) {
        buttons.forEach((segment, button) -> button.setSelected(segment.equals(value)));
    }

    /// The button of a value.
    public ToggleButton button(T value) {
        ToggleButton button = buttons.get(value);
        if (button == null) throw new IllegalArgumentException("no segment " + value);
        return button;
    }
}
