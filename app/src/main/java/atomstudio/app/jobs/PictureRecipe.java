package atomstudio.app.jobs;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.Hires;
import atomstudio.diffusion.engine.Generation.Prompt;
import atomstudio.diffusion.picture.GenerationText;
import atomstudio.diffusion.picture.PngText;
import atomstudio.diffusion.sample.Prediction;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.ScheduleName;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What a saved picture says of how it was made, ours or another program's, in the terms of this one. What it does not say, or says in a way
/// that is unknown here, is empty.
public record PictureRecipe(GenerationText text) {
    private static final Pattern SIZE = Pattern.compile("(\\d{1,5})x(\\d{1,5})");

    /// Width and height in pixels.
    public record Size(int width, int height) {}

    /// Empty for a picture that says nothing of it.
    /// @throws Failure.Unreadable when it is no whole PNG file
    public static Optional<PictureRecipe> read(Path png) throws Failure {
        String text = PngText.read(png).get(GenerationText.KEYWORD);
        if (text == null) return Optional.empty();
        GenerationText parsed = GenerationText.parse(text);
        return parsed.settings().isEmpty() ? Optional.empty() : Optional.of(new PictureRecipe(parsed));
    }

    public Prompt prompt() {
        return new Prompt(text.prompt(), text.negative());
    }

    /// The model's name, as it calls itself or as its file is called.
    public Optional<String> model() {
        return Optional.ofNullable(said("Model"));
    }

    /// Older programs write the schedule behind the sampler: `DPM++ 2M Karras`.
    public Optional<SamplerName> sampler() {
        String said = said("Sampler");
        if (said == null) return Optional.empty();
        return Stream.of(SamplerName.values()).filter(name -> said.equals(name.title()) || behind(said, name).isPresent()).findFirst();
    }

    /// `Automatic` is not to be had elsewhere; of other programs' names only those that mean the same here.
    public Optional<ScheduleName> schedule() {
        String said = said("Schedule type");
        if (said != null) return Stream.of(ScheduleName.values()).filter(name -> said.equals(name.title())).findFirst();
        String sampler = said("Sampler");
        if (sampler == null) return Optional.empty();
        return Stream.of(SamplerName.values()).flatMap(name -> behind(sampler, name).stream()).findFirst();
    }

    private static Optional<ScheduleName> behind(String said, SamplerName sampler) {
        return Stream.of(ScheduleName.values()).filter(schedule -> said.equals(sampler.title() + " " + schedule.title())).findFirst();
    }

    public OptionalInt steps() {
        OptionalDouble number = number("Steps");
        return number.isPresent() && number.getAsDouble() >= 1 ? OptionalInt.of((int) number.getAsDouble()) : OptionalInt.empty();
    }

    public OptionalDouble guidance() {
        return number("CFG scale");
    }

    public OptionalDouble rescale() {
        return number(PictureText.RESCALE);
    }

    public OptionalDouble eta() {
        return Stream.of(number(PictureText.ETA), number(PictureText.ETA_OF_DDIM)).filter(OptionalDouble::isPresent).findFirst().orElse(OptionalDouble.empty());
    }

    public Optional<Prediction> prediction() {
        String said = said(PictureText.PREDICTION);
        return said == null ? Optional.empty() : Stream.of(Prediction.values()).filter(name -> name.name().toLowerCase(Locale.ROOT).equals(said)).findFirst();
    }

    public OptionalLong seed() {
        String said = said("Seed");
        try {
            return said == null ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(said));
        } catch (NumberFormatException edited) {
            return OptionalLong.empty();
        }
    }

    public Optional<Size> size() {
        Matcher said = SIZE.matcher(said("Size") == null ? "" : said("Size"));
        return said.matches() ? Optional.of(new Size(Integer.parseInt(said.group(1)), Integer.parseInt(said.group(2)))) : Optional.empty();
    }

    public OptionalInt clipSkip() {
        OptionalDouble number = number("Clip skip");
        return number.isPresent() && number.getAsDouble() >= 1 ? OptionalInt.of((int) number.getAsDouble()) : OptionalInt.empty();
    }

    public Optional<Hires> hires() {
        OptionalDouble scale = number(PictureText.HIRES);
        OptionalDouble denoise = number(PictureText.DENOISE);
        return scale.isPresent() && denoise.isPresent() ? Optional.of(new Hires(scale.getAsDouble(), denoise.getAsDouble())) : Optional.empty();
    }

    /// How much of the picture that it started from was made anew, or in the second pass.
    public OptionalDouble denoise() {
        return number(PictureText.DENOISE);
    }

    /// Whether it started from another picture, which no picture carries.
    public boolean startedFromPicture() {
        return source().isPresent() || denoise().isPresent() && number(PictureText.HIRES).isEmpty();
    }

    /// The name of the picture that it started from; pictures of other programs say none.
    public Optional<String> source() {
        return Optional.ofNullable(said(PictureText.SOURCE));
    }

    /// Whether only a part of the picture that it started from was made anew.
    public boolean masked() {
        return said(PictureText.MASKED) != null;
    }

    /// In their order, with what each was applied at.
    public List<GenerationText.Strength> adapters() {
        return text.adapters();
    }

    private @Nullable String said(String key) {
        return text.settings().get(key);
    }

    private OptionalDouble number(String key) {
        String said = said(key);
        try {
            double number = said == null ? Double.NaN : Double.parseDouble(said);
            return Double.isFinite(number) ? OptionalDouble.of(number) : OptionalDouble.empty();
        } catch (NumberFormatException edited) {
            return OptionalDouble.empty();
        }
    }
}
