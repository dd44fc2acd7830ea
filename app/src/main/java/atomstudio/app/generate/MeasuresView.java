package atomstudio.app.generate;

import atomstudio.tuning.measure.Measures;
import java.util.Locale;
import java.util.OptionalDouble;
import javafx.beans.value.ObservableValue;
import javafx.scene.control.Label;
import javafx.scene.control.ProgressBar;
import javafx.scene.control.Tooltip;
import javafx.scene.layout.GridPane;
import javafx.scene.layout.Region;
import org.jspecify.annotations.Nullable;

/// Likeness, diversity and alignment of a row, always the three together; no room while nothing is measured.
final class MeasuresView extends GridPane {
    private static final double BAR = 58;

    private final Tooltip by = new Tooltip();

    MeasuresView(ObservableValue<@Nullable Measures> measures) {
        setHgap(6);
        setVgap(2);
        getStyleClass().add("measures");
        Tooltip.install(this, by);
        measures.subscribe(this::show);
    }

    private void show(@Nullable Measures measures) {
        getChildren().clear();
        setVisible(measures != null);
        setManaged(measures != null);
        if (measures == null) return;
        line(0, "likeness", measures.likeness());
        line(1, "diversity", measures.diversity());
        line(2, "alignment", measures.alignment());
        by.setText("By " + measures.encoder() + ". More likeness alone is no success: a copy of the subject that ignores the prompt has the most.");
        setAccessibleText("likeness " + number(measures.likeness()) + ", diversity " + number(measures.diversity()) + ", alignment " + number(measures.alignment()) + ", by " + measures.encoder());
    }

    private void line(int row, String name, OptionalDouble value) {
        ProgressBar bar = new ProgressBar(Math.clamp(value.orElse(0), 0, 1));
        bar.getStyleClass().add("measure-bar");
        bar.setPrefWidth(BAR);
        bar.setMinWidth(BAR);
        bar.setFocusTraversable(false);
        addRow(row, text(name), bar, text(number(value)));
    }

    private static String number(OptionalDouble value) {
        return value.isPresent() ? String.format(Locale.ROOT, "%.2f", value.getAsDouble()) : "–";
    }

    private static Label text(String words) {
        Label label = new Label(words);
        label.getStyleClass().addAll("muted", "small-text");
        label.setMinWidth(Region.USE_PREF_SIZE);
        return label;
    }
}
