package atomstudio.app.gallery;

import javafx.geometry.Point2D;
import javafx.scene.Cursor;
import javafx.scene.image.Image;
import javafx.scene.image.ImageView;
import javafx.scene.input.MouseButton;
import javafx.scene.input.MouseEvent;
import javafx.scene.layout.Region;
import javafx.scene.shape.Rectangle;
import org.jspecify.annotations.Nullable;

/// An image that can be zoomed and moved, and a second one to compare it with: in its place, or beside a divider.
public final class ZoomView extends Region {
    private static final double MAX_SCALE = 16;
    private static final double STEP = 1.25;

    private final ImageView image = new ImageView();
    private final ImageView compared = new ImageView();
    private final Region divider = new Region();
    private final Rectangle wipeClip = new Rectangle();
    /// Window pixels per image pixel; 0: fitted into the view.
    private double scale;
    /// Of the image's center from the view's, in window pixels.
    private Point2D offset = Point2D.ZERO;
    private @Nullable Point2D dragStart;
    private boolean wiping;
    private double wipe = 0.5;

    public ZoomView() {
        getStyleClass().add("zoom-view");
        setFocusTraversable(true);
        setMinSize(0, 0);
        divider.getStyleClass().add("wipe-divider");
        divider.setMouseTransparent(true);
        compared.setVisible(false);
        divider.setVisible(false);
        getChildren().addAll(image, compared, divider);
        Rectangle clip = new Rectangle();
        clip.widthProperty().bind(widthProperty());
        clip.heightProperty().bind(heightProperty());
        setClip(clip);
        setOnScroll(scroll -> {
            if (scroll.getDeltaY() != 0)
                zoom(Math.pow(STEP, Math.signum(scroll.getDeltaY())), new Point2D(scroll.getX(), scroll.getY()));
            scroll.consume();
        });
        setOnMousePressed(press -> {
            requestFocus();
            dragStart = new Point2D(press.getX(), press.getY()).subtract(offset);
            if (movesDivider(press)) moveDivider(press.getX());
        });
        setOnMouseDragged(this::onDragged);
        setOnMouseClicked(click -> {
            if (click.getClickCount() != 2 || click.getButton() != MouseButton.PRIMARY || wiping) return;
            if (scale == 0) zoomTo(actualSize(), new Point2D(click.getX(), click.getY()));
            else fit();
        });
        widthProperty().subscribe(now -> requestLayout());
        heightProperty().subscribe(now -> requestLayout());
    }

    private boolean movesDivider(MouseEvent mouse) {
        return wiping && mouse.getButton() == MouseButton.PRIMARY;
    }

    private void onDragged(MouseEvent drag) {
        if (movesDivider(drag)) {
            moveDivider(drag.getX());
        } else if (dragStart != null && scale > 0) {
            offset = new Point2D(drag.getX(), drag.getY()).subtract(dragStart);
            requestLayout();
        }
    }

    private void moveDivider(double x) {
        Image now = image.getImage();
        if (now == null) return;
        double left = (getWidth() - now.getWidth() * shownScale()) / 2 + offset.getX();
        wipe((x - left) / (now.getWidth() * shownScale()));
    }

    /// Shows an image; the zoom stays if the image has the size of the previous one.
    public void show(@Nullable Image shown) {
        Image before = image.getImage();
        boolean sameSize = before != null && shown != null && before.getWidth() == shown.getWidth()
                && before.getHeight() == shown.getHeight();
        image.setImage(shown);
        if (shown != null && !sameSize) fit();
        requestLayout();
    }

    /// Sets the image to compare with, which is scaled to the shown one.
    public void showCompared(@Nullable Image other) {
        compared.setImage(other);
        update();
    }

    /// Shows the compared image in the place of the other one.
    public void blink(boolean on) {
        compared.setVisible(compared.getImage() != null && (on || wiping));
        compared.setClip(on || !wiping ? null : wipeClip);
        divider.setVisible(wiping && !on && compared.getImage() != null);
    }

    /// Shows the compared image left of a divider.
    public void setWiping(boolean on) {
        wiping = on;
        setCursor(on ? Cursor.H_RESIZE : Cursor.DEFAULT);
        update();
    }

    /// Moves the divider.
    /// @param share of the image's width, 0..1
    private void wipe(double share) {
        wipe = Math.clamp(share, 0, 1);
        requestLayout();
    }

    private void update() {
        blink(false);
        requestLayout();
    }

    /// Fits the whole image into the view; small images are enlarged, at most twice or to 1024 pixels.
    public void fit() {
        scale = 0;
        offset = Point2D.ZERO;
        requestLayout();
    }

    /// Shows one pixel of the image as one pixel of the screen.
    public void showActualSize() {
        zoomTo(actualSize(), new Point2D(getWidth() / 2, getHeight() / 2));
    }

    public void zoomIn() {
        zoom(STEP, new Point2D(getWidth() / 2, getHeight() / 2));
    }

    public void zoomOut() {
        zoom(1 / STEP, new Point2D(getWidth() / 2, getHeight() / 2));
    }

    private double actualSize() {
        return getScene() == null || getScene().getWindow() == null ? 1
                : 1 / getScene().getWindow().getOutputScaleX();
    }

    private double fittedScale() {
        Image now = image.getImage();
        if (now == null || getWidth() <= 0 || getHeight() <= 0) return 1;
        return Math.min(Math.max(2, 1024 / Math.max(now.getWidth(), now.getHeight())),
                Math.min(getWidth() / now.getWidth(), getHeight() / now.getHeight()));
    }

    /// Window pixels per image pixel.
    double shownScale() {
        return scale == 0 ? fittedScale() : scale;
    }

    private void zoom(double factor, Point2D anchor) {
        zoomTo(shownScale() * factor, anchor);
    }

    /// Zooms so that the point of the image under the anchor stays there.
    private void zoomTo(double target, Point2D anchor) {
        double before = shownScale();
        double smallest = Math.min(fittedScale(), actualSize());
        double changed = Math.clamp(target, smallest / 4, MAX_SCALE);
        Point2D fromCenter = anchor.subtract(getWidth() / 2, getHeight() / 2);
        offset = fromCenter.subtract(fromCenter.subtract(offset).multiply(changed / before));
        scale = changed;
        requestLayout();
    }

    @Override
    protected void layoutChildren() {
        Image now = image.getImage();
        if (now == null) return;
        double width = now.getWidth() * shownScale(), height = now.getHeight() * shownScale();
        double x = Math.round((getWidth() - width) / 2 + offset.getX());
        double y = Math.round((getHeight() - height) / 2 + offset.getY());
        for (ImageView view : new ImageView[] {image, compared}) {
            view.setFitWidth(width);
            view.setFitHeight(height);
            view.relocate(x, y);
        }
        wipeClip.setWidth(width * wipe);
        wipeClip.setHeight(height);
        divider.resizeRelocate(x + width * wipe - 1, y, 2, height);
    }
}
