package atomstudio.app.generate;

import atomstudio.tuning.measure.ClipScores;
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
final class MetricsView extends GridPane {
    private static final double BAR = 58;

    private final Tooltip encoderTooltip = new Tooltip();

    MetricsView(ObservableValue<@Nullable ClipScores> metrics) {
        setHgap(6);
        setVgap(2);
        getStyleClass().add("measures");
        Tooltip.install(this, encoderTooltip);
        metrics.subscribe(this::show);
    }

    private void show(@Nullable ClipScores metrics) {
        getChildren().clear();
        setVisible(metrics != null);
        setManaged(metrics != null);
        if (metrics == null) return;
        line(0, "likeness", metrics.likeness());
        line(1, "diversity", metrics.diversity());
        line(2, "alignment", metrics.alignment());
        encoderTooltip.setText("By " + metrics.encoder() + ". More likeness alone is no success: a copy of the subject that ignores the prompt has the most.");
        setAccessibleText("likeness " + number(metrics.likeness()) + ", diversity " + number(metrics.diversity()) + ", alignment " + number(metrics.alignment()) + ", by " + metrics.encoder());
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

    private static Label text(String text) {
        Label label = new Label(text);
        label.getStyleClass().addAll("muted", "small-text");
        label.setMinWidth(Region.USE_PREF_SIZE);
        return label;
    }
}
