package atomstudio.app.window;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.compare.CompareTable;
import atomstudio.app.compare.ComparedAdapter;
import atomstudio.app.generate.GenerateViewModel;
import atomstudio.app.generate.ImageSettings;
import atomstudio.app.generate.ImageSettings.SamplerSettings;
import atomstudio.app.generate.ImageSettings.SelectedAdapter;
import atomstudio.app.generate.ImageSettings.SourceSettings;
import atomstudio.app.generate.SubjectPrompt;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.models.ModelsViewModel;
import atomstudio.app.pipeline.GenerationLimits;
import atomstudio.app.pipeline.GenerationLimits.NumberLimit;
import atomstudio.app.pipeline.GenerationParameters;
import atomstudio.app.runs.RunSummary;
import atomstudio.app.subjects.SubjectPageViewModel;
import atomstudio.diffusion.engine.Generation.Hires;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.image.Infotext;
import atomstudio.diffusion.image.Infotext.AdapterEntry;
import atomstudio.diffusion.sample.Guidance;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.diffusion.sample.Seed;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Restores the generation settings of a saved image: model, subject, prompt, seed, sampler and adapters.
final class PngInfoRestorer {
    private static final int MAX_LISTED = 6;

    private final ModelsViewModel models;
    private final List<SubjectPageViewModel> subjects;
    private final GenerateViewModel generatePage;
    private final List<String> restored = new ArrayList<>();
    private final List<String> missing = new ArrayList<>();

    /// @param generatePage used if the image was not generated with a run of a subject
    PngInfoRestorer(ModelsViewModel models, List<SubjectPageViewModel> subjects, GenerateViewModel generatePage) {
        this.models = models;
        this.subjects = subjects;
        this.generatePage = generatePage;
    }

    /// @param page the subject's page with the restored settings; empty: the Generate page
    record RestoreResult(Optional<SubjectPageViewModel> page, String message) {}

    /// The run that generated the image.
    private record MatchedRun(SubjectPageViewModel page, RunSummary run, double weight) {}

    RestoreResult restore(PngInfo info) {
        GenerationParameters recipe = info.recipe();
        restoreModel(recipe);
        Optional<MatchedRun> match = matchRun(recipe);
        GenerateViewModel target = match.map(one -> one.page.generate()).orElse(generatePage);
        List<SelectedAdapter> adapters = findAdapters(info, match);
        target.prompt().set(toPrompt(recipe.prompt().positive(), match));
        ImageSettings settings = toSettings(target.settings().get(), recipe, target.defaults().getValue().clipSkips());
        missing.addAll(recipe.unsupported());
        missing.addAll(differences(settings, recipe));
        target.settings(settings.withAdapters(adapters));
        match.ifPresent(one -> one.page.compare()
                .rowChoice()
                .add(new CompareTable.CompareRow(new ComparedAdapter.OfRun(one.run), one.weight)));
        recipe.seed().ifPresent(seed -> restored.add(text("window.seed", Seed.format(seed))));
        recipe.sampler().ifPresent(sampler -> restored.add(sampler.title()));
        target.source().requireSource(describeMissingSource(info));
        String message = text("window.from", info.file().getFileName(), String.join(", ", restored),
                (!missing.isEmpty() ? ". The result will differ: missing " + joinLimited(missing) + "."
                        : recipe.hasCpuNoise() ? ". Press Generate to recreate it."
                        : ". Press Generate to recreate it, provided its noise came from the CPU, which it does not "
                                + "record."));
        return new RestoreResult(match.map(MatchedRun::page), message);
    }

    /// A PNG does not contain its source image, so the user must choose it.
    private String describeMissingSource(PngInfo info) {
        GenerationParameters recipe = info.recipe();
        if (!recipe.isImageToImage()) return "";
        missing.add(text("window.the-source-image"));
        return text("window.was-generated-from-choose-it-under", info.file().getFileName(),
                recipe.sourceImageName().map(name -> "the image " + name).orElse("another image"),
                (recipe.isMasked() ? " with a mask" : ""), (recipe.isMasked() ? " and paint its mask" : ""));
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
        }, () -> missing.add(text("window.the-model", name)));
    }

    /// The first of the image's adapters that is a finished run on the current model.
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

    /// The other adapters, from the PNG or from known runs.
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
                missing.add(text("window.the-adapter", adapter.name()));
            } else {
                double weight = Math.clamp(adapter.weight(), -WeightedAdapter.MAX_WEIGHT, WeightedAdapter.MAX_WEIGHT);
                if (weight != adapter.weight())
                    missing.add(
                            text("window.weight-of-using", Infotext.formatNumber(adapter.weight()), adapter.name(),
                                    Infotext.formatNumber(weight)));
                adapters.add(new SelectedAdapter(file, weight));
                restored.add(adapter.name());
                if (adapter.textEncoderWeight() != adapter.weight())
                    missing.add(text("window.the-text-encoder-weight-of", adapter.name()));
            }
        }
        return adapters;
    }

    private @Nullable Path adapterFile(String name, PngInfo info) {
        Optional<Path> embedded = info.adapters()
                .stream()
                .filter(one -> one.name().equals(name))
                .map(PngInfo.EmbeddedAdapter::file)
                .findFirst();
        if (embedded.isPresent()) return embedded.get();
        return subjects.stream()
                .flatMap(page -> page.runs().runs().stream())
                .filter(run -> run.isDone() && run.folder().getFileName().toString().equals(name))
                .map(RunSummary::adapter)
                .findFirst()
                .orElse(null);
    }

    /// Replaces the run's phrase, as whole words, by the placeholder for the subject.
    private static SubjectPrompt toPrompt(String text, Optional<MatchedRun> match) {
        return SubjectPrompt.of(text, match.map(found -> found.run.spec().phrase().text()).orElse(""));
    }

    private static String joinLimited(List<String> items) {
        return String.join(", ", items.subList(0, Math.min(MAX_LISTED, items.size())))
                + (items.size() > MAX_LISTED ? text("window.and-more", (items.size() - MAX_LISTED)) : "");
    }

    /// The values of the image that the settings cannot represent.
    private static List<String> differences(ImageSettings settings, GenerationParameters recipe) {
        List<String> result = new ArrayList<>();
        SamplerSettings sampling = settings.sampling();
        if (recipe.steps().isPresent() && recipe.steps().getAsInt() != sampling.steps())
            result.add(text("window.steps-using", recipe.steps().getAsInt(), sampling.steps()));
        if (recipe.clipSkip().isPresent() && recipe.clipSkip().getAsInt() != sampling.clipSkip())
            result.add(text("window.clip-skip-using", recipe.clipSkip().getAsInt(), sampling.clipSkip()));
        if (recipe.guidanceScale().isPresent() && recipe.guidanceScale().getAsDouble() != sampling.guidance().scale()) {
            result.add(text("window.cfg-scale-using", Infotext.formatNumber(recipe.guidanceScale().getAsDouble()),
                    Infotext.formatNumber(sampling.guidance().scale())));
        }
        if (recipe.guidanceRescale().isPresent()
                && recipe.guidanceRescale().getAsDouble() != sampling.guidance().rescale())
            result.add(text("window.cfg-rescale", Infotext.formatNumber(recipe.guidanceRescale().getAsDouble())));
        if (recipe.schedule().filter(schedule -> schedule != sampling.schedule()).isPresent())
            result.add(text("window.the-schedule-with-this-sampler", recipe.schedule().get().title()));
        if (recipe.eta().isPresent() && !recipe.eta().equals(sampling.eta()))
            result.add(text("window.eta-with-this-sampler", Infotext.formatNumber(recipe.eta().getAsDouble())));
        if (recipe.hires().isPresent() && settings.source().hiresScale().isEmpty())
            result.add(text("window.hires", Infotext.formatNumber(recipe.hires().get().scale())));
        if (recipe.denoisingStrength().isPresent()
                && recipe.denoisingStrength().getAsDouble() != settings.source().denoisingStrength())
            result.add(
                    text("window.denoising-strength", Infotext.formatNumber(recipe.denoisingStrength().getAsDouble())));
        if (recipe.size().isPresent()
                && !new ImageSettings.OutputSize(recipe.size().get().width(), recipe.size().get().height())
                        .equals(settings.size())) {
            result.add(text("window.the-size", recipe.size().get().width(), recipe.size().get().height()));
        }
        return result;
    }

    private static boolean isAllowed(GenerationParameters.ImageSize size) {
        return IntStream.of(size.width(), size.height())
                .allMatch(side -> GenerationLimits.SIDE.contains(side)
                        && side % ImageSettings.SIDE_MULTIPLE == 0);
    }

    /// Values missing in the image stay unchanged, except those that infotext leaves out at their defaults. Values out
    /// of range are clamped or ignored.
    private static ImageSettings toSettings(ImageSettings current, GenerationParameters recipe,
            NumberLimit clipSkips) {
        SamplerName sampler = recipe.sampler().orElse(current.sampling().sampler());
        ScheduleName schedule = recipe.schedule().filter(sampler.schedules()::contains).orElse(ScheduleName.AUTOMATIC);
        OptionalDouble eta = sampler.defaultEta().isPresent() && recipe.eta().isPresent()
                && Math.clamp(recipe.eta().getAsDouble(), 0, 1) == recipe.eta().getAsDouble() ? recipe.eta()
                        : OptionalDouble.empty();
        Guidance guidance = new Guidance(
                Math.clamp(recipe.guidanceScale().orElse(current.sampling().guidance().scale()), 0,
                        GenerationLimits.GUIDANCE_SCALE.max()),
                Math.clamp(recipe.guidanceRescale().orElse(0), 0, 1));
        int steps = Math.min(recipe.steps().orElse(current.sampling().steps()), SamplingSettings.MAX_STEPS);
        SamplerSettings sampling = new SamplerSettings(sampler, schedule, steps, eta, guidance,
                (int) Math.min(recipe.clipSkip().orElse(1), clipSkips.max()));
        Optional<Hires> hires = recipe.hires()
                .filter(pass -> GenerationLimits.HIRES_SCALE.contains(pass.scale()));
        double denoisingStrength = recipe.denoisingStrength().orElse(current.source().denoisingStrength());
        if (!GenerationLimits.DENOISING_STRENGTH.contains(denoisingStrength))
            denoisingStrength = current.source().denoisingStrength();
        SourceSettings source = new SourceSettings(Optional.empty(), denoisingStrength,
                hires.map(pass -> OptionalDouble.of(pass.scale())).orElse(OptionalDouble.empty()));
        ImageSettings.OutputSize size = recipe.size()
                .filter(PngInfoRestorer::isAllowed)
                .map(found -> new ImageSettings.OutputSize(found.width(), found.height()))
                .orElse(current.size());
        ImageSettings.Seeds seeds = recipe.seed().isPresent() ? new ImageSettings.Seeds(recipe.seed().getAsLong(), 1)
                : current.seeds();
        return current.withNegativePrompt(recipe.prompt().negative().replaceAll("\\R", " "))
                .withSampling(sampling)
                .withSource(source)
                .withSize(size)
                .withSeeds(seeds);
    }
}
