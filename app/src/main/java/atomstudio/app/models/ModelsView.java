package atomstudio.app.models;

import atomstudio.app.desktop.Readable;
import atomstudio.app.parts.CardView;
import atomstudio.app.parts.NoteView;
import java.util.stream.Stream;
import javafx.beans.binding.Bindings;
import javafx.collections.ListChangeListener;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;

/// The page on which a model is chosen.
public final class ModelsView extends VBox {
    private final ModelsViewModel model;

    public ModelsView(ModelsViewModel model) {
        super(12);
        this.model = model;
        getStyleClass().add("plain-page");
        Label title = new Label("Models");
        title.getStyleClass().add("page-title");
        Button add = new Button("Open a model folder…");
        add.setId("open-model");
        add.getStyleClass().add("accent");
        add.setOnAction(pressed -> model.choose());
        add.disableProperty().bind(model.busy().isNotEmpty());
        Button addFile = new Button("Open a model file…");
        addFile.setId("open-model-file");
        addFile.setOnAction(pressed -> model.chooseFile());
        addFile.disableProperty().bind(model.busy().isNotEmpty());
        Label hint = new Label("Stable Diffusion 1.x and 2.x: a folder with model_index.json in it, or one file (.safetensors, .ckpt). Nothing is copied, and no code of a file ever runs.");
        hint.getStyleClass().add("muted");
        hint.setWrapText(true);
        VBox list = new VBox(12);
        Runnable fill = () -> list.getChildren().setAll(model.known().stream().map(this::card).toList());
        model.known().addListener((ListChangeListener<ModelSummary>) change -> fill.run());
        model.current().subscribe(now -> fill.run());
        Label nothing = new Label("No model could be read.");
        nothing.visibleProperty().bind(Bindings.isEmpty(model.known()).and(model.busy().isEmpty()));
        nothing.managedProperty().bind(nothing.visibleProperty());
        getChildren().addAll(title, list, nothing, new NoteView(NoteView.Kind.PLAIN, model.busy()), new NoteView(NoteView.Kind.ERROR, model.problem()), new HBox(8, add, addFile), hint);
    }

    private Node card(ModelSummary summary) {
        boolean current = summary.equals(model.current().get());
        CardView card = new CardView(summary.title());
        card.remark().setText(current ? "in use" : "");
        Label where = new Label(summary.origin() == ModelSummary.Origin.EMBEDDED ? "comes with the studio" : summary.folder().toString());
        where.getStyleClass().add("muted");
        Label what = new Label("UNet of " + Readable.count(summary.parameters()) + " numbers"
            + (summary.words().isEmpty() ? "" : " · knows " + String.join(", ", summary.words().subList(0, Math.min(8, summary.words().size()))) + "…"));
        what.getStyleClass().add("muted");
        what.setWrapText(true);
        Region gap = new Region();
        HBox.setHgrow(gap, Priority.ALWAYS);
        Button use = new Button("Use");
        use.setDisable(current);
        use.setOnAction(pressed -> model.select(summary));
        Button forget = new Button("Forget");
        forget.setOnAction(pressed -> model.forget(summary));
        HBox line = new HBox(8, Stream.of(where, gap, use, summary.origin() == ModelSummary.Origin.EMBEDDED ? null : forget).filter(node -> node != null).toArray(Node[]::new));
        line.setAlignment(Pos.CENTER_LEFT);
        card.add(what);
        for (String note : summary.notes()) {
            Label known = new Label(note);
            known.getStyleClass().add("muted");
            known.setWrapText(true);
            card.add(known);
        }
        card.add(line);
        return card;
    }
}
