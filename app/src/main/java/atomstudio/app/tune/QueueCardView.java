package atomstudio.app.tune;

import atomstudio.app.parts.CardView;
import atomstudio.tuning.method.MethodKind;
import atomstudio.tuning.method.MethodSettings.Choice;
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
    public QueueCardView(RunQueue queue, TuneViewModel tune) {
        super("Next in the queue");
        VBox waiting = new VBox(4);
        Runnable fill = () -> waiting.getChildren().setAll(queue.waiting().isEmpty()
            ? List.<Node>of(muted("nothing; add another method to compare with:"))
            : queue.waiting().stream().map(order -> line(queue, order)).toList());
        queue.waiting().addListener((ListChangeListener<TuneOrder>) change -> fill.run());
        fill.run();
        FlowPane add = new FlowPane(6, 6);
        for (Choice method : MethodListView.OFFERED) {
            Button button = new Button("+ " + method.display());
            button.setId("queue-" + method.command());
            button.getStyleClass().add("small");
            button.setOnAction(pressed -> tune.start(method));
            button.disableProperty().bind(tune.missing().isNotEmpty());
            add.getChildren().add(button);
        }
        add.getChildren().add(others(tune));
        add(waiting, add);
    }

    /// Every other method, by its kind.
    private static MenuButton others(TuneViewModel tune) {
        MenuButton others = new MenuButton("+ another");
        others.setId("queue-another");
        others.getStyleClass().add("small");
        others.setAccessibleText("Add another method to the queue");
        for (MethodKind kind : MethodKind.values()) {
            for (Choice method : kind.choices()) {
                if (MethodListView.OFFERED.contains(method)) continue;
                MenuItem item = new MenuItem(method.display());
                item.setMnemonicParsing(false);
                item.setOnAction(chosen -> tune.start(method));
                others.getItems().add(item);
            }
        }
        others.disableProperty().bind(tune.missing().isNotEmpty());
        return others;
    }

    private static Node line(RunQueue queue, TuneOrder order) {
        Label what = muted(order.title() + " · " + order.subject());
        Region gap = new Region();
        HBox.setHgrow(gap, Priority.ALWAYS);
        Button remove = new Button("×");
        remove.getStyleClass().addAll("flat", "small");
        remove.setAccessibleText("Take " + order.title() + " out of the queue");
        remove.setOnAction(pressed -> queue.remove(order));
        HBox line = new HBox(what, gap, remove);
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
