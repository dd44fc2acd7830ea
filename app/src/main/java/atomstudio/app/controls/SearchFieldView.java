package atomstudio.app.controls;

import atlantafx.base.controls.CustomTextField;
import org.kordamp.ikonli.feather.Feather;
import org.kordamp.ikonli.javafx.FontIcon;

/// A field for words to search for.
public final class SearchFieldView extends CustomTextField {
    public SearchFieldView(String id, String prompt) {
        setId(id);
        setLeft(new FontIcon(Feather.SEARCH));
        setPromptText(prompt);
        setAccessibleText(prompt);
    }
}
