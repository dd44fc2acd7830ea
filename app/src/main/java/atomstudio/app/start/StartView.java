package atomstudio.app.start;

import static atomstudio.app.controls.ShownView.shown;
import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.MutedLabelView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.controls.RoundedImageView;
import atomstudio.app.dataset.Subject;
import atomstudio.app.subjects.RejectedFilesView;
import javafx.beans.binding.Bindings;
import javafx.beans.value.ObservableValue;
import javafx.collections.ListChangeListener;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.ContentDisplay;
import javafx.scene.control.Hyperlink;
import javafx.scene.control.Label;
import javafx.scene.control.ProgressIndicator;
import javafx.scene.image.Image;
import javafx.scene.layout.FlowPane;
import javafx.scene.layout.HBox;
import javafx.scene.layout.StackPane;
import javafx.scene.layout.VBox;
import javafx.scene.text.TextAlignment;
import org.kordamp.ikonli.feather.Feather;
import org.kordamp.ikonli.javafx.FontIcon;

/// The start page: a drop target for photos, sample subjects, and links to the other pages.
public final class StartView extends StackPane {
    private static final double MIN_COVER = 94;
    private static final double MAX_COVER = 168;
    /// A cover's side, as a part of the page's width.
    private static final double COVER_SHARE = 1 / 12.0;

    public StartView(StartViewModel model) {
        getStyleClass().add("start-page");
        Label title = new Label(text("start.drop-3-10-photos-of-one"));
        title.getStyleClass().add("start-title");
        Label hint = new Label(text("start.show-the-whole-subject-on-different"));
        hint.getStyleClass().add("muted");
        Button choose = new ActionButtonView(text("start.choose-photos"), model::choosePhotos, "accent")
                .withId("choose-photos");
        Label privacy = new MutedLabelView(text("start.everything-stays-on-this-computer"), "small-text");
        Label orLabel = new Label(text("start.or-try-a-sample"));
        orLabel.getStyleClass().addAll("muted", "start-or");
        ObservableValue<Double> cover = widthProperty()
                .map(width -> Math.rint(Math.clamp(COVER_SHARE * width.doubleValue(), MIN_COVER, MAX_COVER)));
        VBox idle = new VBox(14, title, hint, choose, privacy, rejected(model), orLabel, samples(model, cover),
                showMe(model), generate(model),
                modelNotice(model));
        idle.setAlignment(Pos.CENTER);
        idle.visibleProperty().bind(model.busy().isEmpty());

        StackPane frame = new StackPane(idle, busy(model));
        frame.getStyleClass().add("drop-frame");
        getChildren().add(frame);
    }

    private static Node showMe(StartViewModel model) {
        Button button = new ActionButtonView(text("start.show-me"), model::showMe).withId("show-me");
        button.setGraphic(new FontIcon(Feather.PLAY));
        button.disableProperty().bind(Bindings.isEmpty(model.samples()));
        Label words = new MutedLabelView(text("start.show-me.help"));
        HBox line = new HBox(10, button, words);
        line.setAlignment(Pos.CENTER);
        return line;
    }

    private static Hyperlink generate(StartViewModel model) {
        Hyperlink generate = new Hyperlink(text("start.or-generate-images-from-a-prompt"));
        generate.setId("start-generate");
        generate.setOnAction(pressed -> model.openGenerate());
        return generate;
    }

    private static VBox modelNotice(StartViewModel model) {
        NoteView notice = new NoteView(NoteView.NoteKind.PLAIN, model.modelNotice());
        notice.setId("about-model");
        notice.setMaxWidth(620);
        notice.setTextAlignment(TextAlignment.CENTER);
        notice.setAlignment(Pos.CENTER);
        Hyperlink download = new Hyperlink(text("start.get-a-model"));
        download.setId("get-model");
        download.setOnAction(pressed -> model.openModels());
        VBox box = new VBox(2, notice, download);
        box.getStyleClass().add("start-or");
        box.setAlignment(Pos.CENTER);
        box.visibleProperty().bind(notice.visibleProperty());
        box.managedProperty().bind(notice.visibleProperty());
        return box;
    }

    private static VBox busy(StartViewModel model) {
        Label status = new Label();
        status.textProperty().bind(model.busy());
        Button cancel = new ActionButtonView(text("start.cancel"), model::cancel);
        ProgressIndicator spinner = new ProgressIndicator();
        spinner.setMaxSize(40, 40);
        VBox busy = new VBox(14, spinner, status, cancel);
        busy.setAlignment(Pos.CENTER);
        busy.visibleProperty().bind(model.busy().isNotEmpty());
        // An invisible spinner would still use a core.
        spinner.visibleProperty().bind(busy.visibleProperty());
        return busy;
    }

    private static VBox rejected(StartViewModel model) {
        NoteView problem = new NoteView(NoteView.NoteKind.ERROR, model.problem());
        RejectedFilesView rejectedFiles = new RejectedFilesView(model.rejected());
        VBox box = new VBox(6, problem, rejectedFiles);
        box.setMaxWidth(560);
        box.managedProperty().bind(problem.visibleProperty().or(Bindings.isNotEmpty(model.rejected())));
        box.visibleProperty().bind(box.managedProperty());
        return box;
    }

    /// @param cover side of a sample's photo
    private static FlowPane samples(StartViewModel model, ObservableValue<Double> cover) {
        FlowPane tiles = new FlowPane(12, 12);
        tiles.setAlignment(Pos.CENTER);
        tiles.maxWidthProperty().bind(cover.map(side -> 6 * side + 196));
        tiles.setId("samples");
        Runnable refresh = () -> tiles.getChildren()
                .setAll(model.samples().stream().map(sample -> tile(model, sample, cover)).toList());
        model.samples().addListener((ListChangeListener<Subject.SampleSubject>) change -> refresh.run());
        refresh.run();
        return tiles;
    }

    private static Button tile(StartViewModel model, Subject.SampleSubject sample, ObservableValue<Double> side) {
        Button tile = new Button(sample.name());
        RoundedImageView photo = new RoundedImageView(
                new Image(sample.cover().toUri().toString(), 2 * MAX_COVER, 2 * MAX_COVER, true, true, true),
                MIN_COVER);
        HBox cover = new HBox(photo);
        side.when(shown(tile)).subscribe(now -> {
            photo.setSide(now);
            cover.setMinSize(now, now);
        });
        tile.setGraphic(cover);
        tile.setContentDisplay(ContentDisplay.TOP);
        tile.getStyleClass().add("sample-tile");
        tile.setId("sample-" + sample.name());
        tile.setOnAction(pressed -> model.useSample(sample));
        return tile;
    }
}
