package atomstudio.tuning.torch;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// What is varied from step to step when the growth of cost is measured (docs/performance/growth.py).
/// @param size     width and height in pixels
/// @param batch    images
/// @param rank     of LoRA
/// @param adapters applied at the same time
record BenchmarkPoint(int size, int batch, int rank, int adapters) {
    /// A point per step.
    /// @param steps a number of steps at this point, or `-` for a step for each line of standard input: values that
    ///     differ from this point, for example `size=256 batch=2`
    static Stream<BenchmarkPoint> read(String steps, BenchmarkPoint usual) {
        return steps.equals("-")
                ? new BufferedReader(new InputStreamReader(System.in)).lines().map(usual::with)
                : IntStream.range(0, Integer.parseInt(steps)).mapToObj(_ -> usual);
    }

    private BenchmarkPoint with(String line) {
        BenchmarkPoint point = this;
        for (String setting : line.isBlank() ? new String[0] : line.strip().split(" +")) {
            int value = Integer.parseInt(setting.substring(setting.indexOf('=') + 1));
            point = switch (setting.substring(0, setting.indexOf('='))) {
                case "size" -> new BenchmarkPoint(value, point.batch, point.rank, point.adapters);
                case "batch" -> new BenchmarkPoint(point.size, value, point.rank, point.adapters);
                case "rank" -> new BenchmarkPoint(point.size, point.batch, value, point.adapters);
                case "adapters" -> new BenchmarkPoint(point.size, point.batch, point.rank, value);
                default -> throw new IllegalArgumentException(setting);
            };
        }
        return point;
    }
}
