package atomstudio.app.generate;

import atomstudio.diffusion.image.Mask;
import atomstudio.diffusion.image.RgbImage;
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
/// @param adapterWeight of the rows' own adapters, 0 the base model, below 0 their opposite
/// @param adapters     adapters that every row wears beside its own
public record ImageSettings(String negativePrompt, Seeds seeds, SamplerSettings sampling, OutputSize size,
        double adapterWeight, SourceSettings source, List<SelectedAdapter> adapters) {
    public static final int MAX_SEEDS = 8;
    public static final int MAX_CLIP_SKIP = 12;
    public static final double MAX_HIRES_SCALE = 4;
    public static final double MAX_GUIDANCE_SCALE = 30;
    public static final double MIN_DENOISING_STRENGTH = 0.01;
    /// Sides are multiples of this, which is also the least.
    public static final int SIDE_MULTIPLE = 8;
    public static final int MAX_SIDE = 2048;

    public ImageSettings {
        adapters = List.copyOf(adapters);
    }

    /// `count` seeds from `first` on: the columns of a gallery. Behind the largest seed comes 0.
    public record Seeds(long first, int count) {
        public List<Long> list() {
            return LongStream.range(0, count).map(i -> first + i).boxed().toList();
        }

        /// `0–3`, `7`.
        @Override
        public String toString() {
            return count == 1 ? Seed.format(first) : Seed.format(first) + "–" + Seed.format(first + count - 1);
        }
    }

    /// In pixels.
    public record OutputSize(int width, int height) {
        @Override
        public String toString() {
            return width + " × " + height;
        }
    }

    /// The way from noise to picture.
    /// @param eta      empty: the sampler's own
    /// @param clipSkip which of the text encoder's last layers is read, from 1
    public record SamplerSettings(SamplerName sampler, ScheduleName schedule, int steps, OptionalDouble eta,
            Guidance guidance, int clipSkip) {
        /// Another sampler, with what of the rest it takes.
        public SamplerSettings with(SamplerName changed) {
            boolean keepSchedule = schedule != sampler.defaultSchedule() && changed.schedules().contains(schedule);
            return new SamplerSettings(changed, keepSchedule ? schedule : changed.defaultSchedule(), steps,
                    OptionalDouble.empty(), guidance, clipSkip);
        }

        public SamplerSettings with(ScheduleName changed) {
            return new SamplerSettings(sampler, changed, steps, eta, guidance, clipSkip);
        }

        public SamplerSettings withSteps(int changed) {
            return new SamplerSettings(sampler, schedule, changed, eta, guidance, clipSkip);
        }

        /// The sampler's own eta is not written down.
        public SamplerSettings withEta(double changed) {
            boolean isDefault = sampler.defaultEta().isEmpty() || sampler.defaultEta().getAsDouble() == changed;
            return new SamplerSettings(sampler, schedule, steps,
                    isDefault ? OptionalDouble.empty() : OptionalDouble.of(changed), guidance, clipSkip);
        }

        public SamplerSettings with(Guidance changed) {
            return new SamplerSettings(sampler, schedule, steps, eta, changed, clipSkip);
        }

        public SamplerSettings withClipSkip(int changed) {
            return new SamplerSettings(sampler, schedule, steps, eta, guidance, changed);
        }

        /// What is unusual only where it is.
        private String summary() {
            return sampler.title() + (schedule == ScheduleName.AUTOMATIC ? "" : " " + schedule.title()) + " · " + steps
                    + " steps · guidance " + number(guidance.scale())
                    + (eta.isPresent() ? " · eta " + number(eta.getAsDouble()) : "")
                    + (guidance.rescale() == 0 ? "" : " · rescale " + number(guidance.rescale()))
                    + (clipSkip == 1 ? "" : " · clip skip " + clipSkip);
        }
    }

    /// What pictures start from, and whether a second pass enlarges them.
    /// @param image   empty: nothing but noise
    /// @param denoisingStrength how much of the given picture, or in the second pass, is made anew
    /// @param hiresScale   what the sides are multiplied by
    public record SourceSettings(Optional<SourceImage> image, double denoisingStrength, OptionalDouble hiresScale) {
        private String summary() {
            String text = image
                    .map(picture -> " · from " + picture.name + (picture.mask.isPresent() ? " within a mask" : ""))
                    .orElse("");
            return text + (hiresScale.isPresent() ? " · then × " + number(hiresScale.getAsDouble()) : "")
                    + (image.isPresent() || hiresScale.isPresent()
                            ? " · denoise " + String.format(Locale.ROOT, "%.2f", denoisingStrength)
                            : "");
        }
    }

    /// A picture to start from, and where it may change.
    public record SourceImage(String name, RgbImage image, Optional<Mask> mask) {}

    /// An adapter by its file.
    public record SelectedAdapter(Path file, double weight) {
        /// The file's name, or its run's while it lies in the run's folder.
        public String name() {
            Path folder = file.toAbsolutePath().getParent();
            String name = file.getFileName().toString();
            boolean inRunFolder = name.equals("adapter.safetensors") && folder != null && folder.getFileName() != null;
            return inRunFolder ? folder.getFileName().toString() : name.replaceFirst("\\.safetensors$", "");
        }

        /// `car-atoms × 0.8`.
        @Override
        public String toString() {
            return name() + " × " + number(weight);
        }
    }

    public static ImageSettings initial(int size, double guidance) {
        return new ImageSettings("", new Seeds(0, 4),
                new SamplerSettings(SamplerName.DDIM, ScheduleName.AUTOMATIC, 25, OptionalDouble.empty(),
                        Guidance.of(guidance), 1),
                new OutputSize(size, size), 1,
                new SourceSettings(Optional.empty(), 0.75, OptionalDouble.empty()), List.of());
    }

    /// The settings in one line, for when they are folded away.
    public String summary() {
        return "seeds " + seeds + " · " + sampling.summary() + " · " + size + source.summary()
                + (adapters.isEmpty() ? ""
                        : " · " + (adapters.size() == 1 ? "1 adapter" : adapters.size() + " adapters"))
                + (negativePrompt.isBlank() ? "" : " · without “" + negativePrompt.strip() + "”");
    }

    public static String number(double value) {
        return String.format(Locale.ROOT, "%.1f", value);
    }

    public ImageSettings withNegativePrompt(String changed) {
        return new ImageSettings(changed, seeds, sampling, size, adapterWeight, source, adapters);
    }

    public ImageSettings withSeeds(Seeds changed) {
        return new ImageSettings(negativePrompt, changed, sampling, size, adapterWeight, source, adapters);
    }

    public ImageSettings withSampling(SamplerSettings changed) {
        return new ImageSettings(negativePrompt, seeds, changed, size, adapterWeight, source, adapters);
    }

    public ImageSettings withSize(OutputSize changed) {
        return new ImageSettings(negativePrompt, seeds, sampling, changed, adapterWeight, source, adapters);
    }

    public ImageSettings withAdapterWeight(double changed) {
        return new ImageSettings(negativePrompt, seeds, sampling, size, changed, source, adapters);
    }

    public ImageSettings withSource(SourceSettings changed) {
        return new ImageSettings(negativePrompt, seeds, sampling, size, adapterWeight, changed, adapters);
    }

    public ImageSettings withAdapters(List<SelectedAdapter> changed) {
        return new ImageSettings(negativePrompt, seeds, sampling, size, adapterWeight, source, changed);
    }
}
