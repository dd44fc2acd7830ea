package atomstudio.app.window;

import atomstudio.app.generate.GenerateViewModel;
import atomstudio.app.generate.PictureSettings;
import atomstudio.app.generate.PictureSettings.Start;
import atomstudio.app.generate.PictureSettings.Way;
import atomstudio.app.generate.PictureSettings.Worn;
import atomstudio.app.generate.Prompt;
import atomstudio.app.generate.RestoredPicture;
import atomstudio.app.jobs.PictureRecipe;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.models.ModelsViewModel;
import atomstudio.app.tune.RunSummary;
import atomstudio.diffusion.engine.Applied;
import atomstudio.diffusion.engine.Generation.Hires;
import atomstudio.diffusion.picture.GenerationText.Strength;
import atomstudio.diffusion.sample.Guidance;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.Sampling;
import atomstudio.diffusion.sample.ScheduleName;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/// Makes the window as it was when a saved picture was made: its model, the subject whose run made it, prompt, seed, sampler and adapters.
final class Restoring {
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

    Restored restore(RestoredPicture picture) {
        PictureRecipe recipe = picture.recipe();
        model(recipe);
        Optional<Made> made = made(recipe);
        GenerateViewModel galleries = made.map(one -> one.page.generate()).orElse(plain);
        List<Worn> worn = worn(picture, made);
        galleries.write(prompt(recipe.prompt().text(), made));
        galleries.settings(settings(galleries.settings().get(), recipe).withStrength(made.map(Made::strength).orElse(1.0)).withWorn(worn));
        made.ifPresent(one -> {
            if (!one.page.compares(one.run.folder())) one.page.toggleRow(one.run);
        });
        recipe.seed().ifPresent(seed -> said.add("seed " + seed));
        recipe.sampler().ifPresent(sampler -> said.add(sampler.title()));
        galleries.source().need(needed(picture));
        String line = "From " + picture.file().getFileName() + ": " + String.join(", ", said) + (missing.isEmpty() ? "" : " · not here: " + String.join(", ", missing))
            + (missing.isEmpty() ? ". Generate makes it again." : ". Without that it comes out otherwise.");
        return new Restored(made.map(Made::page), line);
    }

    /// What a picture started from it does not carry; no other picture takes its place silently.
    private String needed(RestoredPicture picture) {
        PictureRecipe recipe = picture.recipe();
        if (!recipe.startedFromPicture()) return "";
        missing.add("the picture that it started from");
        return picture.file().getFileName() + " started from " + recipe.source().map(name -> "the picture " + name).orElse("another picture") + (recipe.masked() ? ", within a mask" : "")
            + ", which it does not carry. Choose that under “Start from a picture…” in the settings" + (recipe.masked() ? " and paint its mask" : "") + ", or pictures start from noise.";
    }

    private void model(PictureRecipe recipe) {
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
    private Optional<Made> made(PictureRecipe recipe) {
        ModelSummary model = models.current().get();
        for (Strength adapter : recipe.adapters()) {
            for (SubjectPageViewModel page : subjects) {
                for (RunSummary run : page.runs().runs()) {
                    boolean fits = run.done() && model != null && run.order().model().equals(model.folder());
                    if (fits && run.folder().getFileName().toString().equals(adapter.name())) return Optional.of(new Made(page, run, adapter.strength()));
                }
            }
        }
        return Optional.empty();
    }

    /// The other adapters, from the picture itself or from runs here.
    private List<Worn> worn(RestoredPicture picture, Optional<Made> made) {
        List<Worn> worn = new ArrayList<>();
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
                worn.add(new Worn(file, Math.clamp(adapter.strength(), -Applied.MOST_STRENGTH, Applied.MOST_STRENGTH)));
                said.add(adapter.name());
                if (adapter.text() != adapter.strength()) missing.add("the text encoder's own strength of “" + adapter.name() + "”");
            }
        }
        return worn;
    }

    private @Nullable Path file(String name, RestoredPicture picture) {
        Optional<Path> carried = picture.carried().stream().filter(one -> one.name().equals(name)).map(RestoredPicture.Carried::file).findFirst();
        if (carried.isPresent()) return carried.get();
        return subjects.stream().flatMap(page -> page.runs().runs().stream()).filter(run -> run.done() && run.folder().getFileName().toString().equals(name)).map(RunSummary::adapter).findFirst().orElse(null);
    }

    /// The words, with the run's own phrase in the subject's place where it stands by itself among them.
    private static Prompt prompt(String text, Optional<Made> made) {
        String words = text.replaceAll("\\R", " ");
        if (made.isPresent()) {
            String phrase = made.get().run.order().words().token() + " " + made.get().run.order().words().className();
            int at = words.indexOf(phrase);
            boolean alone = at >= 0 && (at == 0 || !Character.isLetterOrDigit(words.charAt(at - 1))) && (at + phrase.length() == words.length() || !Character.isLetterOrDigit(words.charAt(at + phrase.length())));
            if (alone) return new Prompt(words.substring(0, at).strip(), Prompt.Mention.SUBJECT, words.substring(at + phrase.length()).strip());
        }
        return new Prompt("", Prompt.Mention.NONE, words);
    }

    /// What the picture does not say stays as it is, but for what pictures say only where it is unusual.
    private static PictureSettings settings(PictureSettings now, PictureRecipe recipe) {
        SamplerName sampler = recipe.sampler().orElse(now.way().sampler());
        ScheduleName schedule = recipe.schedule().filter(sampler.schedules()::contains).orElse(ScheduleName.MODEL);
        OptionalDouble eta = sampler.eta().isPresent() ? recipe.eta() : OptionalDouble.empty();
        Guidance guidance = new Guidance(recipe.guidance().orElse(now.way().guidance().scale()), recipe.rescale().orElse(0));
        Way way = new Way(sampler, schedule, Math.min(recipe.steps().orElse(now.way().steps()), Sampling.MOST_STEPS), eta, guidance, recipe.clipSkip().orElse(1));
        Optional<Hires> hires = recipe.hires();
        Start start = new Start(Optional.empty(), recipe.denoise().orElse(now.start().denoise()), hires.map(pass -> OptionalDouble.of(pass.scale())).orElse(OptionalDouble.empty()));
        PictureSettings.Size size = recipe.size().map(said -> new PictureSettings.Size(said.width(), said.height())).orElse(now.size());
        PictureSettings.Seeds seeds = recipe.seed().isPresent() ? new PictureSettings.Seeds(recipe.seed().getAsLong(), 1) : now.seeds();
        return now.withNegative(recipe.prompt().negative().replaceAll("\\R", " ")).withWay(way).withStart(start).withSize(size).withSeeds(seeds);
    }
}
