package atomstudio.app.window;

import atomstudio.app.generate.GenerateViewModel;
import atomstudio.app.generate.ImageSettings;
import atomstudio.app.generate.ImageSettings.SamplerSettings;
import atomstudio.app.generate.ImageSettings.SelectedAdapter;
import atomstudio.app.generate.ImageSettings.SourceSettings;
import atomstudio.app.generate.PngInfo;
import atomstudio.app.generate.SubjectPrompt;
import atomstudio.app.jobs.GenerationParameters;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.models.ModelsViewModel;
import atomstudio.app.tune.RunSummary;
import atomstudio.diffusion.engine.Applied;
import atomstudio.diffusion.engine.Generation.Hires;
import atomstudio.diffusion.picture.GenerationText;
import atomstudio.diffusion.picture.GenerationText.Strength;
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

/// Makes the window as it was when a saved picture was made: its model, the subject whose run made it, prompt, seed, sampler and adapters.
final class Restoring {
    private static final int MOST_NAMED = 6;

    private final ModelsViewModel models;
    private final List<SubjectPageViewModel> subjects;
    private final GenerateViewModel plain;
    private final List<String> said = new ArrayList<>();
    private final List<String> missing = new ArrayList<>();

    /// @param plain where pictures are made without a subject
    Restoring(ModelsViewModel models, List<SubjectPageViewModel> subjects, GenerateViewModel plain) {
        this.models = models;
        this.subjects = subjects;
        this.plain = plain;
    }

    /// Where it is to be seen; empty: where pictures are made without a subject.
    record Restored(Optional<SubjectPageViewModel> subject, String line) {}

    /// A run of a subject here, which made the picture.
    private record Made(SubjectPageViewModel page, RunSummary run, double strength) {}

    Restored restore(PngInfo picture) {
        GenerationParameters recipe = picture.recipe();
        model(recipe);
        Optional<Made> made = made(recipe);
        GenerateViewModel galleries = made.map(one -> one.page.generate()).orElse(plain);
        List<SelectedAdapter> worn = worn(picture, made);
        galleries.setPrompt(prompt(recipe.prompt().text(), made));
        ImageSettings settings = settings(galleries.settings().get(), recipe);
        missing.addAll(recipe.unsupported());
        missing.addAll(changed(settings, recipe));
        galleries.settings(settings.withAdapterWeight(made.map(Made::strength).orElse(1.0)).withAdapters(worn));
        made.ifPresent(one -> {
            if (!one.page.compares(one.run.folder())) one.page.toggleRow(one.run);
        });
        recipe.seed().ifPresent(seed -> said.add("seed " + Seed.format(seed)));
        recipe.sampler().ifPresent(sampler -> said.add(sampler.title()));
        galleries.source().requireSource(needed(picture));
        String line = "From " + picture.file().getFileName() + ": " + String.join(", ", said) + (missing.isEmpty() ? "" : " · not here: " + listed(missing))
            + (!missing.isEmpty() ? ". Without that it comes out otherwise." : recipe.hasCpuNoise() ? ". Generate makes it again." : ". Generate makes it again if its noise was drawn on the CPU, which it does not say.");
        return new Restored(made.map(Made::page), line);
    }

    /// What a picture started from it does not carry; no other picture takes its place silently.
    private String needed(PngInfo picture) {
        GenerationParameters recipe = picture.recipe();
        if (!recipe.isImageToImage()) return "";
        missing.add("the picture that it started from");
        return picture.file().getFileName() + " started from " + recipe.sourceImageName().map(name -> "the picture " + name).orElse("another picture") + (recipe.isMasked() ? ", within a mask" : "")
            + ", which it does not carry. Choose that under “Start from a picture…” in the settings" + (recipe.isMasked() ? " and paint its mask" : "") + ", or pictures start from noise.";
    }

    private void model(GenerationParameters recipe) {
        if (recipe.model().isEmpty()) return;
        String name = recipe.model().get();
        ModelSummary current = models.current().get();
        if (current != null && current.name().equals(name)) {
            said.add(name);
            return;
        }
        Optional<ModelSummary> known = models.known().stream().filter(model -> model.name().equals(name)).findFirst();
        known.ifPresentOrElse(model -> {
            models.select(model);
            said.add(name);
        }, () -> missing.add("the model “" + name + "”"));
    }

    /// The first of the picture's adapters that is a finished run here, on the model as it is now.
    private Optional<Made> made(GenerationParameters recipe) {
        ModelSummary model = models.current().get();
        for (Strength adapter : recipe.adapters()) {
            for (SubjectPageViewModel page : subjects) {
                for (RunSummary run : page.runs().runs()) {
                    boolean fits = run.isDone() && model != null && run.spec().model().equals(model.path());
                    if (fits && run.folder().getFileName().toString().equals(adapter.name())) return Optional.of(new Made(page, run, adapter.strength()));
                }
            }
        }
        return Optional.empty();
    }

    /// The other adapters, from the picture itself or from runs here.
    private List<SelectedAdapter> worn(PngInfo picture, Optional<Made> made) {
        List<SelectedAdapter> worn = new ArrayList<>();
        String own = made.map(one -> one.run.folder().getFileName().toString()).orElse("");
        for (Strength adapter : picture.recipe().adapters()) {
            if (adapter.name().equals(own)) {
                said.add(own);
                continue;
            }
            Path file = file(adapter.name(), picture);
            if (file == null) {
                missing.add("the adapter “" + adapter.name() + "”");
            } else {
                double strength = Math.clamp(adapter.strength(), -Applied.MOST_STRENGTH, Applied.MOST_STRENGTH);
                if (strength != adapter.strength()) missing.add("the strength " + GenerationText.number(adapter.strength()) + " of “" + adapter.name() + "”, " + GenerationText.number(strength) + " instead");
                worn.add(new SelectedAdapter(file, strength));
                said.add(adapter.name());
                if (adapter.text() != adapter.strength()) missing.add("the text encoder's own strength of “" + adapter.name() + "”");
            }
        }
        return worn;
    }

    private @Nullable Path file(String name, PngInfo picture) {
        Optional<Path> carried = picture.attached().stream().filter(one -> one.name().equals(name)).map(PngInfo.AttachedAdapter::file).findFirst();
        if (carried.isPresent()) return carried.get();
        return subjects.stream().flatMap(page -> page.runs().runs().stream()).filter(run -> run.isDone() && run.folder().getFileName().toString().equals(name)).map(RunSummary::adapter).findFirst().orElse(null);
    }

    /// The words, with the run's own phrase in the subject's place where it stands by itself among them.
    private static SubjectPrompt prompt(String text, Optional<Made> made) {
        String words = text.replaceAll("\\R", " ");
        if (made.isPresent()) {
            String phrase = made.get().run.spec().phrase().triggerWord() + " " + made.get().run.spec().phrase().className();
            int at = words.indexOf(phrase);
            boolean alone = at >= 0 && (at == 0 || !Character.isLetterOrDigit(words.charAt(at - 1))) && (at + phrase.length() == words.length() || !Character.isLetterOrDigit(words.charAt(at + phrase.length())));
            if (alone) return new SubjectPrompt(words.substring(0, at).strip(), SubjectPrompt.Mention.SUBJECT, words.substring(at + phrase.length()).strip());
        }
        return new SubjectPrompt("", SubjectPrompt.Mention.NONE, words);
    }

    private static String listed(List<String> things) {
        return String.join(", ", things.subList(0, Math.min(MOST_NAMED, things.size()))) + (things.size() > MOST_NAMED ? " and " + (things.size() - MOST_NAMED) + " more" : "");
    }

    /// What the picture says and the settings cannot be.
    private static List<String> changed(ImageSettings settings, GenerationParameters recipe) {
        List<String> changed = new ArrayList<>();
        SamplerSettings way = settings.sampling();
        if (recipe.steps().isPresent() && recipe.steps().getAsInt() != way.steps()) changed.add(recipe.steps().getAsInt() + " steps, " + way.steps() + " instead");
        if (recipe.clipSkip().isPresent() && recipe.clipSkip().getAsInt() != way.clipSkip()) changed.add("clip skip " + recipe.clipSkip().getAsInt() + ", " + way.clipSkip() + " instead");
        if (recipe.guidanceScale().isPresent() && recipe.guidanceScale().getAsDouble() != way.guidance().scale()) {
            changed.add("CFG scale " + GenerationText.number(recipe.guidanceScale().getAsDouble()) + ", " + GenerationText.number(way.guidance().scale()) + " instead");
        }
        if (recipe.guidanceRescale().isPresent() && recipe.guidanceRescale().getAsDouble() != way.guidance().rescale()) changed.add("CFG rescale " + GenerationText.number(recipe.guidanceRescale().getAsDouble()));
        if (recipe.schedule().filter(schedule -> schedule != way.schedule()).isPresent()) changed.add("the schedule “" + recipe.schedule().get().title() + "” with this sampler");
        if (recipe.eta().isPresent() && !recipe.eta().equals(way.eta())) changed.add("eta " + GenerationText.number(recipe.eta().getAsDouble()) + " with this sampler");
        if (recipe.hires().isPresent() && settings.source().hiresScale().isEmpty()) changed.add("a second pass of × " + GenerationText.number(recipe.hires().get().scale()));
        if (recipe.denoisingStrength().isPresent() && recipe.denoisingStrength().getAsDouble() != settings.source().denoisingStrength()) changed.add("denoising strength " + GenerationText.number(recipe.denoisingStrength().getAsDouble()));
        if (recipe.size().isPresent() && !new ImageSettings.OutputSize(recipe.size().get().width(), recipe.size().get().height()).equals(settings.size())) {
            changed.add("the size " + recipe.size().get().width() + " × " + recipe.size().get().height());
        }
        return changed;
    }

    private static boolean possible(GenerationParameters.ImageSize size) {
        return IntStream.of(size.width(), size.height()).allMatch(side -> side >= ImageSettings.SIDE_MULTIPLE && side <= ImageSettings.MAX_SIDE && side % ImageSettings.SIDE_MULTIPLE == 0);
    }

    /// What the picture does not say stays as it is, but for what pictures say only where it is unusual. What no setting can be is brought
    /// within its bounds, or left as it is.
    private static ImageSettings settings(ImageSettings now, GenerationParameters recipe) {
        SamplerName sampler = recipe.sampler().orElse(now.sampling().sampler());
        ScheduleName schedule = recipe.schedule().filter(sampler.schedules()::contains).orElse(ScheduleName.MODEL);
        OptionalDouble eta = sampler.defaultEta().isPresent() && recipe.eta().isPresent() && Math.clamp(recipe.eta().getAsDouble(), 0, 1) == recipe.eta().getAsDouble() ? recipe.eta() : OptionalDouble.empty();
        Guidance guidance = new Guidance(Math.clamp(recipe.guidanceScale().orElse(now.sampling().guidance().scale()), 0, ImageSettings.MAX_GUIDANCE_SCALE), Math.clamp(recipe.guidanceRescale().orElse(0), 0, 1));
        int steps = Math.min(recipe.steps().orElse(now.sampling().steps()), SamplingSettings.MAX_STEPS);
        SamplerSettings way = new SamplerSettings(sampler, schedule, steps, eta, guidance, Math.min(recipe.clipSkip().orElse(1), ImageSettings.MAX_CLIP_SKIP));
        Optional<Hires> hires = recipe.hires().filter(pass -> pass.scale() > 1 && pass.scale() <= ImageSettings.MAX_HIRES_SCALE);
        double denoise = Math.clamp(recipe.denoisingStrength().orElse(now.source().denoisingStrength()), ImageSettings.MIN_DENOISING_STRENGTH, 1);
        SourceSettings start = new SourceSettings(Optional.empty(), denoise, hires.map(pass -> OptionalDouble.of(pass.scale())).orElse(OptionalDouble.empty()));
        ImageSettings.OutputSize size = recipe.size().filter(Restoring::possible).map(said -> new ImageSettings.OutputSize(said.width(), said.height())).orElse(now.size());
        ImageSettings.Seeds seeds = recipe.seed().isPresent() ? new ImageSettings.Seeds(recipe.seed().getAsLong(), 1) : now.seeds();
        return now.withNegativePrompt(recipe.prompt().negative().replaceAll("\\R", " ")).withSampling(way).withSource(start).withSize(size).withSeeds(seeds);
    }
}
