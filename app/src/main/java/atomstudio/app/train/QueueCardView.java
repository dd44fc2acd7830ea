package atomstudio.app.train;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.CardView;
import atomstudio.app.controls.MutedLabelView;
import atomstudio.app.process.RunSpec;
import atomstudio.app.runs.RunQueue;
import atomstudio.tuning.method.MethodCategory;
import atomstudio.tuning.method.MethodName;
import java.util.List;
import java.util.function.Consumer;
import javafx.beans.binding.Bindings;
import javafx.collections.ListChangeListener;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.MenuButton;
import javafx.scene.control.MenuItem;
import javafx.scene.layout.FlowPane;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;

/// Queued runs, and buttons to queue another method for this subject.
public final class QueueCardView extends CardView {
    /// @param remove removes a waiting run
    public QueueCardView(RunQueue queue, TrainViewModel train, Consumer<RunSpec> remove) {
        super("Up next");
        VBox waiting = new VBox(4);
        Runnable refresh = () -> waiting.getChildren()
                .setAll(queue.waiting().isEmpty()
                        ? List.<Node>of(new MutedLabelView("Empty. Queue another method to compare:"))
                        : queue.waiting().stream().map(spec -> queueLine(spec, remove)).toList());
        queue.waiting().addListener((ListChangeListener<RunSpec>) change -> refresh.run());
        refresh.run();
        FlowPane addButtons = new FlowPane(6, 6);
        for (MethodName method : MethodListView.COMMON_METHODS) {
            Button button = new ActionButtonView("+ " + method.displayName(), () -> train.start(method), "small")
                    .withId("queue-" + method.option());
            button.disableProperty().bind(train.missing().isNotEmpty());
            addButtons.getChildren().add(button);
        }
        addButtons.getChildren().add(moreMethods(train));
        Button start = new ActionButtonView("Start the queue", queue::startNext, "small").withId("start-queue");
        start.visibleProperty().bind(queue.current().isNull().and(Bindings.isNotEmpty(queue.waiting())));
        start.managedProperty().bind(start.visibleProperty());
        add(waiting, start, addButtons);
    }

    /// All other methods, by category.
    private static MenuButton moreMethods(TrainViewModel train) {
        MenuButton menu = new MenuButton("More…");
        menu.setId("queue-more");
        menu.getStyleClass().add("small");
        menu.setAccessibleText("Queue another method");
        for (MethodCategory kind : MethodCategory.values()) {
            for (MethodName method : kind.methods()) {
                if (MethodListView.COMMON_METHODS.contains(method)) continue;
                MenuItem item = new MenuItem(method.displayName());
                item.setMnemonicParsing(false);
                item.setOnAction(chosen -> train.start(method));
                menu.getItems().add(item);
            }
        }
        menu.disableProperty().bind(train.missing().isNotEmpty());
        return menu;
    }

    private static Node queueLine(RunSpec spec, Consumer<RunSpec> removal) {
        Label label = new MutedLabelView(spec.title() + " · " + spec.subject());
        Region gap = new Region();
        HBox.setHgrow(gap, Priority.ALWAYS);
        Button remove = new ActionButtonView("×", () -> removal.accept(spec), "flat", "small");
        remove.setAccessibleText("Remove " + spec.title() + " from the queue");
        HBox line = new HBox(label, gap, remove);
        line.setAlignment(Pos.CENTER_LEFT);
        return line;
    }
}
