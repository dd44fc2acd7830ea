package atomstudio.app.tune;

import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.Setting;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/// What is folded away under "settings". Empty means the method's own default.
/// @param atoms atoms a 3×3 filter, at most 9
/// @param rank LoRA's rank
/// @param previewEvery steps between two preview pictures
public record TuneSettings(OptionalInt steps, OptionalDouble rate, OptionalInt previewEvery, long seed, int atoms, int rank) {
    public static TuneSettings initial() {
        return new TuneSettings(OptionalInt.empty(), OptionalDouble.empty(), OptionalInt.empty(), 0, 9, 4);
    }

    /// What of these belongs to a method.
    public MethodSettings of(MethodSettings.Choice method) {
        return MethodSettings.of(method).with(Setting.ATOMS, String.valueOf(atoms)).with(Setting.RANK, String.valueOf(rank));
    }

    public TuneSettings withSteps(OptionalInt changed) {
        return new TuneSettings(changed, rate, previewEvery, seed, atoms, rank);
    }

    public TuneSettings withRate(OptionalDouble changed) {
        return new TuneSettings(steps, changed, previewEvery, seed, atoms, rank);
    }

    public TuneSettings withPreviewEvery(OptionalInt changed) {
        return new TuneSettings(steps, rate, changed, seed, atoms, rank);
    }

    public TuneSettings withSeed(long changed) {
        return new TuneSettings(steps, rate, previewEvery, changed, atoms, rank);
    }

    public TuneSettings withAtoms(int changed) {
        return new TuneSettings(steps, rate, previewEvery, seed, changed, rank);
    }

    public TuneSettings withRank(int changed) {
        return new TuneSettings(steps, rate, previewEvery, seed, atoms, changed);
    }
}
