package atomstudio.app.tune;

import atomstudio.app.parts.CardView;
import atomstudio.app.parts.NoteView;
import atomstudio.tuning.method.MethodSettings.Choice;
import java.util.List;
import java.util.stream.Stream;
import javafx.beans.property.ReadOnlyBooleanProperty;
import javafx.collections.ListChangeListener;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.RadioButton;
import javafx.scene.control.ToggleButton;
import javafx.scene.control.ToggleGroup;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;

/// Methods with their price, settings folded away, and Start.
public final class TuneCardView extends CardView {
    private static final List<Choice> OFFERED = List.of(Choice.ATOMS, Choice.ATOMS_AND_CHANNELS, Choice.LORA);

    private final TuneViewModel model;
    private final Button start = new Button();
    private final ToggleGroup group = new ToggleGroup();

    /// @param first whether nothing was tuned yet: then Start is the page's accented button
    public TuneCardView(TuneViewModel model, ReadOnlyBooleanProperty first) {
        super("Tune");
        this.model = model;
        remark().textProperty().bind(model.estimate());
        VBox offered = rows(OFFERED);
        VBox more = rows(Stream.of(Choice.values()).filter(method -> !OFFERED.contains(method)).toList());
        TuneSettingsView settings = new TuneSettingsView(model);
        HBox folds = new HBox(4, fold("more methods", more), fold("settings", settings));
        add(offered, folds, more, settings, new NoteView(NoteView.Kind.ERROR, model.problem()), startButton(first), new NoteView(NoteView.Kind.PLAIN, model.missing()));
    }

    private VBox rows(List<Choice> methods) {
        return new VBox(6, methods.stream().map(this::row).toArray(Node[]::new));
    }

    private RadioButton row(Choice method) {
        Label name = new Label(method.display());
        name.getStyleClass().add("method-name");
        name.setMinWidth(Region.USE_PREF_SIZE);
        Label price = new Label();
        price.getStyleClass().add("muted");
        Runnable show = () -> price.setText(model.cost(method).map(MethodCost::line).orElse("…"));
        model.costs().addListener((ListChangeListener<MethodCost>) change -> show.run());
        show.run();
        VBox text = new VBox(1, name, price);
        text.getStyleClass().add("method-text");
        RadioButton row = new RadioButton();
        row.setGraphic(text);
        row.setId("method-" + method.command());
        row.getStyleClass().add("method");
        row.setMaxWidth(Double.MAX_VALUE);
        row.setAccessibleText(method.display());
        row.setToggleGroup(group);
        model.method().subscribe(chosen -> row.setSelected(chosen == method));
        row.selectedProperty().addListener((property, before, now) -> {
            if (now) model.choose(method);
        });
        return row;
    }

    private static ToggleButton fold(String name, Node content) {
        ToggleButton fold = new ToggleButton();
        fold.getStyleClass().addAll("flat", "fold");
        fold.textProperty().bind(fold.selectedProperty().map(open -> (open ? "▾ " : "▸ ") + name));
        content.visibleProperty().bind(fold.selectedProperty());
        content.managedProperty().bind(fold.selectedProperty());
        return fold;
    }

    /// Puts the keyboard on Start.
    public void focusStart() {
        start.requestFocus();
    }

    private Button startButton(ReadOnlyBooleanProperty first) {
        start.setId("start");
        start.setMaxWidth(Double.MAX_VALUE);
        start.setAlignment(Pos.CENTER);
        start.textProperty().bind(first.map(nothingYet -> nothingYet ? "Start" : "Tune again"));
        first.subscribe(nothingYet -> {
            start.getStyleClass().remove("accent");
            if (nothingYet) start.getStyleClass().add("accent");
        });
        start.disableProperty().bind(model.missing().isNotEmpty());
        start.setOnAction(pressed -> model.start());
        return start;
    }
}
