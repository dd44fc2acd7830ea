package atomstudio.app.window;

import javafx.animation.Animation;
import javafx.animation.KeyFrame;
import javafx.animation.Timeline;
import javafx.scene.Node;
import javafx.util.Duration;

/// Something that happens again and again while a node is on a screen.
final class RepeatWhileShown {
    private RepeatWhileShown() {}

    static void every(Duration period, Node node, Runnable action) {
        Timeline timeline = new Timeline(new KeyFrame(period, tick -> action.run()));
        timeline.setCycleCount(Animation.INDEFINITE);
        node.sceneProperty().subscribe(scene -> {
            if (scene == null) timeline.stop();
            else timeline.play();
        });
    }
}
