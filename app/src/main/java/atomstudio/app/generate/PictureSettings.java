package atomstudio.app.generate;

import atomstudio.diffusion.picture.Mask;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.sample.Guidance;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.diffusion.sample.Seed;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.LongStream;

/// How pictures are made, for all rows alike.
/// @param strength of the rows' own adapters, 0 the base model, below 0 their opposite
/// @param worn     adapters that every row wears beside its own
public record PictureSettings(String negative, Seeds seeds, Way way, Size size, double strength, Start start, List<Worn> worn) {
    public static final int MOST_SEEDS = 8;
    public static final int MOST_CLIP_SKIP = 12;
    public static final double MOST_HIRES = 4;
    public static final double MOST_GUIDANCE = 30;
    public static final double LEAST_DENOISE = 0.01;
    /// Sides are multiples of this, which is also the least.
    public static final int SIDE = 8;
    public static final int MOST_SIDE = 2048;

    public PictureSettings {
        worn = List.copyOf(worn);
    }

    /// `count` seeds from `first` on: the columns of a gallery. Behind the largest seed comes 0.
    public record Seeds(long first, int count) {
        public List<Long> list() {
            return LongStream.range(0, count).map(i -> first + i).boxed().toList();
        }

        /// `0–3`, `7`.
        @Override public String toString() {
            return count == 1 ? Seed.format(first) : Seed.format(first) + "–" + Seed.format(first + count - 1);
        }
    }

    /// In pixels.
    public record Size(int width, int height) {
        @Override public String toString() {
            return width + " × " + height;
        }
    }

    /// The way from noise to picture.
    /// @param eta      empty: the sampler's own
    /// @param clipSkip which of the text encoder's last layers is read, from 1
    public record Way(SamplerName sampler, ScheduleName schedule, int steps, OptionalDouble eta, Guidance guidance, int clipSkip) {
        /// Another sampler, with what of the rest it takes.
        public Way with(SamplerName changed) {
            boolean kept = schedule != sampler.defaultSchedule() && changed.schedules().contains(schedule);
            return new Way(changed, kept ? schedule : changed.defaultSchedule(), steps, OptionalDouble.empty(), guidance, clipSkip);
        }

        public Way with(ScheduleName changed) {
            return new Way(sampler, changed, steps, eta, guidance, clipSkip);
        }

        public Way withSteps(int changed) {
            return new Way(sampler, schedule, changed, eta, guidance, clipSkip);
        }

        /// The sampler's own eta is not written down.
        public Way withEta(double changed) {
            boolean own = sampler.defaultEta().isEmpty() || sampler.defaultEta().getAsDouble() == changed;
            return new Way(sampler, schedule, steps, own ? OptionalDouble.empty() : OptionalDouble.of(changed), guidance, clipSkip);
        }

        public Way with(Guidance changed) {
            return new Way(sampler, schedule, steps, eta, changed, clipSkip);
        }

        public Way withClipSkip(int changed) {
            return new Way(sampler, schedule, steps, eta, guidance, changed);
        }

        /// What is unusual only where it is.
        private String line() {
            return sampler.title() + (schedule == ScheduleName.MODEL ? "" : " " + schedule.title()) + " · " + steps + " steps · guidance " + number(guidance.scale())
                + (eta.isPresent() ? " · eta " + number(eta.getAsDouble()) : "") + (guidance.rescale() == 0 ? "" : " · rescale " + number(guidance.rescale())) + (clipSkip == 1 ? "" : " · clip skip " + clipSkip);
        }
    }

    /// What pictures start from, and whether a second pass enlarges them.
    /// @param given   empty: nothing but noise
    /// @param denoise how much of the given picture, or in the second pass, is made anew
    /// @param hires   what the sides are multiplied by
    public record Start(Optional<Given> given, double denoise, OptionalDouble hires) {
        private String line() {
            String from = given.map(picture -> " · from " + picture.name + (picture.mask.isPresent() ? " within a mask" : "")).orElse("");
            return from + (hires.isPresent() ? " · then × " + number(hires.getAsDouble()) : "") + (given.isPresent() || hires.isPresent() ? " · denoise " + String.format(Locale.ROOT, "%.2f", denoise) : "");
        }
    }

    /// A picture to start from, and where it may change.
    public record Given(String name, Picture picture, Optional<Mask> mask) {}

    /// An adapter by its file.
    public record Worn(Path file, double strength) {
        /// The file's name, or its run's while it lies in the run's folder.
        public String name() {
            Path folder = file.toAbsolutePath().getParent();
            String name = file.getFileName().toString();
            boolean run = name.equals("adapter.safetensors") && folder != null && folder.getFileName() != null;
            return run ? folder.getFileName().toString() : name.replaceFirst("\\.safetensors$", "");
        }

        /// `car-atoms × 0.8`.
        @Override public String toString() {
            return name() + " × " + number(strength);
        }
    }

    public static PictureSettings initial(int size, double guidance) {
        return new PictureSettings("", new Seeds(0, 4), new Way(SamplerName.DDIM, ScheduleName.MODEL, 25, OptionalDouble.empty(), Guidance.of(guidance), 1), new Size(size, size), 1,
            new Start(Optional.empty(), 0.75, OptionalDouble.empty()), List.of());
    }

    /// The settings in one line, for when they are folded away.
    public String line() {
        return "seeds " + seeds + " · " + way.line() + " · " + size + start.line() + (worn.isEmpty() ? "" : " · " + (worn.size() == 1 ? "1 adapter" : worn.size() + " adapters"))
            + (negative.isBlank() ? "" : " · without “" + negative.strip() + "”");
    }

    public static String number(double value) {
        return String.format(Locale.ROOT, "%.1f", value);
    }

    public PictureSettings withNegative(String changed) {
        return new PictureSettings(changed, seeds, way, size, strength, start, worn);
    }

    public PictureSettings withSeeds(Seeds changed) {
        return new PictureSettings(negative, changed, way, size, strength, start, worn);
    }

    public PictureSettings withWay(Way changed) {
        return new PictureSettings(negative, seeds, changed, size, strength, start, worn);
    }

    public PictureSettings withSize(Size changed) {
        return new PictureSettings(negative, seeds, way, changed, strength, start, worn);
    }

    public PictureSettings withStrength(double changed) {
        return new PictureSettings(negative, seeds, way, size, changed, start, worn);
    }

    public PictureSettings withStart(Start changed) {
        return new PictureSettings(negative, seeds, way, size, strength, changed, worn);
    }

    public PictureSettings withWorn(List<Worn> changed) {
        return new PictureSettings(negative, seeds, way, size, strength, start, changed);
    }
}
