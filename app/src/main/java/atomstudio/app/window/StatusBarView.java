package atomstudio.app.window;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.jobs.JobQueue;
import atomstudio.app.runs.MachineSharing;
import atomstudio.app.settings.AppSettings.SharingRule;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javafx.collections.ListChangeListener;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.MenuButton;
import javafx.scene.control.MenuItem;
import javafx.scene.control.ProgressBar;
import javafx.scene.control.RadioMenuItem;
import javafx.scene.control.ToggleGroup;
import javafx.scene.control.Tooltip;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import org.kordamp.ikonli.feather.Feather;
import org.kordamp.ikonli.javafx.FontIcon;

/// The line at the bottom: what runs now, and the queue of images, each entry with its progress and Cancel. During a
/// run it shows the rule by which training and images share the machine.
final class StatusBarView extends HBox {
    private static final int MAX_SHOWN = 2;

    private final JobQueue images;
    private final HBox entries = new HBox(14);
    private final Map<JobQueue.QueuedJob, Node> views = new HashMap<>();

    StatusBarView(WindowViewModel model) {
        super(14);
        images = model.images();
        getStyleClass().add("status-bar");
        setAlignment(Pos.CENTER_LEFT);
        Label status = new Label();
        status.setId("status");
        status.getStyleClass().add("muted");
        status.textProperty().bind(model.status().message());
        status.setMinWidth(0);
        entries.setId("queue");
        entries.setAlignment(Pos.CENTER_LEFT);
        Region gap = new Region();
        HBox.setHgrow(gap, Priority.ALWAYS);
        MenuButton rule = ruleMenu(model.sharing());
        rule.visibleProperty().bind(model.queue().current().map(run -> true).orElse(false));
        rule.managedProperty().bind(rule.visibleProperty());
        getChildren().addAll(status, gap, entries, rule);
        images.entries().addListener((ListChangeListener<JobQueue.QueuedJob>) change -> refresh());
        refresh();
    }

    private void refresh() {
        views.keySet().retainAll(images.entries());
        List<Node> shown = new ArrayList<>();
        for (JobQueue.QueuedJob entry : images.entries().stream().limit(MAX_SHOWN).toList())
            shown.add(views.computeIfAbsent(entry, StatusBarView::entryView));
        if (images.entries().size() > MAX_SHOWN) shown.add(moreMenu());
        entries.getChildren().setAll(shown);
    }

    private static HBox entryView(JobQueue.QueuedJob entry) {
        Label title = new Label();
        title.textProperty().bind(entry.status().map(status -> entry.title() + " · " + status));
        title.setMinWidth(0);
        title.setMaxWidth(520);
        ProgressBar progress = new ProgressBar();
        progress.progressProperty().bind(entry.fraction());
        progress.setPrefWidth(70);
        progress.setMinWidth(40);
        progress.setFocusTraversable(false);
        progress.visibleProperty().bind(entry.fraction().greaterThan(0));
        progress.managedProperty().bind(progress.visibleProperty());
        Button cancel = new ActionButtonView("", entry::cancel, "flat", "small", "button-icon");
        cancel.setGraphic(new FontIcon(Feather.X));
        cancel.setAccessibleText(text("window.cancel", entry.title()));
        cancel.setTooltip(new Tooltip(text("window.cancel-these-images")));
        cancel.getStyleClass().add("queue-cancel");
        cancel.setMinWidth(Region.USE_PREF_SIZE);
        HBox view = new HBox(6, title, progress, cancel);
        view.setAlignment(Pos.CENTER_LEFT);
        view.getStyleClass().add("queue-entry");
        return view;
    }

    private MenuButton moreMenu() {
        List<JobQueue.QueuedJob> rest = images.entries().subList(MAX_SHOWN, images.entries().size());
        MenuButton more = new MenuButton(text("window.more", DisplayFormat.count(rest.size())));
        more.getStyleClass().addAll("flat", "small");
        for (JobQueue.QueuedJob entry : rest) {
            MenuItem item = new MenuItem(text("window.cancel", entry.title()));
            item.setMnemonicParsing(false);
            item.setOnAction(chosen -> entry.cancel());
            more.getItems().add(item);
        }
        return more;
    }

    private static MenuButton ruleMenu(MachineSharing sharing) {
        MenuButton menu = new MenuButton();
        menu.setId("sharing-rule");
        menu.getStyleClass().addAll("flat", "small");
        menu.setMinWidth(Region.USE_PREF_SIZE);
        menu.setTooltip(new Tooltip(text("window.what-happens-when-images-are-generated")));
        menu.textProperty().bind(sharing.rule().map(rule -> text("window.images-during-training", rule.title())));
        ToggleGroup group = new ToggleGroup();
        for (SharingRule rule : SharingRule.values()) {
            RadioMenuItem item = new RadioMenuItem(rule.title());
            item.setToggleGroup(group);
            item.setOnAction(chosen -> sharing.setRule(rule));
            sharing.rule().subscribe(now -> item.setSelected(now == rule));
            menu.getItems().add(item);
        }
        return menu;
    }
}
