package atomstudio.app.train;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.controls.ValueFieldView;
import atomstudio.app.generate.ImageSettings;
import atomstudio.app.process.RunSpec.StartFiles;
import atomstudio.diffusion.engine.WeightedAdapter;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;
import javafx.geometry.Pos;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.Tooltip;
import javafx.scene.layout.HBox;
import javafx.scene.layout.VBox;

/// The adapter files that the next run starts from, as a group of the form.
final class StartFilesView extends VBox {
    private static final double TITLE_WIDTH = 150;

    StartFilesView(StartFilesViewModel model) {
        super(6);
        Label title = new Label(text("train.start-files"));
        title.getStyleClass().add("group-title");
        HBox from = line(model, "from", StartFiles::from, model::chooseFrom, model::removeFrom);
        HBox on = line(model, "on", files -> files.on().map(StartFiles.MergedFile::file), model::chooseOn,
                model::removeOn);
        double max = WeightedAdapter.MAX_WEIGHT;
        ValueFieldView<Double> weight = ValueFieldView.ofNumber(new ValueFieldView.NumberRange(-max, max, 0.1),
                ImageSettings::number,
                value -> model.files().get().on().ifPresent(merged -> model.setOn(merged.file(), value)));
        weight.setId("start-on-weight");
        weight.setAccessibleText(text("train.on.weight"));
        weight.setTooltip(new Tooltip(text("train.on.weight")));
        weight.setPrefColumnCount(4);
        model.files().map(files -> files.on()).subscribe(merged -> {
            weight.setVisible(merged.isPresent());
            merged.ifPresent(one -> weight.showValue(one.weight()));
        });
        on.getChildren().add(weight);
        getChildren().addAll(title, from, on, new NoteView(NoteView.NoteKind.WARNING, model.note()));
    }

    private static HBox line(StartFilesViewModel model, String kind, Function<StartFiles, Optional<Path>> file,
            Runnable choose, Runnable remove) {
        boolean isFrom = kind.equals("from");
        Label title = new Label(isFrom ? text("train.from") : text("train.on"));
        title.setMinWidth(TITLE_WIDTH);
        title.getStyleClass().add("muted");
        Tooltip help = new Tooltip(isFrom ? text("train.from.help") : text("train.on.help"));
        title.setTooltip(help);
        Label name = new Label();
        name.getStyleClass().add("muted");
        name.textProperty()
                .bind(model.files()
                        .map(file)
                        .map(found -> found.map(path -> path.getFileName().toString())
                                .orElse(text("train.start-files.none"))));
        Button chooser = new ActionButtonView(text("train.start-files.choose"), choose, "small")
                .withId("start-" + kind);
        chooser.setAccessibleText(title.getText());
        chooser.setTooltip(help);
        Button none = new ActionButtonView(text("train.start-files.remove"), remove, "small")
                .withId("start-" + kind + "-remove");
        none.visibleProperty().bind(model.files().map(file).map(Optional::isPresent));
        none.managedProperty().bind(none.visibleProperty());
        HBox line = new HBox(8, title, name, chooser, none);
        line.setAlignment(Pos.CENTER_LEFT);
        return line;
    }
}
