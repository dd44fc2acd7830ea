package atomstudio.app.generate;

import static atomstudio.app.text.Texts.count;
import static atomstudio.app.text.Texts.text;

import atomstudio.app.pipeline.GenerationQuality;
import atomstudio.app.pipeline.ModelDefaults;
import atomstudio.diffusion.image.Mask;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.sample.Guidance;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.diffusion.sample.Seed;
import java.nio.file.Path;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.LongStream;

/// Everything besides the prompt that determines the images of all rows.
/// @param adapterWeight weight of each row's own adapter; 0: the base model, negative: the opposite direction
/// @param adapters added to every row
public record ImageSettings(String negativePrompt, Seeds seeds, SamplerSettings sampling, OutputSize size,
        double adapterWeight, SourceSettings source, List<SelectedAdapter> adapters) {
    public static final int MAX_SEEDS = 16;
    /// Width and height are multiples of this, which is also the minimum, in pixels.
    public static final int SIDE_MULTIPLE = 8;

    public ImageSettings {
        adapters = List.copyOf(adapters);
    }

    /// Consecutive seeds from `first`, one per gallery column; unsigned, so the largest is followed by 0.
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

    /// Width and height in pixels.
    public record OutputSize(int width, int height) {
        @Override
        public String toString() {
            return width + " × " + height;
        }
    }

    /// @param eta empty: the sampler's default
    /// @param clipSkip layer of the text encoder to use, counted from the last (1)
    public record SamplerSettings(SamplerName sampler, ScheduleName schedule, int steps, OptionalDouble eta,
            Guidance guidance, int clipSkip) {
        /// Changes the sampler; keeps a chosen schedule if the new sampler supports it.
        public SamplerSettings with(SamplerName changed) {
            if (changed == sampler) return this;
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

        /// The sampler's default eta is stored as empty.
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

        /// The sampler, schedule and steps of a preset; the other values stay.
        SamplerSettings with(GenerationQuality quality, ModelDefaults model) {
            return new SamplerSettings(quality.sampler(model), quality.schedule(model), quality.steps(),
                    OptionalDouble.empty(), guidance, clipSkip);
        }

        /// Leaves out values at their defaults.
        String summary() {
            return sampler.title() + (schedule == ScheduleName.AUTOMATIC ? "" : " " + schedule.title()) + " · "
                    + count("generate.summary.steps", steps)
                    + text("generate.summary.guidance", number(guidance.scale()))
                    + (eta.isPresent() ? text("generate.summary.eta", number(eta.getAsDouble())) : "")
                    + (guidance.rescale() == 0 ? "" : text("generate.summary.rescale", number(guidance.rescale())))
                    + (clipSkip == 1 ? "" : text("generate.summary.clip-skip", clipSkip));
        }
    }

    /// Image to image and hires fix.
    /// @param image empty: text to image
    /// @param denoisingStrength of image to image and of the hires pass, 0..1
    /// @param hiresScale factor for both sides; empty: no hires pass
    public record SourceSettings(Optional<SourceImage> image, double denoisingStrength, OptionalDouble hiresScale) {
        public SourceSettings withImage(Optional<SourceImage> changed) {
            return new SourceSettings(changed, denoisingStrength, hiresScale);
        }

        public SourceSettings withDenoisingStrength(double changed) {
            return new SourceSettings(image, changed, hiresScale);
        }

        public SourceSettings withHiresScale(OptionalDouble changed) {
            return new SourceSettings(image, denoisingStrength, changed);
        }

        /// Whether the denoising strength has an effect.
        boolean usesDenoisingStrength() {
            return image.isPresent() || hiresScale.isPresent();
        }

        private String summary() {
            String summary = image
                    .map(source -> source.mask.isPresent() ? text("generate.summary.masked-source", source.name)
                            : text("generate.summary.source", source.name))
                    .orElse("");
            return summary + (hiresScale.isPresent()
                    ? text("generate.summary.hires", number(hiresScale.getAsDouble())) : "")
                    + (usesDenoisingStrength()
                            ? text("generate.summary.denoising", number(denoisingStrength))
                            : "");
        }
    }

    /// The source of image to image.
    /// @param mask the area to change; empty: everywhere
    /// @param digest identifies the pixels of image and mask
    public record SourceImage(String name, RgbImage image, Optional<Mask> mask, String digest) {
        /// Reads all pixels once.
        public SourceImage(String name, RgbImage image, Optional<Mask> mask) {
            this(name, image, mask, ImageOrder.digest(image) + mask.map(Mask::grayscale)
                    .map(ImageOrder::digest)
                    .map(area -> "-" + area)
                    .orElse(""));
        }
    }

    /// An adapter file and its weight.
    public record SelectedAdapter(Path file, double weight, AdapterSwitch state) {
        public enum AdapterSwitch {
            ON,
            /// Kept with its weight, without effect.
            OFF
        }

        public SelectedAdapter(Path file, double weight) {
            this(file, weight, AdapterSwitch.ON);
        }

        boolean isOn() { return state == AdapterSwitch.ON; }

        /// The file's name, or its run's name if the file is in a run folder.
        public String name() {
            Path folder = file.toAbsolutePath().getParent();
            String name = file.getFileName().toString();
            boolean inRunFolder = name.equals("adapter.safetensors") && folder != null && folder.getFileName() != null;
            return inRunFolder ? folder.getFileName().toString() : name.replaceFirst("\\.safetensors$", "");
        }

        /// `car-atoms (0.8)`.
        @Override
        public String toString() {
            return name() + " (" + number(weight) + ")";
        }
    }

    public static ImageSettings initial(ModelDefaults defaults) {
        return new ImageSettings("", new Seeds(0, 4),
                new SamplerSettings(defaults.sampler(), defaults.sampler().defaultSchedule(), ModelDefaults.STEPS,
                        OptionalDouble.empty(), Guidance.of(defaults.guidanceScale()), 1),
                new OutputSize(defaults.size(), defaults.size()), 1,
                new SourceSettings(Optional.empty(), ModelDefaults.DENOISING_STRENGTH, OptionalDouble.empty()),
                List.of());
    }

    /// The settings after a change of the model: what was at the old model's default follows the new one's, what the
    /// user has set stays. A clip skip beyond the new model's layers becomes its last.
    ImageSettings withDefaults(ModelDefaults before, ModelDefaults now) {
        SamplerSettings changed = sampling;
        if (sampling.sampler == before.sampler()) changed = changed.with(now.sampler());
        if (sampling.guidance.scale() == before.guidanceScale())
            changed = changed.with(new Guidance(now.guidanceScale(), sampling.guidance.rescale()));
        changed = changed.withClipSkip((int) Math.min(sampling.clipSkip, now.clipSkips().max()));
        boolean defaultSize = size.equals(new OutputSize(before.size(), before.size()));
        return withSampling(changed).withSize(defaultSize ? new OutputSize(now.size(), now.size()) : size);
    }

    /// The settings in one line, shown while the settings are collapsed.
    public String summary() {
        int added = activeAdapters().size();
        String drawn = seeds.count() == 1 ? text("generate.summary.seed", seeds)
                : text("generate.summary.seeds", seeds);
        return drawn + " · " + sampling.summary() + " · " + size + source.summary()
                + (added == 0 ? "" : " · " + count("generate.summary.adapters", added))
                + (negativePrompt.isBlank() ? "" : text("generate.summary.negative", negativePrompt.strip()));
    }

    /// The added adapters that are switched on.
    List<SelectedAdapter> activeAdapters() {
        return adapters.stream().filter(SelectedAdapter::isOn).toList();
    }

    public static String number(double value) {
        return new DecimalFormat("0.0####", DecimalFormatSymbols.getInstance(Locale.ROOT)).format(value);
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
