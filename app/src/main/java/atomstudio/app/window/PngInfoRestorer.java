package atomstudio.app.window;

import atomstudio.app.generate.GenerateViewModel;
import atomstudio.app.generate.ImageSettings;
import atomstudio.app.generate.ImageSettings.SamplerSettings;
import atomstudio.app.generate.ImageSettings.SelectedAdapter;
import atomstudio.app.generate.ImageSettings.SourceSettings;
import atomstudio.app.generate.SubjectPrompt;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.models.ModelsViewModel;
import atomstudio.app.pipeline.GenerationParameters;
import atomstudio.app.runs.RunSummary;
import atomstudio.app.subjects.SubjectPageViewModel;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.Hires;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.image.Infotext;
import atomstudio.diffusion.image.Infotext.AdapterEntry;
import atomstudio.diffusion.image.PngAttachment;
import atomstudio.diffusion.sample.Guidance;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.diffusion.sample.Seed;
import atomstudio.diffusion.tensor.DType;
import atomstudio.tuning.adapter.AdapterSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/// Makes the window as it was when a saved picture was made: its model, the subject whose run made it, prompt, seed,
/// sampler and adapters.
final class PngInfoRestorer {
    private static final int MAX_LISTED = 6;

    private final ModelsViewModel models;
    private final List<SubjectPageViewModel> subjects;
    private final GenerateViewModel generatePage;
    private final List<String> restored = new ArrayList<>();
    private final List<String> missing = new ArrayList<>();

    /// @param generatePage where pictures are made without a subject
    PngInfoRestorer(ModelsViewModel models, List<SubjectPageViewModel> subjects, GenerateViewModel generatePage) {
        this.models = models;
        this.subjects = subjects;
        this.generatePage = generatePage;
    }

    /// Where it is to be seen; empty: where pictures are made without a subject.
    record RestoreResult(Optional<SubjectPageViewModel> page, String message) {}

    /// A run of a subject here, which made the picture.
    private record MatchedRun(SubjectPageViewModel page, RunSummary run, double weight) {}

    RestoreResult restore(PngInfo info) {
        GenerationParameters recipe = info.recipe();
        restoreModel(recipe);
        Optional<MatchedRun> match = matchRun(recipe);
        GenerateViewModel target = match.map(one -> one.page.generate()).orElse(generatePage);
        List<SelectedAdapter> adapters = findAdapters(info, match);
        target.setPrompt(toPrompt(recipe.prompt().positive(), match));
        ImageSettings settings = toSettings(target.settings().get(), recipe);
        missing.addAll(recipe.unsupported());
        missing.addAll(differences(settings, recipe));
        target.settings(settings.withAdapterWeight(match.map(MatchedRun::weight).orElse(1.0)).withAdapters(adapters));
        match.ifPresent(one -> {
            if (!one.page.isCompared(one.run.folder())) one.page.toggleRow(one.run);
        });
        recipe.seed().ifPresent(seed -> restored.add("seed " + Seed.format(seed)));
        recipe.sampler().ifPresent(sampler -> restored.add(sampler.title()));
        target.source().requireSource(describeMissingSource(info));
        String message = "From " + info.file().getFileName() + ": " + String.join(", ", restored)
                + (missing.isEmpty() ? "" : " · not here: " + joinLimited(missing))
                + (!missing.isEmpty() ? ". Without that it comes out otherwise."
                        : recipe.hasCpuNoise() ? ". Generate makes it again."
                        : ". Generate makes it again if its noise was drawn on the CPU, which it does not say.");
        return new RestoreResult(match.map(MatchedRun::page), message);
    }

    /// What a picture started from it does not carry; no other picture takes its place silently.
    private String describeMissingSource(PngInfo info) {
        GenerationParameters recipe = info.recipe();
        if (!recipe.isImageToImage()) return "";
        missing.add("the picture that it started from");
        return info.file().getFileName() + " started from "
                + recipe.sourceImageName().map(name -> "the picture " + name).orElse("another picture")
                + (recipe.isMasked() ? ", within a mask" : "")
                + ", which it does not carry. Choose that under “Start from a picture…” in the settings"
                + (recipe.isMasked() ? " and paint its mask" : "") + ", or pictures start from noise.";
    }

    private void restoreModel(GenerationParameters recipe) {
        if (recipe.model().isEmpty()) return;
        String name = recipe.model().get();
        ModelSummary current = models.current().get();
        if (current != null && current.name().equals(name)) {
            restored.add(name);
            return;
        }
        Optional<ModelSummary> known = models.known().stream().filter(model -> model.name().equals(name)).findFirst();
        known.ifPresentOrElse(model -> {
            models.select(model);
            restored.add(name);
        }, () -> missing.add("the model “" + name + "”"));
    }

    /// The first of the picture's adapters that is a finished run here, on the model as it is now.
    private Optional<MatchedRun> matchRun(GenerationParameters recipe) {
        ModelSummary model = models.current().get();
        for (AdapterEntry adapter : recipe.adapters()) {
            for (SubjectPageViewModel page : subjects) {
                for (RunSummary run : page.runs().runs()) {
                    boolean usable = run.isDone() && model != null && run.spec().model().equals(model.path());
                    if (usable && run.folder().getFileName().toString().equals(adapter.name()))
                        return Optional.of(new MatchedRun(page, run, adapter.weight()));
                }
            }
        }
        return Optional.empty();
    }

    /// The other adapters, from the picture itself or from runs here.
    private List<SelectedAdapter> findAdapters(PngInfo info, Optional<MatchedRun> match) {
        List<SelectedAdapter> adapters = new ArrayList<>();
        String ownName = match.map(one -> one.run.folder().getFileName().toString()).orElse("");
        for (AdapterEntry adapter : info.recipe().adapters()) {
            if (adapter.name().equals(ownName)) {
                restored.add(ownName);
                continue;
            }
            Path file = adapterFile(adapter.name(), info);
            if (file == null) {
                missing.add("the adapter “" + adapter.name() + "”");
            } else {
                double weight = Math.clamp(adapter.weight(), -WeightedAdapter.MAX_WEIGHT, WeightedAdapter.MAX_WEIGHT);
                if (weight != adapter.weight())
                    missing.add("the strength " + Infotext.formatNumber(adapter.weight()) + " of “" + adapter.name()
                            + "”, " + Infotext.formatNumber(weight) + " instead");
                adapters.add(new SelectedAdapter(file, weight));
                restored.add(adapter.name());
                if (adapter.textEncoderWeight() != adapter.weight())
                    missing.add("the text encoder's own strength of “" + adapter.name() + "”");
            }
        }
        return adapters;
    }

    private @Nullable Path adapterFile(String name, PngInfo info) {
        Optional<Path> attached = info.attached()
                .stream()
                .filter(one -> one.name().equals(name))
                .map(PngInfo.AttachedAdapter::file)
                .findFirst();
        if (attached.isPresent()) return attached.get();
        return subjects.stream()
                .flatMap(page -> page.runs().runs().stream())
                .filter(run -> run.isDone() && run.folder().getFileName().toString().equals(name))
                .map(RunSummary::adapter)
                .findFirst()
                .orElse(null);
    }

    /// The words, with the run's own phrase in the subject's place where it stands by itself among them.
    private static SubjectPrompt toPrompt(String text, Optional<MatchedRun> match) {
        String words = text.replaceAll("\\R", " ");
        if (match.isPresent()) {
            String phrase = match.get().run.spec().phrase().triggerWord() + " "
                    + match.get().run.spec().phrase().className();
            int index = words.indexOf(phrase);
            boolean isWholePhrase = index >= 0 && (index == 0 || !Character.isLetterOrDigit(words.charAt(index - 1)))
                    && (index + phrase.length() == words.length()
                            || !Character.isLetterOrDigit(words.charAt(index + phrase.length())));
            if (isWholePhrase)
                return new SubjectPrompt(words.substring(0, index).strip(), SubjectPrompt.Mention.SUBJECT,
                        words.substring(index + phrase.length()).strip());
        }
        return new SubjectPrompt("", SubjectPrompt.Mention.NONE, words);
    }

    private static String joinLimited(List<String> items) {
        return String.join(", ", items.subList(0, Math.min(MAX_LISTED, items.size())))
                + (items.size() > MAX_LISTED ? " and " + (items.size() - MAX_LISTED) + " more" : "");
    }

    /// What the picture says and the settings cannot be.
    private static List<String> differences(ImageSettings settings, GenerationParameters recipe) {
        List<String> result = new ArrayList<>();
        SamplerSettings sampling = settings.sampling();
        if (recipe.steps().isPresent() && recipe.steps().getAsInt() != sampling.steps())
            result.add(recipe.steps().getAsInt() + " steps, " + sampling.steps() + " instead");
        if (recipe.clipSkip().isPresent() && recipe.clipSkip().getAsInt() != sampling.clipSkip())
            result.add("clip skip " + recipe.clipSkip().getAsInt() + ", " + sampling.clipSkip() + " instead");
        if (recipe.guidanceScale().isPresent() && recipe.guidanceScale().getAsDouble() != sampling.guidance().scale()) {
            result.add("CFG scale " + Infotext.formatNumber(recipe.guidanceScale().getAsDouble()) + ", "
                    + Infotext.formatNumber(sampling.guidance().scale()) + " instead");
        }
        if (recipe.guidanceRescale().isPresent()
                && recipe.guidanceRescale().getAsDouble() != sampling.guidance().rescale())
            result.add("CFG rescale " + Infotext.formatNumber(recipe.guidanceRescale().getAsDouble()));
        if (recipe.schedule().filter(schedule -> schedule != sampling.schedule()).isPresent())
            result.add("the schedule “" + recipe.schedule().get().title() + "” with this sampler");
        if (recipe.eta().isPresent() && !recipe.eta().equals(sampling.eta()))
            result.add("eta " + Infotext.formatNumber(recipe.eta().getAsDouble()) + " with this sampler");
        if (recipe.hires().isPresent() && settings.source().hiresScale().isEmpty())
            result.add("a second pass of × " + Infotext.formatNumber(recipe.hires().get().scale()));
        if (recipe.denoisingStrength().isPresent()
                && recipe.denoisingStrength().getAsDouble() != settings.source().denoisingStrength())
            result.add("denoising strength " + Infotext.formatNumber(recipe.denoisingStrength().getAsDouble()));
        if (recipe.size().isPresent()
                && !new ImageSettings.OutputSize(recipe.size().get().width(), recipe.size().get().height())
                        .equals(settings.size())) {
            result.add("the size " + recipe.size().get().width() + " × " + recipe.size().get().height());
        }
        return result;
    }

    private static boolean isAllowed(GenerationParameters.ImageSize size) {
        return IntStream.of(size.width(), size.height())
                .allMatch(side -> side >= ImageSettings.SIDE_MULTIPLE && side <= ImageSettings.MAX_SIDE
                        && side % ImageSettings.SIDE_MULTIPLE == 0);
    }

    /// What the picture does not say stays as it is, but for what pictures say only where it is unusual. What no
    /// setting can be is brought within its bounds, or left as it is.
    private static ImageSettings toSettings(ImageSettings current, GenerationParameters recipe) {
        SamplerName sampler = recipe.sampler().orElse(current.sampling().sampler());
        ScheduleName schedule = recipe.schedule().filter(sampler.schedules()::contains).orElse(ScheduleName.AUTOMATIC);
        OptionalDouble eta = sampler.defaultEta().isPresent() && recipe.eta().isPresent()
                && Math.clamp(recipe.eta().getAsDouble(), 0, 1) == recipe.eta().getAsDouble() ? recipe.eta()
                        : OptionalDouble.empty();
        Guidance guidance = new Guidance(
                Math.clamp(recipe.guidanceScale().orElse(current.sampling().guidance().scale()), 0,
                        ImageSettings.MAX_GUIDANCE_SCALE),
                Math.clamp(recipe.guidanceRescale().orElse(0), 0, 1));
        int steps = Math.min(recipe.steps().orElse(current.sampling().steps()), SamplingSettings.MAX_STEPS);
        SamplerSettings sampling = new SamplerSettings(sampler, schedule, steps, eta, guidance,
                Math.min(recipe.clipSkip().orElse(1), ImageSettings.MAX_CLIP_SKIP));
        Optional<Hires> hires = recipe.hires()
                .filter(pass -> pass.scale() > 1 && pass.scale() <= ImageSettings.MAX_HIRES_SCALE);
        double denoisingStrength = Math.clamp(recipe.denoisingStrength().orElse(current.source().denoisingStrength()),
                ImageSettings.MIN_DENOISING_STRENGTH, 1);
        SourceSettings source = new SourceSettings(Optional.empty(), denoisingStrength,
                hires.map(pass -> OptionalDouble.of(pass.scale())).orElse(OptionalDouble.empty()));
        ImageSettings.OutputSize size = recipe.size()
                .filter(PngInfoRestorer::isAllowed)
                .map(said -> new ImageSettings.OutputSize(said.width(), said.height()))
                .orElse(current.size());
        ImageSettings.Seeds seeds = recipe.seed().isPresent() ? new ImageSettings.Seeds(recipe.seed().getAsLong(), 1)
                : current.seeds();
        return current.withNegativePrompt(recipe.prompt().negative().replaceAll("\\R", " "))
                .withSampling(sampling)
                .withSource(source)
                .withSize(size)
                .withSeeds(seeds);
    }

    /// A saved picture that says how it was made, and the adapters that it carries, each in a file of its own by now.
    public record PngInfo(Path file, GenerationParameters recipe, List<AttachedAdapter> attached) {
        public PngInfo {
            attached = List.copyOf(attached);
        }

        /// @param name that the picture has for it
        public record AttachedAdapter(String name, Path file) {}

        /// Empty for a file that is no PNG, or says nothing of its making. For jobs.
        /// @param adapters the folder where adapters are kept that came in pictures
        public static Optional<PngInfo> read(Path file, Path adapters) throws Failure {
            if (!file.getFileName().toString().toLowerCase(Locale.ROOT).endsWith(".png") || !Files.isRegularFile(file))
                return Optional.empty();
            Optional<GenerationParameters> recipe = GenerationParameters.read(file);
            if (recipe.isEmpty()) return Optional.empty();
            List<AttachedAdapter> attached = new ArrayList<>();
            if (!PngAttachment.read(file).isEmpty()) {
                for (AdapterSource.NamedAdapter found : AdapterSource.read(file))
                    attached.add(new AttachedAdapter(found.name(), saveAdapter(found, adapters)));
            }
            return Optional.of(new PngInfo(file, recipe.get(), attached));
        }

        /// Under its own name, which pictures made with it will say, in a folder named by its content: equal adapters
        /// are kept once.
        private static Path saveAdapter(AdapterSource.NamedAdapter found, Path folder) throws Failure {
            byte[] bytes = found.source().toBytes(DType.F32);
            CRC32 crc = new CRC32();
            crc.update(bytes);
            String name = found.name().replaceAll("[^\\p{L}\\p{N}+._ -]+", "-").replaceFirst("^[. ]+", "");
            Path file = folder.resolve(HexFormat.of().toHexDigits((int) crc.getValue()))
                    .resolve((name.isEmpty() ? "adapter" : name) + ".safetensors");
            if (!Files.exists(file)) AtomicFile.write(file, out -> out.write(bytes));
            return file;
        }
    }
}
