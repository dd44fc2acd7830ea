package atomstudio.app.verify;

import atomstudio.diffusion.tensor.Deviation;
import java.nio.file.Path;
import java.util.List;

/// What came of one golden: how far each tensor is from its reference on each engine, and what could not be run.
public record Verification(Path golden, List<TensorCheck> checks, List<String> unsupported) {
    /// A tensor computed by an engine (`onnx`, `torch`, or `java`).
    public record TensorCheck(String engine, Deviation deviation) {}

    static Verification of(Path golden, String engine, List<Deviation> deviations) {
        return new Verification(golden, checks(engine, deviations), List.of());
    }

    static List<TensorCheck> checks(String engine, List<Deviation> deviations) {
        return deviations.stream().map(deviation -> new TensorCheck(engine, deviation)).toList();
    }

    /// Whether everything that was run is within its tolerance. A golden of which nothing was run agrees with nothing.
    public boolean isWithinTolerance() {
        return checks.stream().allMatch(check -> check.deviation().isWithinTolerance());
    }
}
