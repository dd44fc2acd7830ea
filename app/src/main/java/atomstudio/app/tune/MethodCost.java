package atomstudio.app.tune;

import atomstudio.app.desktop.Readable;

/// The price of a method on a model, before anything is run.
/// @param steps how many steps it takes where nobody says otherwise
/// @param rate its usual learning rate
public record MethodCost(Method method, long numbers, long bytes, int steps, double rate) {
    /// `2,268 numbers · 11 KB`.
    public String line() {
        return Readable.count(numbers) + " numbers · " + Readable.bytes(bytes);
    }
}
