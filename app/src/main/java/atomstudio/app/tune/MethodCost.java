package atomstudio.app.tune;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.tuning.method.MethodSettings;

/// The price of a method on a model, before anything is run.
/// @param problem why the model cannot be tuned so; empty where it can
public record MethodCost(MethodSettings method, long parameterCount, long bytes, String problem) {
    /// `2,268 parameters · 11 KB`.
    public String summary() {
        return problem.isEmpty() ? DisplayFormat.count(parameterCount) + " parameters · " + DisplayFormat.bytes(bytes) : "not on this model";
    }
}
