package atomstudio.app.window;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

/// Skips window tests if the libraries for text layout are missing. No display is needed.
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
                    .noneMatch(folder -> Files.exists(Path.of(folder, library)))) {
                return ConditionEvaluationResult.disabled(
                        library + " is missing (Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libfreetype6 "
                                + "fontconfig fonts-dejavu-core)");
            }
        }
        return ConditionEvaluationResult.enabled("libraries for text layout found");
    }
}
