package atomstudio.app.subjects;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.subjects.SubjectPageViewModel.PageTab;
import java.time.InstantSource;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import javafx.application.Platform;
import javafx.beans.binding.Bindings;
import javafx.beans.value.ObservableValue;
import javafx.scene.Node;
import javafx.scene.control.Label;
import javafx.scene.control.Tab;
import javafx.scene.control.TabPane;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.VBox;

/// A subject's page: its header and its tabs, each over the whole width.
public final class SubjectPageView extends VBox {
    private final SubjectPageViewModel model;
    private final InstantSource clock;
    private final PageActions actions;
    private final SubjectHeaderView header;
    private final Map<PageTab, Tab> tabs = new EnumMap<>(PageTab.class);

    /// @param delete     deletes the subject
    /// @param openModels opens the Models page
    public record PageActions(Runnable delete, Runnable openModels) {}

    public SubjectPageView(SubjectPageViewModel model, InstantSource clock, PageActions actions) {
        this.model = model;
        this.clock = clock;
        this.actions = actions;
        getStyleClass().add("subject-page");
        header = new SubjectHeaderView(model.subject(), model::classWords, actions.delete);
        addTab(PageTab.PHOTOS, text("subjects.photos"),
                model.subject().subject().map(subject -> subject.photos().size()).map(SubjectPageView::numberOrEmpty));
        addTab(PageTab.TRAIN, text("subjects.train"),
                model.training().map(now -> now ? text("subjects.train.running") : ""));
        addTab(PageTab.COMPARE, text("subjects.compare"), Bindings.size(model.compare().rows())
                .map(rows -> rows.intValue() < 2 ? "" : text("subjects.compare.rows", rows)));
        TabPane pane = new TabPane();
        pane.setTabClosingPolicy(TabPane.TabClosingPolicy.UNAVAILABLE);
        pane.getTabs().setAll(tabs.values());
        model.tab().subscribe(shown -> {
            Tab tab = tabs.get(shown);
            // Built when first opened, and kept.
            if (tab.getContent() == null) tab.setContent(view(shown));
            pane.getSelectionModel().select(tab);
        });
        pane.getSelectionModel()
                .selectedIndexProperty()
                .addListener((property, before, now) -> model.openTab(PageTab.values()[now.intValue()]));
        VBox.setVgrow(pane, Priority.ALWAYS);
        getChildren().addAll(header, pane);
    }

    private Node view(PageTab tab) {
        return switch (tab) {
            case PHOTOS -> new SubjectPhotosView(model, actions.openModels);
            case TRAIN -> new SubjectTrainView(model, clock);
            case COMPARE -> new SubjectCompareView(model);
        };
    }

    private void addTab(PageTab place, String title, ObservableValue<String> state) {
        Label shown = new Label();
        shown.getStyleClass().add("muted");
        shown.textProperty().bind(state);
        shown.managedProperty().bind(shown.textProperty().isNotEmpty());
        Tab tab = new Tab();
        tab.setId("tab-" + place.name().toLowerCase(Locale.ROOT));
        tab.setGraphic(new HBox(6, new Label(title), shown));
        tabs.put(place, tab);
    }

    private static String numberOrEmpty(int number) {
        return number == 0 ? "" : String.valueOf(number);
    }

    /// How the page was reached.
    public enum Arrival { NEW, FROM_SIDEBAR }

    /// Focuses the empty class word field, or the start button. Coming from the sidebar, the focus stays there.
    public void focusInitialControl(Arrival arrival) {
        if (header.focusClassNameIfEmpty() || arrival == Arrival.FROM_SIDEBAR) return;
        if (model.tab().get() == PageTab.TRAIN
                && tabs.get(PageTab.TRAIN).getContent() instanceof SubjectTrainView train)
            // A tab's content is in the scene from the next layout on.
            Platform.runLater(train::focusStart);
    }
}
