package atomstudio.app.tune;

import atomstudio.app.parts.CardView;
import atomstudio.app.parts.NoteView;
import javafx.geometry.Pos;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.ProgressBar;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;

/// The run on its way: bar, step, time left, speed, memory; Pause, Resume, Cancel.
public final class ProgressCardView extends CardView {
    private final Button cancel = button("cancel");

    public ProgressCardView(RunQueue queue) {
        super("");
        setId("progress-card");
        title().textProperty().bind(queue.current().map(order -> "Tuning: " + order.title()).orElse(""));
        subtitle().textProperty().bind(queue.progress().map(RunProgress::count));
        ProgressBar bar = new ProgressBar();
        bar.setMaxWidth(Double.MAX_VALUE);
        bar.progressProperty().bind(queue.progress().map(RunProgress::fraction));
        Label left = new Label();
        left.textProperty().bind(queue.progress().map(ProgressCardView::state));
        Label speed = new Label();
        speed.getStyleClass().add("muted");
        speed.textProperty().bind(queue.progress().map(RunProgress::speed));
        Region gap = new Region();
        HBox.setHgrow(gap, Priority.ALWAYS);
        add(bar, new HBox(8, left, gap, speed), buttons(queue), new NoteView(NoteView.NoteKind.PLAIN, queue.asked()));
    }

    private static String state(RunProgress progress) {
        return switch (progress.state()) {
            case WAITING -> "waiting";
            case STARTING -> "starting: preparing pictures and prompts…";
            case TUNING -> progress.timeLeft();
            case PAUSED -> "paused";
            case CANCELLED -> "cancelled";
            case FAILED -> "failed";
            case DONE -> "finishing…";
        };
    }

    /// Puts the keyboard on Cancel.
    public void focusCancel() {
        cancel.requestFocus();
    }

    private HBox buttons(RunQueue queue) {
        Button pause = button("pause");
        pause.textProperty().bind(queue.progress().map(progress -> progress.state() == RunProgress.State.PAUSED ? "Resume" : "Pause"));
        pause.setOnAction(pressed -> {
            if (queue.progress().get().state() == RunProgress.State.PAUSED) queue.resume();
            else queue.pause();
        });
        pause.disableProperty().bind(queue.progress().map(progress -> !progress.active() || progress.state() == RunProgress.State.STARTING));
        cancel.setText("Cancel");
        cancel.setOnAction(pressed -> queue.cancel());
        HBox buttons = new HBox(8, pause, cancel);
        buttons.setAlignment(Pos.CENTER);
        return buttons;
    }

    private static Button button(String id) {
        Button button = new Button();
        button.setId(id + "-run");
        button.setMaxWidth(Double.MAX_VALUE);
        HBox.setHgrow(button, Priority.ALWAYS);
        return button;
    }
}
