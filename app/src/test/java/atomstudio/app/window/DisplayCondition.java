package atomstudio.app.window;

import java.util.List;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

/// Window tests need no display, but the libraries that lay out text, and a font. Where these are missing the tests
/// are skipped, saying so.
public final class DisplayCondition implements ExecutionCondition {
    private static final List<String> LIBRARIES = List.of("libpango-1.0.so.0", "libpangoft2-1.0.so.0",
            "libfreetype.so.6", "libfontconfig.so.1");
    private static final List<String> FOLDERS = List.of("/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib",
            "/lib/x86_64-linux-gnu");

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        if (!System.getProperty("os.name").startsWith("Linux")) return ConditionEvaluationResult.enabled("not Linux");
        for (String library : LIBRARIES) {
            if (FOLDERS.stream()
                    .noneMatch(folder -> java.nio.file.Files.exists(java.nio.file.Path.of(folder, library)))) {
                return ConditionEvaluationResult.disabled("window tests are skipped: " + library
                        + " is missing (Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libfreetype6 fontconfig fonts-dejavu-core)");
            }
        }
        return ConditionEvaluationResult.enabled("text can be laid out");
    }
}
