package atomstudio.app.models;

import atomstudio.app.controls.CardView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.desktop.DisplayFormat;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import javafx.beans.binding.Bindings;
import javafx.beans.property.SimpleStringProperty;
import javafx.collections.ListChangeListener;
import javafx.css.PseudoClass;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.ScrollPane;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;

/// The page on which a model is chosen: how to open another, what became of that, and a card for each.
public final class ModelsView extends VBox {
    private static final PseudoClass CURRENT = PseudoClass.getPseudoClass("current");
    private static final int MAX_WORDS = 8;
    private static final List<String> DOWNLOAD_PAGES = List
            .of("huggingface.co/stable-diffusion-v1-5/stable-diffusion-v1-5", "civitai.com/models");

    private final ModelsViewModel model;

    public ModelsView(ModelsViewModel model) {
        super(12);
        this.model = model;
        getStyleClass().add("plain-page");
        Label title = new Label("Models");
        title.getStyleClass().add("page-title");
        Button folder = openButton("Open a model folder…", "open-model", model::chooseFolder);
        folder.getStyleClass().add("accent");
        Button cancel = button("Cancel", model::cancel);
        cancel.setId("cancel-opening");
        cancel.visibleProperty().bind(model.cancellable());
        HBox buttons = new HBox(8, folder, openButton("Open a model file…", "open-model-file", model::chooseFile),
                cancel);
        Label hint = muted(
                "Stable Diffusion 1.x and 2.x: a folder with model_index.json in it, or one file (.safetensors, .ckpt). Nothing is copied, and no code of a file ever runs.");
        VBox list = new VBox(12);
        Node download = downloadCard();
        Runnable refresh = () -> list.getChildren()
                .setAll(Stream
                        .of(model.known().stream().map(this::card), model.unreadable().stream().map(this::card),
                                Stream.of(download))
                        .flatMap(cards -> cards)
                        .toList());
        model.known().addListener((ListChangeListener<ModelSummary>) change -> refresh.run());
        model.unreadable().addListener((ListChangeListener<ModelsViewModel.UnreadableModel>) change -> refresh.run());
        model.current().subscribe(now -> refresh.run());
        Label emptyLabel = new Label("No model could be read.");
        emptyLabel.visibleProperty().bind(Bindings.isEmpty(model.known()).and(model.busy().isEmpty()));
        emptyLabel.managedProperty().bind(emptyLabel.visibleProperty());
        ScrollPane scroll = new ScrollPane(list);
        scroll.setFitToWidth(true);
        scroll.getStyleClass().add("edge-to-edge");
        VBox.setVgrow(scroll, Priority.ALWAYS);
        getChildren().addAll(title, buttons, hint, new NoteView(NoteView.NoteKind.PLAIN, model.busy()),
                new NoteView(NoteView.NoteKind.ERROR, model.problem()), emptyLabel, scroll);
    }

    /// Where models come from; the link is copied, for the studio itself connects to nothing.
    private Node downloadCard() {
        CardView card = new CardView("Get a model");
        card.setId("get-model-card");
        card.add(muted(
                "Download Stable Diffusion 1.5 or 2.1, or any model based on them (4 GB, 2 GB in half precision): one .safetensors or .ckpt file, or a folder in diffusers' layout. Then open it here. "
                        + "It makes 512-pixel images; on a processor one takes minutes."));
        HBox links = new HBox(8);
        links.setAlignment(Pos.CENTER_LEFT);
        for (String link : DOWNLOAD_PAGES) links.getChildren().add(button("Copy " + link, () -> model.copyLink(link)));
        card.add(links);
        return card;
    }

    private Button openButton(String text, String id, Runnable action) {
        Button button = button(text, action);
        button.setId(id);
        button.disableProperty().bind(model.busy().isNotEmpty());
        return button;
    }

    private static Button button(String text, Runnable action) {
        Button button = new Button(text);
        button.setMinWidth(Region.USE_PREF_SIZE);
        button.setOnAction(pressed -> action.run());
        return button;
    }

    private static Label muted(String text) {
        Label label = new Label(text);
        label.getStyleClass().add("muted");
        label.setWrapText(true);
        return label;
    }

    private Node card(ModelSummary summary) {
        boolean current = summary.equals(model.current().get());
        boolean builtIn = summary.origin() == ModelSummary.Origin.BUILT_IN;
        CardView card = new CardView(summary.title());
        card.getStyleClass().add("model-card");
        card.pseudoClassStateChanged(CURRENT, current);
        card.subtitle().setText(current ? "in use" : "");
        List<String> words = summary.classWords();
        card.add(muted("UNet of " + DisplayFormat.count(summary.parameters()) + " parameters" + (words.isEmpty() ? ""
                : " · knows " + String.join(", ", words.subList(0, Math.min(MAX_WORDS, words.size()))) + "…")));
        for (String note : summary.warnings().assumptions()) card.add(muted(note));
        summary.warnings()
                .missingTokenizer()
                .ifPresent(warning -> card
                        .add(new NoteView(NoteView.NoteKind.WARNING, new SimpleStringProperty(warning))));
        Stream<Button> buttons = Stream.of(
                summary.warnings()
                        .missingTokenizer()
                        .stream()
                        .map(warning -> button("Look again", () -> model.open(summary.path()))),
                Stream.of(button("Use", () -> model.select(summary))).filter(use -> !current),
                Stream.of(button("Forget", () -> model.remove(summary))).filter(forget -> !builtIn))
                .flatMap(some -> some);
        card.add(footer(builtIn ? "comes with the studio" : summary.path().toString(), buttons.toList()));
        return card;
    }

    private Node card(ModelsViewModel.UnreadableModel unreadable) {
        Path name = unreadable.path().getFileName();
        CardView card = new CardView(name == null ? unreadable.path().toString() : name.toString());
        card.getStyleClass().add("lost-model");
        card.subtitle().setText("cannot be read");
        card.add(new NoteView(NoteView.NoteKind.WARNING, new SimpleStringProperty(unreadable.reason())));
        card.add(footer(unreadable.path().toString(), List.of(button("Look again", () -> model.open(unreadable.path())),
                button("Forget", () -> model.remove(unreadable)))));
        return card;
    }

    private static HBox footer(String location, List<Button> buttons) {
        Region gap = new Region();
        HBox.setHgrow(gap, Priority.ALWAYS);
        HBox line = new HBox(8, muted(location), gap);
        line.getChildren().addAll(buttons);
        line.setAlignment(Pos.CENTER_LEFT);
        return line;
    }
}
