package atomstudio.app.tune;

import atomstudio.app.desktop.Readable;
import atomstudio.tuning.method.MethodSettings.Choice;

/// The price of a method on a model, before anything is run.
public record MethodCost(Choice method, long numbers, long bytes) {
    /// `2,268 numbers · 11 KB`.
    public String line() {
        return Readable.count(numbers) + " numbers · " + Readable.bytes(bytes);
    }
}
