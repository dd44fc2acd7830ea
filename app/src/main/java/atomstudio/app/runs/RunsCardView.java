package atomstudio.app.runs;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.CardView;
import atomstudio.app.controls.MutedLabelView;
import atomstudio.app.controls.NoteView;
import atomstudio.tuning.run.RunFolder;
import java.time.InstantSource;
import java.util.List;
import java.util.function.Function;
import javafx.collections.ListChangeListener;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.MenuButton;
import javafx.scene.control.MenuItem;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;

/// The subject's past runs. A click opens a run; unfinished runs can be resumed.
public final class RunsCardView extends CardView {
    private final RunsViewModel model;
    private final InstantSource clock;
    private final Function<RunSummary, List<MenuItem>> extraItems;

    /// @param extraItems more items of a run's menu, created when it opens
    public RunsCardView(RunsViewModel model, InstantSource clock, Function<RunSummary, List<MenuItem>> extraItems) {
        super("Runs");
        this.model = model;
        this.clock = clock;
        this.extraItems = extraItems;
        VBox lines = new VBox(2);
        Runnable refresh = () -> {
            lines.getChildren()
                    .setAll(model.runs().isEmpty() ? List.<Node>of(new MutedLabelView("None yet"))
                            : model.runs().stream().map(this::runLine).toList());
            subtitle().setText(model.runs().isEmpty() ? "" : String.valueOf(model.runs().size()));
        };
        model.runs().addListener((ListChangeListener<RunSummary>) change -> refresh.run());
        refresh.run();
        add(lines, new NoteView(NoteView.NoteKind.ERROR, model.problem()));
    }

    private Node runLine(RunSummary run) {
        Label title = new Label(run.title());
        boolean failed = run.progress().phase() == RunProgress.RunPhase.FAILED;
        Label mark = new Label(run.isDone() ? "✓" : failed ? "Failed" : "");
        mark.getStyleClass().add(failed ? "bad" : "good");
        mark.setMinWidth(Region.USE_PREF_SIZE);
        Label when = new Label(run.summary(clock.instant())
                + (run.status() == RunFolder.Status.RUNNING ? " · running in another process" : ""));
        when.getStyleClass().add("muted");
        Button open = new Button();
        open.setGraphic(new VBox(new HBox(6, title, mark), when));
        open.setAccessibleText("Open the run " + run.title() + ", " + run.summary(clock.instant()));
        open.getStyleClass().addAll("flat", "run-line");
        open.setMaxWidth(Double.MAX_VALUE);
        open.setAlignment(Pos.CENTER_LEFT);
        open.setOnAction(pressed -> model.open(run));
        HBox.setHgrow(open, Priority.ALWAYS);
        HBox line = new HBox(4, open);
        line.setAlignment(Pos.CENTER_LEFT);
        if (run.status() == RunFolder.Status.UNFINISHED) line.getChildren().add(resume(run));
        line.getChildren().add(menu(run));
        return line;
    }

    private Button resume(RunSummary run) {
        return new ActionButtonView("Resume", () -> model.resume(run), "small", "resume-run");
    }

    private MenuButton menu(RunSummary run) {
        MenuItem delete = new MenuItem("Delete run");
        delete.setOnAction(chosen -> model.delete(run));
        MenuButton menu = new MenuButton("⋯", null, delete);
        menu.setOnShowing(opening -> {
            menu.getItems().setAll(extraItems.apply(run));
            menu.getItems().add(delete);
        });
        menu.getStyleClass().addAll("flat", "small", "no-arrow");
        menu.setMinWidth(Region.USE_PREF_SIZE);
        menu.setAccessibleText("Actions for " + run.title());
        return menu;
    }
}
