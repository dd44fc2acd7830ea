package atomstudio.app.tune;

import atomstudio.app.desktop.Readable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/// A run folder as lists and galleries show it.
/// @param order what made it, so that it can be gone on with
/// @param result empty values (0) until it is done
public record RunSummary(TuneOrder order, Instant created, RunProgress progress, Result result) {
    /// @param share of the UNet's numbers, 0..1
    /// @param peakMemory resident bytes of the tuning process
    public record Result(long numbers, long bytes, double share, double seconds, long peakMemory) {
        public static Result none() {
            return new Result(0, 0, 0, 0, 0);
        }
    }

    public Path folder() {
        return order.run();
    }

    public Path adapter() {
        return folder().resolve("adapter.safetensors");
    }

    /// Done, and its adapter is there.
    public boolean done() {
        return progress.state() == RunProgress.State.DONE && Files.isRegularFile(adapter());
    }

    public String title() {
        return order.title();
    }

    /// `Filter atoms`, `Filter atoms m = 6`, `LoRA rank 4`.
    static String title(Method method, int atoms, int rank) {
        String few = atoms == 9 ? "" : " m = " + atoms;
        return switch (method) {
            case ATOMS, ATOMS_AND_CHANNELS -> method.title() + few;
            case CHANNELS -> method.title();
            case LORA -> method.title() + " rank " + rank;
        };
    }

    /// `250 steps · today 10:42`.
    public String line(Instant now) {
        return (done() ? progress.step() + " steps" : "step " + progress.count()) + " · " + Readable.moment(created, now);
    }

    /// `38,364 numbers · 0.65 %` and the size of the file below.
    public List<String> price() {
        List<String> lines = new ArrayList<>();
        lines.add(Readable.count(result.numbers) + " numbers" + (result.share > 0 ? " · " + Readable.share(result.share) : ""));
        lines.add(Readable.bytes(result.bytes) + (result.seconds > 0 ? " · tuned in " + Readable.duration(result.seconds) : ""));
        return lines;
    }
}
