package atomstudio.app.freedesktop;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.CardView;
import atomstudio.app.controls.MutedLabelView;
import atomstudio.app.freedesktop.ApplicationsMenuViewModel.MenuState;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.layout.HBox;

/// The program's entry in the applications menu, on the Settings page.
public final class ApplicationsMenuView extends CardView {
    public ApplicationsMenuView(ApplicationsMenuViewModel model) {
        super(text("freedesktop.applications-menu"));
        setId("applications-menu");
        Label description = new MutedLabelView("");
        description.textProperty().bind(model.state().map(state -> switch (state) {
            case ABSENT -> text("freedesktop.absent");
            case OTHER -> text("freedesktop.other", model.program());
            case PRESENT -> text("freedesktop.present", model.program());
        }));
        Button add = new ActionButtonView("", model::add).withId("add-to-menu");
        add.textProperty()
                .bind(model.state()
                        .map(state -> state == MenuState.OTHER ? text("freedesktop.replace")
                                : text("freedesktop.add")));
        add.visibleProperty().bind(model.state().map(state -> state != MenuState.PRESENT));
        Button remove = new ActionButtonView(text("freedesktop.remove"), model::remove).withId("remove-from-menu");
        remove.visibleProperty().bind(model.state().map(state -> state != MenuState.ABSENT));
        for (Button button : new Button[] {add, remove}) {
            button.managedProperty().bind(button.visibleProperty());
            button.disableProperty().bind(button.visibleProperty().not());
        }
        add(description, new HBox(8, add, remove));
    }
}
