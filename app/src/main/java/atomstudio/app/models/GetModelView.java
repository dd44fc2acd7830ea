package atomstudio.app.models;

import static atomstudio.app.text.Texts.count;
import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.CardView;
import atomstudio.app.controls.ExpanderView;
import atomstudio.app.controls.LabeledFieldView;
import atomstudio.app.controls.MutedLabelView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.controls.TitleConverter;
import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.hub.DownloadPlan;
import atomstudio.app.hub.DownloadedModels;
import atomstudio.app.hub.HubRepository;
import atomstudio.app.hub.ModelOffer;
import java.util.stream.Collectors;
import javafx.beans.binding.Bindings;
import javafx.beans.property.SimpleStringProperty;
import javafx.beans.property.StringProperty;
import javafx.collections.ListChangeListener;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.CheckBox;
import javafx.scene.control.ChoiceBox;
import javafx.scene.control.Hyperlink;
import javafx.scene.control.Label;
import javafx.scene.control.PasswordField;
import javafx.scene.control.ProgressBar;
import javafx.scene.control.TextField;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.VBox;

/// The card "Get a model": repository, offer, licence, progress, and unfinished downloads.
final class GetModelView extends CardView {
    private static final String SUGGESTION = "stable-diffusion-v1-5/stable-diffusion-v1-5";

    private final GetModelViewModel model;
    private final TextField repository = new TextField();
    private final TextField revision = new TextField();

    GetModelView(GetModelViewModel model) {
        super(text("models.get-a-model"));
        this.model = model;
        setId("get-model-card");
        VBox hubFields = hubFields();
        ExpanderView expander = new ExpanderView("hub-settings", text("models.hub-and-access-token"),
                model.settings()
                        .current()
                        .map(now -> now.address().host()
                                + (now.token().isPresent() ? text("models.access-token-saved") : "")),
                hubFields);
        VBox hub = new VBox(4, expander, hubFields);
        model.needsToken().subscribe(needed -> {
            if (needed) expander.setSelected(true);
        });
        add(new MutedLabelView(text("models.a-stable-diffusion-1-x-or")), search(),
                new NoteView(NoteView.NoteKind.ERROR, model.problem()), progress(), offer(), unfinished(), hub);
    }

    private Node search() {
        repository.setId("repository");
        repository.setPromptText(text("models.owner-name-or-the-address-of"));
        repository.setPrefColumnCount(32);
        repository.setOnAction(enter -> find());
        revision.setId("revision");
        revision.setPromptText("main");
        revision.setPrefColumnCount(8);
        revision.setOnAction(enter -> find());
        Button find = new ActionButtonView(text("models.find"), this::find).withId("find-repository");
        find.disableProperty().bind(model.status().map(GetModelViewModel.DownloadStatus::isBusy));
        Hyperlink suggestion = new Hyperlink(text("models.stable-diffusion-1-5"));
        suggestion.setMinWidth(USE_PREF_SIZE);
        suggestion.setOnAction(pressed -> repository.setText(SUGGESTION));
        HBox line = new HBox(8, new LabeledFieldView(text("models.repository"), repository),
                new LabeledFieldView(text("models.revision"), revision), find, suggestion);
        line.setAlignment(Pos.CENTER_LEFT);
        return line;
    }

    private void find() {
        model.find(repository.getText(), revision.getText());
    }

    private Node progress() {
        Label title = new Label();
        title.textProperty().bind(model.status().map(GetModelViewModel.DownloadStatus::title));
        Label text = new MutedLabelView("");
        text.setId("download-progress");
        text.textProperty().bind(model.status().map(GetModelViewModel.DownloadStatus::text));
        ProgressBar bar = new ProgressBar();
        bar.setMaxWidth(Double.MAX_VALUE);
        bar.setAccessibleText(text("models.download-progress"));
        bar.progressProperty().bind(model.status().map(GetModelViewModel.DownloadStatus::share));
        Button cancel = new ActionButtonView(text("models.cancel"), model::cancel).withId("cancel-download");
        HBox line = new HBox(8, title, text, cancel);
        HBox.setHgrow(text, Priority.ALWAYS);
        text.setMaxWidth(Double.MAX_VALUE);
        line.setAlignment(Pos.CENTER_LEFT);
        VBox box = new VBox(4, line, bar);
        box.visibleProperty().bind(model.status().map(GetModelViewModel.DownloadStatus::isBusy));
        box.managedProperty().bind(box.visibleProperty());
        return box;
    }

    private Node offer() {
        VBox box = new VBox(8);
        model.offer().subscribe(offer -> {
            if (offer == null) box.getChildren().clear();
            else box.getChildren().setAll(describe(offer));
        });
        showWhenIdle(box);
        return box;
    }

    private Node[] describe(ModelOffer offer) {
        HubRepository found = offer.repository();
        Label title = new Label(found.id().toString());
        title.getStyleClass().add("row-title");
        String facts = offer.facts()
                .map(known -> text("models.px-parameters", known.kind(), known.imageSize(),
                        DisplayFormat.compactCount(known.parameters()), String.join(", ", known.abilities())))
                .orElse(text("models.model-in-one-file"));
        ChoiceBox<DownloadPlan> choice = new ChoiceBox<>();
        choice.setId("download-plan");
        choice.setConverter(new TitleConverter<>(
                plan -> plan.title() + " · " + DisplayFormat.bytes(plan.size())));
        choice.getItems().setAll(offer.plans());
        choice.setValue(model.plan().get());
        choice.valueProperty().subscribe(chosen -> model.plan().set(chosen));
        StringProperty files = new SimpleStringProperty("");
        choice.valueProperty()
                .subscribe(chosen -> files.set(chosen == null ? ""
                        : chosen.files()
                                .stream()
                                .map(file -> file.path() + "  " + DisplayFormat.bytes(file.size()))
                                .collect(Collectors.joining("\n"))));
        MutedLabelView list = new MutedLabelView("");
        list.textProperty().bind(files);
        ExpanderView expander = new ExpanderView("download-files", text("models.files"),
                files.map(text -> count("models.files", text.lines().count())), list);
        return new Node[] {title, new MutedLabelView(facts), new LabeledFieldView(text("models.download"), choice),
                new VBox(2, expander, list), licence(found), downloadButton()};
    }

    private Node licence(HubRepository found) {
        String link = found.licence().link().map(text -> " (" + text + ")").orElse("");
        CheckBox accept = new CheckBox(text("models.i-accept-the-licence", found.licence().title(), link));
        accept.setId("accept-licence");
        accept.setWrapText(true);
        accept.selectedProperty().bindBidirectional(model.licenceAccepted());
        HBox line = new HBox(8, accept,
                new ActionButtonView(text("models.copy-the-pages-address"), model::copyPage, "small"));
        line.setAlignment(Pos.CENTER_LEFT);
        return line;
    }

    private Button downloadButton() {
        Button download = new ActionButtonView(text("models.download"), model::download).withId("download-model");
        download.disableProperty().bind(model.licenceAccepted().not());
        return download;
    }

    private Node unfinished() {
        VBox box = new VBox(4);
        Runnable refresh = () -> box.getChildren().setAll(model.unfinished().stream().map(this::unfinished).toList());
        model.unfinished().addListener((ListChangeListener<DownloadedModels.Unfinished>) change -> refresh.run());
        refresh.run();
        showWhenIdle(box);
        return box;
    }

    private void showWhenIdle(VBox box) {
        box.visibleProperty()
                .bind(model.status()
                        .map(now -> !now.isBusy())
                        .flatMap(idle -> Bindings.isNotEmpty(box.getChildren()).map(filled -> filled && idle)));
        box.managedProperty().bind(box.visibleProperty());
    }

    private Node unfinished(DownloadedModels.Unfinished download) {
        Label text = new Label(text("models.of-downloaded", download.manifest().id(),
                DisplayFormat.bytes(download.done()), DisplayFormat.bytes(download.manifest().size())));
        HBox line = new HBox(8, text,
                new ActionButtonView(text("models.continue"), () -> model.resume(download), "small")
                        .withId("continue-download"),
                new ActionButtonView(text("models.discard"), () -> model.discard(download), "small"));
        line.setAlignment(Pos.CENTER_LEFT);
        return line;
    }

    private VBox hubFields() {
        TextField address = new TextField();
        address.setId("hub-address");
        address.setPrefColumnCount(26);
        model.settings().current().subscribe(now -> address.setText(now.address().toString()));
        Runnable saveAddress = () -> model.settings().saveAddress(address.getText());
        address.setOnAction(enter -> saveAddress.run());
        address.focusedProperty().subscribe(focused -> {
            if (!focused && !address.getText().equals(model.settings().current().get().address().toString()))
                saveAddress.run();
        });
        PasswordField token = new PasswordField();
        token.setId("hub-token");
        token.setPrefColumnCount(26);
        token.promptTextProperty()
                .bind(model.settings().current().map(now -> now.token().isPresent() ? "saved" : "hf_…"));
        Runnable saveToken = () -> {
            if (!token.getText().isBlank()) model.settings().saveToken(token.getText());
            token.clear();
        };
        token.setOnAction(enter -> saveToken.run());
        Button forget = new ActionButtonView(text("models.forget"), () -> model.settings().saveToken(""))
                .withId("forget-token");
        forget.visibleProperty().bind(model.settings().current().map(now -> now.token().isPresent()));
        HBox tokenLine = new HBox(8, new LabeledFieldView(text("models.access-token"), token),
                new ActionButtonView(text("models.save"), saveToken).withId("save-token"), forget);
        tokenLine.setAlignment(Pos.CENTER_LEFT);
        return new VBox(6, new LabeledFieldView(text("models.hub"), address), tokenLine,
                new MutedLabelView(text("models.for-gated-and-private-repositories-the")));
    }
}
