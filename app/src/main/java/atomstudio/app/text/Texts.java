package atomstudio.app.text;

import java.util.Locale;
import java.util.ResourceBundle;

/// The texts of the window, from the bundle `texts.properties`. Keys begin with the package that uses them, as in
/// `train.start`. `TextsTest` compares the keys in the sources with those in the bundle.
public final class Texts {
    private static final ResourceBundle BUNDLE = ResourceBundle.getBundle("atomstudio.app.text.texts", Locale.ROOT);

    private Texts() {}

    /// The text of a key, with its placeholders (those of [String#formatted]) replaced.
    ///
    /// @throws java.util.MissingResourceException if the bundle does not have the key
    public static String text(String key, Object... arguments) {
        String text = BUNDLE.getString(key);
        return arguments.length == 0 ? text : text.formatted(arguments);
    }

    /// The text of `key.one` if the number is 1, else that of `key.other`; the number is the first placeholder.
    public static String count(String key, long number, Object... more) {
        Object[] arguments = new Object[more.length + 1];
        arguments[0] = number;
        System.arraycopy(more, 0, arguments, 1, more.length);
        return BUNDLE.getString(key + (number == 1 ? ".one" : ".other")).formatted(arguments);
    }
}
