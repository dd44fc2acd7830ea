package atomstudio.app.models;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.CardColumnsView;
import atomstudio.app.controls.CardView;
import atomstudio.app.controls.FocusScrollView;
import atomstudio.app.controls.MutedLabelView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.desktop.DisplayFormat;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javafx.beans.binding.Bindings;
import javafx.beans.property.SimpleStringProperty;
import javafx.collections.ListChangeListener;
import javafx.collections.MapChangeListener;
import javafx.css.PseudoClass;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;

/// The Models page: opening a model, and a card per known model.
public final class ModelsView extends VBox {
    private static final PseudoClass CURRENT = PseudoClass.getPseudoClass("current");
    private static final int MAX_WORDS = 8;
    private static final double CARD_WIDTH = 500;

    private final ModelsViewModel model;
    private final GetModelViewModel downloads;

    public ModelsView(ModelsViewModel model, GetModelViewModel downloads) {
        super(12);
        this.model = model;
        this.downloads = downloads;
        getStyleClass().add("plain-page");
        Label title = new Label(text("models.models"));
        title.getStyleClass().add("page-title");
        Button folder = openButton(text("models.open-model-folder"), "open-model", model::chooseFolder);
        folder.getStyleClass().add("accent");
        Button cancel = new ActionButtonView(text("models.cancel"), model::cancel).withId("cancel-opening");
        cancel.visibleProperty().bind(model.cancellable());
        HBox buttons = new HBox(8, folder,
                openButton(text("models.open-model-file"), "open-model-file", model::chooseFile),
                cancel);
        Label hint = new MutedLabelView(
                text("models.stable-diffusion-1-x-and-2"));
        CardColumnsView list = new CardColumnsView(CARD_WIDTH);
        Runnable refresh = () -> list.getChildren()
                .setAll(Stream
                        .of(model.known().stream().map(this::card), model.unreadable().stream().map(this::card))
                        .flatMap(cards -> cards)
                        .toList());
        model.known().addListener((ListChangeListener<ModelSummary>) change -> refresh.run());
        model.unreadable().addListener((ListChangeListener<ModelsViewModel.UnreadableModel>) change -> refresh.run());
        model.details().addListener((MapChangeListener<Path, ModelDetails>) change -> refresh.run());
        model.current().subscribe(now -> refresh.run());
        Label emptyLabel = new Label(text("models.no-model-found"));
        emptyLabel.visibleProperty().bind(Bindings.isEmpty(model.known()).and(model.busy().isEmpty()));
        emptyLabel.managedProperty().bind(emptyLabel.visibleProperty());
        FocusScrollView scroll = new FocusScrollView(new VBox(12, new GetModelView(downloads), list))
                .withBarInMargin();
        VBox.setVgrow(scroll, Priority.ALWAYS);
        getChildren().addAll(title, buttons, hint, new NoteView(NoteView.NoteKind.PLAIN, model.busy()),
                new NoteView(NoteView.NoteKind.ERROR, model.problem()), emptyLabel, scroll);
    }

    private Button openButton(String text, String id, Runnable action) {
        Button button = new ActionButtonView(text, action).withId(id);
        button.disableProperty().bind(model.busy().isNotEmpty());
        return button;
    }

    private Node card(ModelSummary summary) {
        boolean current = summary.equals(model.current().get());
        boolean builtIn = summary.origin() == ModelSummary.Origin.BUILT_IN;
        CardView card = new CardView(summary.title());
        card.getStyleClass().add("model-card");
        card.pseudoClassStateChanged(CURRENT, current);
        card.subtitle().setText(current ? text("models.active") : "");
        List<String> words = summary.classWords();
        String draws = words.isEmpty() ? ""
                : text("models.draws", String.join(", ", words.subList(0, Math.min(MAX_WORDS, words.size()))));
        card.add(
                new MutedLabelView(text("models.parameters", DisplayFormat.compactCount(summary.parameters()), draws)));
        ModelDetails details = model.details().get(summary.path());
        if (details != null) card.add(details(details));
        for (String assumption : summary.warnings().assumptions()) card.add(new MutedLabelView(assumption));
        summary.warnings()
                .missingTokenizer()
                .ifPresent(warning -> card
                        .add(new NoteView(NoteView.NoteKind.WARNING, new SimpleStringProperty(warning))));
        List<Button> buttons = new ArrayList<>();
        if (summary.warnings().missingTokenizer().isPresent())
            buttons.add(new ActionButtonView(text("models.retry"), () -> model.open(summary.path())));
        if (!current) buttons.add(new ActionButtonView(text("models.use"), () -> model.select(summary)));
        if (details != null && details.download().isPresent())
            buttons.add(new ActionButtonView(text("models.delete"), () -> downloads.delete(summary)));
        else
            if (!builtIn)
                buttons.add(new ActionButtonView(text("models.remove-from-list"), () -> model.remove(summary)));
        card.add(footer(builtIn ? text("models.built-in") : summary.path().toString(), buttons));
        return card;
    }

    private static Node details(ModelDetails details) {
        String origin = details.download()
                .map(from -> text("models.from-commit-licence", from.id(), from.commit().substring(0, 10),
                        (from.licence().isEmpty() ? "unknown" : from.licence())))
                .orElse("");
        return new MutedLabelView(
                text("models.sha-256-of-the", details.facts().kind(), String.join(", ", details.facts().abilities()),
                        DisplayFormat.bytes(details.bytes()), details.hash().of(), details.hash().sha256(), origin),
                "small-text");
    }

    private Node card(ModelsViewModel.UnreadableModel unreadable) {
        Path name = unreadable.path().getFileName();
        CardView card = new CardView(name == null ? unreadable.path().toString() : name.toString());
        card.subtitle().setText(text("models.cannot-be-read"));
        card.add(new NoteView(NoteView.NoteKind.WARNING, new SimpleStringProperty(unreadable.reason())));
        card.add(footer(unreadable.path().toString(),
                List.of(new ActionButtonView(text("models.retry"), () -> model.open(unreadable.path())),
                        new ActionButtonView(text("models.remove-from-list"), () -> model.remove(unreadable)))));
        return card;
    }

    private static HBox footer(String location, List<Button> buttons) {
        Region gap = new Region();
        HBox.setHgrow(gap, Priority.ALWAYS);
        HBox line = new HBox(8, new MutedLabelView(location), gap);
        line.getChildren().addAll(buttons);
        line.setAlignment(Pos.CENTER_LEFT);
        return line;
    }
}
