package atomstudio.app.subjects;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.dataset.PhotoCheck;
import atomstudio.app.gallery.ThumbnailView;
import atomstudio.app.gallery.Thumbnails;
import atomstudio.app.subjects.SubjectViewModel.SubjectPhoto;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.tuning.config.TrainingConfig.CropMode;
import java.nio.file.Path;
import java.util.Optional;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.Tooltip;
import javafx.scene.input.KeyCode;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.scene.layout.StackPane;
import javafx.scene.layout.VBox;
import javafx.scene.shape.Rectangle;
import javafx.scene.shape.Shape;
import org.kordamp.ikonli.feather.Feather;
import org.kordamp.ikonli.javafx.FontIcon;

/// A training photo: what training leaves out of it is dimmed; badges name what may harm a run; caption and mask below.
final class PhotoTileView extends VBox {
    /// The smallest side of a photo's frame.
    static final double SIDE = 208;
    /// Below the frame: the name alone, or with caption and mask.
    static final double NAME_HEIGHT = 24;
    static final double DESCRIPTION_HEIGHT = 62;
    private static final double MASK_SIDE = 40;

    /// @param page for resolution and cropping of the next run
    /// @param side of the photo's frame
    PhotoTileView(SubjectPageViewModel page, SubjectPhoto photo, double side) {
        super(6);
        getStyleClass().add("photo-tile");
        setMaxWidth(side);
        setPrefWidth(side);
        String name = photo.file().getFileName().toString();
        Button remove = removeButton(page.subject(), photo, name);
        VBox badges = badges(page, photo);
        StackPane frame = new StackPane(image(thumbnails(page), photo, page.trainingCrop().getValue(), side), badges,
                remove);
        frame.setMinSize(side, side);
        frame.getStyleClass().add("photo-frame");
        StackPane.setAlignment(remove, Pos.TOP_RIGHT);
        StackPane.setAlignment(badges, Pos.TOP_LEFT);
        remove.opacityProperty()
                .bind(hoverProperty().or(remove.focusedProperty()).map(shown -> shown ? 1.0 : 0.0));
        getChildren().addAll(frame, description(page, photo, name));
    }

    private static Button removeButton(SubjectViewModel model, SubjectPhoto photo, String name) {
        Button remove = new Button(null, new FontIcon(Feather.X));
        remove.getStyleClass().add("remove");
        remove.setAccessibleText(text("subjects.photo.remove", name));
        remove.setTooltip(new Tooltip(text("subjects.photo.remove", name)));
        remove.setOnAction(pressed -> model.remove(photo));
        remove.setOnKeyPressed(key -> {
            if (key.getCode() == KeyCode.DELETE) model.remove(photo);
        });
        return remove;
    }

    private static Thumbnails thumbnails(SubjectPageViewModel page) {
        return page.largeImage().gallery().largeThumbnails();
    }

    private static Node image(Thumbnails thumbnails, SubjectPhoto photo, CropMode crop, double side) {
        double scale = side / Math.max(photo.check().width(), photo.check().height());
        double width = photo.check().width() * scale;
        double height = photo.check().height() * scale;
        ThumbnailView image = new ThumbnailView(thumbnails);
        image.setFixedSize(width, height);
        image.show(photo);
        double kept = Math.min(width, height);
        if (crop != CropMode.CENTRE || Math.abs(width - height) < 2) return image;
        Shape cut = Shape.subtract(new Rectangle(width, height),
                new Rectangle((width - kept) / 2, (height - kept) / 2, kept, kept));
        cut.getStyleClass().add("photo-cut");
        cut.setMouseTransparent(true);
        Rectangle border = new Rectangle(kept - 2, kept - 2);
        border.getStyleClass().add("photo-crop");
        border.setMouseTransparent(true);
        StackPane both = new StackPane(image, cut, border);
        Tooltip.install(both, new Tooltip(text("subjects.photo.crop")));
        return both;
    }

    private static VBox badges(SubjectPageViewModel page, SubjectPhoto photo) {
        VBox badges = new VBox(4);
        badges.setPickOnBounds(false);
        badges.setMaxSize(Region.USE_PREF_SIZE, Region.USE_PREF_SIZE);
        badges.getStyleClass().add("photo-badges");
        PhotoCheck check = photo.check();
        Optional<SubjectPhoto> original = page.subject().duplicateOf(photo);
        original.ifPresent(other -> badges.getChildren()
                .add(badge(text("subjects.photo.duplicate"),
                        text("subjects.photo.duplicate.help", other.file().getFileName()))));
        if (check.isBlurred())
            badges.getChildren().add(badge(text("subjects.photo.blurred"), text("subjects.photo.blurred.help")));
        int resolution = page.trainingResolution().get();
        if (check.isTooSmall(resolution))
            badges.getChildren()
                    .add(badge(text("subjects.photo.small"),
                            text("subjects.photo.small.help", check.width(), check.height(), resolution)));
        return badges;
    }

    private static Label badge(String name, String help) {
        Label badge = new Label(name);
        badge.getStyleClass().add("photo-badge");
        badge.setTooltip(new Tooltip(help));
        badge.setAccessibleText(name + ". " + help);
        return badge;
    }

    private static Node description(SubjectPageViewModel page, SubjectPhoto photo, String name) {
        Label title = new Label(name);
        title.getStyleClass().addAll("small-text", "muted");
        VBox words = new VBox(1, title);
        HBox.setHgrow(words, Priority.ALWAYS);
        if (!photo.sidecars().caption().isEmpty()) {
            Label caption = new Label("“" + photo.sidecars().caption() + "”");
            caption.setWrapText(true);
            caption.setMaxHeight(36);
            caption.getStyleClass().addAll("small-text", "photo-caption");
            caption.setTooltip(new Tooltip(photo.sidecars().caption()));
            words.getChildren().add(caption);
        }
        HBox line = new HBox(6, words);
        photo.sidecars().mask().ifPresent(mask -> {
            ThumbnailView view = new ThumbnailView(page.largeImage().gallery().thumbnails());
            view.setFixedSize(MASK_SIDE, MASK_SIDE);
            view.show(new MaskFile(mask));
            Tooltip.install(view, new Tooltip(text("subjects.photo.mask")));
            view.setAccessibleText(text("subjects.photo.mask"));
            line.getChildren().add(view);
        });
        return line;
    }

    private record MaskFile(Path file) implements Thumbnails.Source {
        @Override
        public Path key() {
            return file;
        }

        @Override
        public RgbImage read() throws Failure {
            return ImageFiles.read(file);
        }
    }
}
