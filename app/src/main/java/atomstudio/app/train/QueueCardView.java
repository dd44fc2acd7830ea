package atomstudio.app.train;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.CardView;
import atomstudio.app.controls.MutedLabelView;
import atomstudio.app.process.RunSpec;
import atomstudio.app.runs.RunQueue;
import java.util.function.Consumer;
import javafx.collections.ListChangeListener;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;
import org.kordamp.ikonli.feather.Feather;
import org.kordamp.ikonli.javafx.FontIcon;

/// The waiting runs, and a button to start the first one after the window was opened again.
final class QueueCardView extends CardView {
    /// @param remove removes a waiting run
    QueueCardView(RunQueue queue, Consumer<RunSpec> remove) {
        super(text("train.queue"));
        setId("run-queue");
        VBox waiting = new VBox(4);
        Runnable refresh = () -> waiting.getChildren()
                .setAll(queue.waiting().stream().map(spec -> queueLine(spec, remove)).toList());
        queue.waiting().addListener((ListChangeListener<RunSpec>) change -> refresh.run());
        refresh.run();
        Button start = new ActionButtonView(text("train.queue.start"), queue::startNext, "small")
                .withId("start-queue");
        start.visibleProperty().bind(queue.current().isNull());
        start.managedProperty().bind(start.visibleProperty());
        add(waiting, start);
    }

    private static Node queueLine(RunSpec spec, Consumer<RunSpec> removal) {
        Label label = new MutedLabelView(spec.title() + " · " + spec.subject());
        Region gap = new Region();
        HBox.setHgrow(gap, Priority.ALWAYS);
        Button remove = new ActionButtonView("", () -> removal.accept(spec), "flat", "small", "button-icon");
        remove.setGraphic(new FontIcon(Feather.X));
        remove.setAccessibleText(text("train.queue.remove", spec.title()));
        HBox line = new HBox(label, gap, remove);
        line.setAlignment(Pos.CENTER_LEFT);
        return line;
    }
}
