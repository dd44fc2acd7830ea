package atomstudio.app.window;

import static atomstudio.app.text.Texts.text;

import atlantafx.base.theme.PrimerDark;
import atlantafx.base.theme.PrimerLight;
import atlantafx.base.theme.Theme;
import atomstudio.app.controls.Shortcut;
import atomstudio.app.runtime.BuildInfo;
import atomstudio.app.services.Services;
import java.net.URL;
import java.util.List;
import java.util.Objects;
import javafx.application.Application;
import javafx.application.Platform;
import javafx.css.PseudoClass;
import javafx.scene.Node;
import javafx.scene.Scene;
import javafx.scene.control.TextInputControl;
import javafx.scene.image.Image;
import javafx.scene.input.KeyEvent;
import javafx.scene.text.Font;
import javafx.stage.Stage;
import jfx.incubator.scene.control.richtext.RichTextArea;
import org.jspecify.annotations.Nullable;

/// Sets up the stage: scene, style sheets, theme, fonts and closing.
final class WindowStage {
    private static final List<String> STYLE_SHEETS = List.of("controls/controls.css", "window/window.css",
            "notices/notices.css",
            "start/start.css", "subjects/subjects.css", "train/train.css", "runs/runs.css", "generate/generate.css",
            "compare/compare.css");
    private static final List<String> FONTS = List.of("Inter-Regular.otf", "Inter-SemiBold.otf", "Inter-Bold.otf");
    private static final List<Integer> ICON_SIDES = List.of(16, 32, 48, 64, 128, 256);
    private static final PseudoClass DARK = PseudoClass.getPseudoClass("dark");

    private WindowStage() {}

    /// @param onClosed called when the window may close
    static Scene populate(Stage stage, WindowViewModel model, Services services, Runnable onClosed) {
        loadFonts();
        WindowView view = new WindowView(model, services.environment().clock());
        Scene scene = new Scene(view, 1280, 800);
        for (String sheet : STYLE_SHEETS) scene.getStylesheets().add(resource(sheet).toExternalForm());
        for (Screen screen : Screen.values()) {
            URL sheet = WindowStage.class.getResource("/atomstudio/app/" + screen.id() + "/" + screen.id() + ".css");
            if (sheet != null) scene.getStylesheets().add(sheet.toExternalForm());
        }
        model.settings().systemColorScheme().bind(Platform.getPreferences().colorSchemeProperty());
        model.settings().dark().subscribe(dark -> {
            Theme theme = dark ? new PrimerDark() : new PrimerLight();
            Application.setUserAgentStylesheet(theme.getUserAgentStylesheet());
            view.pseudoClassStateChanged(DARK, dark);
        });
        scene.addEventHandler(KeyEvent.KEY_PRESSED, key -> {
            if (Shortcut.FULL_SCREEN.matches(key)) stage.setFullScreen(!stage.isFullScreen());
            // A text field handles Undo itself.
            else if (!Shortcut.UNDO.matches(key) || !isTextInput(scene.getFocusOwner())) view.onKey(key);
        });
        FocusKeeper.install(scene, view::page);
        view.setFocusTraversable(true);
        view.requestFocus();
        String title = text("window.atom-studio", BuildInfo.current().version());
        stage.titleProperty()
                .bind(model.trainingTitle().map(training -> training.isEmpty() ? title : training + " – " + title));
        for (int side : ICON_SIDES) {
            URL icon = resource("window/icon-" + side + ".png");
            stage.getIcons().add(new Image(icon.toExternalForm()));
        }
        TaskbarProgress progress = new TaskbarProgress(model.queue(), model.images());
        // A minimized window may keep the focus.
        progress.windowFocused().bind(stage.focusedProperty().and(stage.iconifiedProperty().not()));
        progress.state().subscribe((before, now) -> services.shell().taskbar().show(now));
        stage.setMinWidth(1000);
        stage.setMinHeight(600);
        stage.setScene(scene);
        stage.setOnCloseRequest(request -> {
            request.consume();
            model.closing().requestClose();
        });
        model.closing().state().subscribe(state -> {
            if (state == ClosingViewModel.ClosingState.CLOSED) onClosed.run();
        });
        return scene;
    }

    private static boolean isTextInput(@Nullable Node focused) {
        return focused instanceof TextInputControl || focused instanceof RichTextArea;
    }

    /// Without these fonts JavaFX falls back to the system font.
    private static void loadFonts() {
        for (String name : FONTS) {
            URL file = WindowStage.class.getResource("/com/formdev/flatlaf/fonts/inter/" + name);
            if (file != null) Font.loadFont(file.toExternalForm(), 13);
        }
    }

    private static URL resource(String name) {
        return Objects.requireNonNull(WindowStage.class.getResource("/atomstudio/app/" + name),
                () -> name + " is missing from the class path");
    }
}
