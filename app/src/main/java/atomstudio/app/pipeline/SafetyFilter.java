package atomstudio.app.pipeline;

import java.util.Locale;

/// Whether the safety checker of a model that has one blanks images that it flags.
public enum SafetyFilter {
    ON, OFF;

    /// On the command line: `on` or `off`.
    public String option() {
        return name().toLowerCase(Locale.ROOT);
    }
}
