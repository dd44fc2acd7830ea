package atomstudio.app.runs;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.tuning.run.RunFolder;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import javafx.geometry.Pos;
import javafx.scene.control.MenuButton;
import javafx.scene.control.MenuItem;
import javafx.scene.layout.HBox;
import org.kordamp.ikonli.feather.Feather;
import org.kordamp.ikonli.javafx.FontIcon;

/// The actions at the end of a row of the table of runs: Resume, if the run is unfinished, and a menu.
final class RunActionsView extends HBox {
    /// @param menu its items, created when it opens
    RunActionsView(RunRow row, Consumer<RunSummary> resume, Supplier<List<MenuItem>> menu) {
        super(2);
        setAlignment(Pos.CENTER_RIGHT);
        RunSummary run = row.run();
        if (run != null && run.status() == RunFolder.Status.UNFINISHED)
            getChildren().add(new ActionButtonView(text("runs.resume"), () -> resume.accept(run), "small",
                    "resume-run"));
        MenuButton button = new MenuButton(null, new FontIcon(Feather.MORE_HORIZONTAL), new MenuItem());
        button.setOnShowing(opening -> button.getItems().setAll(menu.get()));
        button.getStyleClass().addAll("flat", "small", "no-arrow", "run-menu");
        button.setMinWidth(USE_PREF_SIZE);
        button.setAccessibleText(text("runs.actions", row.title()));
        getChildren().add(button);
    }
}
