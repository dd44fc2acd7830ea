package atomstudio.app.window;

import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

/// Skips the tests on a display without an X server for tests.
public final class DisplayServerCondition implements ExecutionCondition {
    private static final String VARIABLE = "ATOMSTUDIO_TEST_DISPLAY";

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        if (System.getenv(VARIABLE) == null)
            return ConditionEvaluationResult.disabled("no display for tests: .ci/run starts Xvfb and openbox and sets "
                    + VARIABLE + " (Debian: apt-get install libgtk-3-0 xvfb openbox)");
        if ("Headless".equals(System.getProperty("glass.platform")))
            return ConditionEvaluationResult.disabled("runs in the profile's execution \"display\"");
        return ConditionEvaluationResult.enabled("display " + System.getenv(VARIABLE));
    }
}
