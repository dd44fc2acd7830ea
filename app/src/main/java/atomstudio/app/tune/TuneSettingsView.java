package atomstudio.app.tune;

import atomstudio.app.parts.NumberFieldView;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import javafx.css.PseudoClass;
import javafx.scene.Node;
import javafx.scene.control.Label;
import javafx.scene.control.TextField;
import javafx.scene.layout.GridPane;

/// Steps, rate, seed, previews, atoms and rank. Empty fields show the method's default.
public final class TuneSettingsView extends GridPane {
    private static final PseudoClass WRONG = PseudoClass.getPseudoClass("wrong");

    private final TuneViewModel model;

    public TuneSettingsView(TuneViewModel model) {
        this.model = model;
        getStyleClass().add("settings-grid");
        setHgap(8);
        setVgap(6);
        TextField steps = optional("steps", text -> model.settings(now().withSteps(text.isEmpty() ? OptionalInt.empty() : positive(text))));
        TextField rate = optional("rate", text -> model.settings(now().withRate(text.isEmpty() ? OptionalDouble.empty() : rate(text))));
        TextField previews = optional("preview-every", text -> model.settings(now().withPreviewEvery(text.isEmpty() ? OptionalInt.empty() : positive(text))));
        previews.setPromptText("default");
        model.method().subscribe(method -> {
            steps.setPromptText(String.valueOf(method.steps()));
            rate.setPromptText(String.valueOf(method.rate()));
        });
        NumberFieldView seed = new NumberFieldView(new NumberFieldView.Range(0, 1L << 32, 1), value -> String.valueOf((long) value), value -> model.settings(now().withSeed((long) value)));
        NumberFieldView atoms = new NumberFieldView(new NumberFieldView.Range(1, 9, 1), value -> String.valueOf((int) value), value -> model.settings(now().withAtoms((int) value)));
        NumberFieldView rank = new NumberFieldView(new NumberFieldView.Range(1, 128, 1), value -> String.valueOf((int) value), value -> model.settings(now().withRank((int) value)));
        seed.show(now().seed());
        atoms.show(now().atoms());
        rank.show(now().rank());
        line(0, "steps", steps, "seed", seed);
        line(1, "rate", rate, "atoms", atoms);
        line(2, "preview every", previews, "LoRA rank", rank);
    }

    private TuneSettings now() {
        return model.settings().get();
    }

    private interface Typed {
        void accept(String text);
    }

    private static TextField optional(String id, Typed typed) {
        TextField field = new TextField();
        field.setId("tune-" + id);
        field.setPrefColumnCount(4);
        field.textProperty().addListener((property, before, now) -> {
            try {
                typed.accept(now.strip());
                field.pseudoClassStateChanged(WRONG, false);
            } catch (NumberFormatException wrong) {
                field.pseudoClassStateChanged(WRONG, true);
            }
        });
        return field;
    }

    private static OptionalInt positive(String text) {
        int number = Integer.parseInt(text);
        if (number < 1) throw new NumberFormatException("at least 1");
        return OptionalInt.of(number);
    }

    private static OptionalDouble rate(String text) {
        double number = Double.parseDouble(text);
        if (!(number > 0 && number < 10)) throw new NumberFormatException("above 0 and below 10");
        return OptionalDouble.of(number);
    }

    private void line(int row, String leftName, Node left, String rightName, Node right) {
        addRow(row, name(leftName, left), left, name(rightName, right), right);
    }

    private static Label name(String text, Node control) {
        Label label = new Label(text);
        label.getStyleClass().add("muted");
        label.setLabelFor(control);
        return label;
    }
}
