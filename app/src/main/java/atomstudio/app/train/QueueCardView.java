package atomstudio.app.train;

import atomstudio.app.controls.CardView;
import atomstudio.app.process.RunSpec;
import atomstudio.app.runs.RunQueue;
import atomstudio.tuning.method.MethodCategory;
import atomstudio.tuning.method.MethodName;
import java.util.List;
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

/// Runs that wait for the one on its way, and buttons that add this subject's other methods to them.
public final class QueueCardView extends CardView {
    public QueueCardView(RunQueue queue, TrainViewModel tune) {
        super("Next in the queue");
        VBox waiting = new VBox(4);
        Runnable refresh = () -> waiting.getChildren()
                .setAll(queue.waiting().isEmpty()
                        ? List.<Node>of(muted("nothing; add another method to compare with:"))
                        : queue.waiting().stream().map(order -> queueLine(queue, order)).toList());
        queue.waiting().addListener((ListChangeListener<RunSpec>) change -> refresh.run());
        refresh.run();
        FlowPane addButtons = new FlowPane(6, 6);
        for (MethodName method : MethodListView.COMMON_METHODS) {
            Button button = new Button("+ " + method.displayName());
            button.setId("queue-" + method.option());
            button.getStyleClass().add("small");
            button.setOnAction(pressed -> tune.start(method));
            button.disableProperty().bind(tune.missing().isNotEmpty());
            addButtons.getChildren().add(button);
        }
        addButtons.getChildren().add(moreMethods(tune));
        add(waiting, addButtons);
    }

    /// Every other method, by its kind.
    private static MenuButton moreMethods(TrainViewModel tune) {
        MenuButton menu = new MenuButton("+ another");
        menu.setId("queue-another");
        menu.getStyleClass().add("small");
        menu.setAccessibleText("Add another method to the queue");
        for (MethodCategory kind : MethodCategory.values()) {
            for (MethodName method : kind.methods()) {
                if (MethodListView.COMMON_METHODS.contains(method)) continue;
                MenuItem item = new MenuItem(method.displayName());
                item.setMnemonicParsing(false);
                item.setOnAction(chosen -> tune.start(method));
                menu.getItems().add(item);
            }
        }
        menu.disableProperty().bind(tune.missing().isNotEmpty());
        return menu;
    }

    private static Node queueLine(RunQueue queue, RunSpec spec) {
        Label label = muted(spec.title() + " · " + spec.subject());
        Region gap = new Region();
        HBox.setHgrow(gap, Priority.ALWAYS);
        Button remove = new Button("×");
        remove.getStyleClass().addAll("flat", "small");
        remove.setAccessibleText("Take " + spec.title() + " out of the queue");
        remove.setOnAction(pressed -> queue.remove(spec));
        HBox line = new HBox(label, gap, remove);
        line.setAlignment(Pos.CENTER_LEFT);
        return line;
    }

    private static Label muted(String text) {
        Label label = new Label(text);
        label.getStyleClass().add("muted");
        label.setWrapText(true);
        return label;
    }
}
