package atomstudio.app.runs;

import atomstudio.app.controls.CardView;
import atomstudio.app.controls.NoteView;
import javafx.geometry.Pos;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.ProgressBar;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;

/// The current run: progress bar, step, time left, speed and memory, with Pause, Resume and Cancel.
public final class ProgressCardView extends CardView {
    private final Button cancel = button("cancel");

    public ProgressCardView(RunQueue queue) {
        super("");
        setId("progress-card");
        title().textProperty().bind(queue.current().map(spec -> "Training: " + spec.title()).orElse(""));
        subtitle().textProperty().bind(queue.progress().map(RunProgress::stepText));
        ProgressBar bar = new ProgressBar();
        bar.setMaxWidth(Double.MAX_VALUE);
        bar.progressProperty().bind(queue.progress().map(RunProgress::fraction));
        Label timeLeft = new Label();
        timeLeft.textProperty().bind(queue.progress().map(ProgressCardView::stateText));
        Label speed = new Label();
        speed.getStyleClass().add("muted");
        speed.textProperty().bind(queue.progress().map(RunProgress::speedText));
        Region gap = new Region();
        HBox.setHgrow(gap, Priority.ALWAYS);
        add(bar, new HBox(8, timeLeft, gap, speed), buttons(queue),
                new NoteView(NoteView.NoteKind.PLAIN, queue.pendingCommand()));
    }

    private static String stateText(RunProgress progress) {
        return switch (progress.phase()) {
            case WAITING -> "Waiting";
            case STARTING -> "Preparing photos and prompts…";
            case TRAINING -> progress.timeLeft();
            case PAUSED -> "Paused";
            case CANCELLED -> "Cancelled";
            case FAILED -> "Failed";
            case DONE -> "Finishing…";
        };
    }

    public void focusCancel() {
        cancel.requestFocus();
    }

    private HBox buttons(RunQueue queue) {
        Button pause = button("pause");
        pause.textProperty()
                .bind(queue.progress()
                        .map(progress -> progress.phase() == RunProgress.RunPhase.PAUSED ? "Resume" : "Pause"));
        pause.setOnAction(pressed -> {
            if (queue.progress().get().phase() == RunProgress.RunPhase.PAUSED) queue.resume();
            else queue.pause();
        });
        pause.disableProperty()
                .bind(queue.progress()
                        .map(progress -> !progress.isActive() || progress.phase() == RunProgress.RunPhase.STARTING));
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
