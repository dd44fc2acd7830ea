package atomstudio.app.jobs;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.Hires;
import atomstudio.diffusion.engine.Generation.Prompt;
import atomstudio.diffusion.picture.GenerationText;
import atomstudio.diffusion.picture.PngText;
import atomstudio.diffusion.sample.PredictionType;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.diffusion.sample.Seed;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What a saved picture says of how it was made, ours or another program's, in the terms of this one. What it does not say, or says in a way
/// that is unknown here, is empty.
public record PictureRecipe(GenerationText text) {
    private static final int LONGEST = 1_000_000;
    private static final Pattern SIZE = Pattern.compile("(\\d{1,5})x(\\d{1,5})");

    /// Of values that are quoted.
    private static final int SHORT = 60;
    private static final String PASS = "Hires ";
    private static final Pattern WEB_UI = Pattern.compile("[vf]\\d.{0,60}");
    private static final Pattern ADAPTER = Pattern.compile("Adapter(?: \\d{1,9})?(?: strength)?");
    private static final Set<String> UNDERSTOOD = Set.of("Steps", "Sampler", "Schedule type", "CFG scale", "Seed", "Size", "Model", "Clip skip", "RNG", PictureText.ETA, PictureText.ETA_OF_DDIM,
        PictureText.RESCALE, PictureText.PREDICTION, PictureText.DENOISE, PictureText.MASKED, PictureText.SOURCE);
    /// Hashes and notes: they change no pixel.
    private static final Set<String> WITHOUT_EFFECT = Set.of("Version", "Model hash", "Lora hashes", "TI hashes", "Hashes", "VAE hash", "User", "Created Date", "Civitai resources", "Civitai metadata",
        "Template", "Negative Template");

    /// Width and height in pixels.
    public record Size(int width, int height) {}

    /// Empty for a picture that says nothing of it.
    /// @throws Failure.Unreadable when it is no PNG file, or its text is enormous
    public static Optional<PictureRecipe> read(Path png) throws Failure {
        String text = PngText.read(png).get(GenerationText.KEYWORD);
        if (text == null) return Optional.empty();
        if (text.length() > LONGEST) throw new Failure.Unreadable(png + ": expected how it was made in at most " + LONGEST + " letters, found " + text.length() + " in its text " + GenerationText.KEYWORD);
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

    public Optional<PredictionType> prediction() {
        String said = said(PictureText.PREDICTION);
        return said == null ? Optional.empty() : Stream.of(PredictionType.values()).filter(name -> name.name().toLowerCase(Locale.ROOT).equals(said)).findFirst();
    }

    public OptionalLong seed() {
        String said = said("Seed");
        return said == null ? OptionalLong.empty() : Seed.parse(said);
    }

    public Optional<Size> size() {
        return size("Size");
    }

    private Optional<Size> size(String key) {
        Matcher said = SIZE.matcher(said(key) == null ? "" : said(key));
        return said.matches() ? Optional.of(new Size(Integer.parseInt(said.group(1)), Integer.parseInt(said.group(2)))) : Optional.empty();
    }

    public OptionalInt clipSkip() {
        OptionalDouble number = number("Clip skip");
        return number.isPresent() && number.getAsDouble() >= 1 ? OptionalInt.of((int) number.getAsDouble()) : OptionalInt.empty();
    }

    public Optional<Hires> hires() {
        OptionalDouble scale = number(PictureText.HIRES).isPresent() ? number(PictureText.HIRES) : resized();
        OptionalDouble denoise = number(PictureText.DENOISE);
        return scale.isPresent() && denoise.isPresent() ? Optional.of(new Hires(scale.getAsDouble(), denoise.getAsDouble())) : Optional.empty();
    }

    /// What both sides are multiplied by where the second pass has a size of its own of the same shape. A side of 0 follows from the other.
    private OptionalDouble resized() {
        Optional<Size> from = size();
        Optional<Size> to = size(PictureText.RESIZE);
        if (from.isEmpty() || to.isEmpty() || from.get().width == 0 || from.get().height == 0) return OptionalDouble.empty();
        double across = (double) to.get().width / from.get().width;
        double down = (double) to.get().height / from.get().height;
        if (across == 0 && down == 0 || across != 0 && down != 0 && across != down) return OptionalDouble.empty();
        return OptionalDouble.of(Math.max(across, down));
    }

    /// How much of the picture that it started from was made anew, or in the second pass.
    public OptionalDouble denoise() {
        return number(PictureText.DENOISE);
    }

    /// Whether it started from another picture, which no picture carries.
    public boolean startedFromPicture() {
        return source().isPresent() || denoise().isPresent() && number(PictureText.HIRES).isEmpty() && said(PictureText.RESIZE) == null;
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

    /// What the picture says of its making that nothing here does the same way, or that is needed and not said.
    public List<String> unknown() {
        List<String> unknown = new ArrayList<>();
        if (sampler().isEmpty()) unknown.add(told("sampler", "Sampler"));
        else if (said("Schedule type") != null && schedule().isEmpty()) unknown.add(told("schedule", "Schedule type"));
        if (steps().isEmpty()) unknown.add(told("number of steps", "Steps"));
        if (guidance().isEmpty()) unknown.add(told("CFG scale", "CFG scale"));
        if (seed().isEmpty()) unknown.add(told("seed", "Seed"));
        if (size().isEmpty()) unknown.add(told("size", "Size"));
        if (said(PictureText.PREDICTION) != null && prediction().isEmpty()) unknown.add(told("prediction", PictureText.PREDICTION));
        unknown.addAll(secondPass());
        text.settings().forEach((key, value) -> {
            if (!UNDERSTOOD.contains(key) && !WITHOUT_EFFECT.contains(key) && !ADAPTER.matcher(key).matches() && !key.startsWith(PASS)) unknown.add("“" + key + ": " + shortened(value) + "”");
        });
        if (said("RNG") != null && !said("RNG").equals("CPU")) unknown.add("the noise of “RNG: " + shortened(said("RNG")) + "”");
        return unknown;
    }

    private List<String> secondPass() {
        List<String> unknown = new ArrayList<>();
        boolean passes = number(PictureText.HIRES).isPresent() || said(PictureText.RESIZE) != null;
        if (passes && hires().isEmpty()) unknown.add("the second pass" + (said(PictureText.RESIZE) == null ? "" : " to " + shortened(said(PictureText.RESIZE))));
        text.settings().forEach((key, value) -> {
            boolean same = switch (key) {
                case PictureText.HIRES, PictureText.RESIZE -> true;
                case PictureText.UPSCALER -> value.equals(PictureText.LATENT);
                case PASS + "steps" -> value.equals("0") || value.equals(said("Steps"));
                case PASS + "sampler" -> value.equals(said("Sampler"));
                case PASS + "schedule type" -> value.equals(said("Schedule type"));
                case PASS + "CFG Scale" -> value.equals(said("CFG scale"));
                default -> !key.startsWith(PASS);
            };
            if (!same) unknown.add("“" + key + ": " + shortened(value) + "”");
        });
        return unknown;
    }

    private String told(String name, String key) {
        String said = said(key);
        return said == null ? "its " + name + ", which it does not say" : "the " + name + " “" + shortened(said) + "”";
    }

    private static String shortened(String value) {
        return value.length() <= SHORT ? value : value.substring(0, SHORT) + "…";
    }

    /// Whether its noise came from the CPU, as here. The web UI draws it on the graphics card unless it says otherwise.
    public boolean saysItsNoise() {
        String version = said("Version");
        return said("RNG") != null || version == null || !WEB_UI.matcher(version).matches();
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
