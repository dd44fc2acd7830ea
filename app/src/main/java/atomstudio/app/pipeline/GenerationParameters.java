package atomstudio.app.pipeline;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.Hires;
import atomstudio.diffusion.engine.Generation.PromptPair;
import atomstudio.diffusion.image.Infotext;
import atomstudio.diffusion.image.PngText;
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

/// Generation parameters read from a saved image of this or another program. Missing and unknown values are empty.
public record GenerationParameters(Infotext infotext) {
    private static final int MAX_LENGTH = 1_000_000;
    private static final Pattern SIZE = Pattern.compile("(\\d{1,5})x(\\d{1,5})");

    /// Of values in messages.
    private static final int MAX_QUOTE_LENGTH = 60;
    private static final String HIRES_PREFIX = "Hires ";
    private static final Pattern A1111_VERSION = Pattern.compile("[vf]\\d.{0,60}");
    private static final Pattern ADAPTER_KEY = Pattern.compile("Adapter(?: \\d{1,9})?(?: strength)?");
    private static final Set<String> KNOWN_KEYS = Set.of("Steps", "Sampler", "Schedule type", "CFG scale", "Seed",
            "Size", "Model", "Clip skip", "RNG", GenerationInfotext.ETA, GenerationInfotext.ETA_DDIM,
            GenerationInfotext.CFG_RESCALE, GenerationInfotext.PREDICTION, GenerationInfotext.DENOISING_STRENGTH,
            GenerationInfotext.INPAINT_AREA, GenerationInfotext.SOURCE_IMAGE);
    /// Hashes and notes, which do not affect the image.
    private static final Set<String> IGNORED_KEYS = Set.of("Version", "Model hash", "Lora hashes", "TI hashes",
            "Hashes", "VAE hash", "User", "Created Date", "Civitai resources", "Civitai metadata",
            "Template", "Negative Template");

    /// Width and height in pixels.
    public record ImageSize(int width, int height) {}

    /// Empty for an image without generation parameters.
    /// @throws Failure.Unreadable if it is not a PNG file, or its text is too long
    public static Optional<GenerationParameters> read(Path png) throws Failure {
        String text = PngText.read(png).get(Infotext.PNG_KEYWORD);
        if (text == null) return Optional.empty();
        if (text.length() > MAX_LENGTH)
            throw new Failure.Unreadable(png + ": expected generation parameters of at most " + MAX_LENGTH
                    + " characters, found " + text.length() + " in its text " + Infotext.PNG_KEYWORD);
        Infotext parsed = Infotext.parse(text);
        return parsed.settings().isEmpty() ? Optional.empty() : Optional.of(new GenerationParameters(parsed));
    }

    public PromptPair prompt() {
        return new PromptPair(infotext.prompt(), infotext.negativePrompt());
    }

    /// The model's name, as declared or from its file.
    public Optional<String> model() {
        return Optional.ofNullable(setting("Model"));
    }

    /// Older programs append the schedule: `DPM++ 2M Karras`.
    public Optional<SamplerName> sampler() {
        String value = setting("Sampler");
        if (value == null) return Optional.empty();
        return Stream.of(SamplerName.values())
                .filter(name -> value.equals(name.title()) || scheduleSuffix(value, name).isPresent())
                .findFirst();
    }

    /// Only schedules that mean the same in other programs.
    public Optional<ScheduleName> schedule() {
        String value = setting("Schedule type");
        if (value != null)
            return Stream.of(ScheduleName.values()).filter(name -> value.equals(name.title())).findFirst();
        String sampler = setting("Sampler");
        if (sampler == null) return Optional.empty();
        return Stream.of(SamplerName.values()).flatMap(name -> scheduleSuffix(sampler, name).stream()).findFirst();
    }

    private static Optional<ScheduleName> scheduleSuffix(String samplerText, SamplerName sampler) {
        return Stream.of(ScheduleName.values())
                .filter(schedule -> samplerText.equals(sampler.title() + " " + schedule.title()))
                .findFirst();
    }

    public OptionalInt steps() {
        OptionalDouble number = number("Steps");
        return number.isPresent() && number.getAsDouble() >= 1 ? OptionalInt.of((int) number.getAsDouble())
                : OptionalInt.empty();
    }

    public OptionalDouble guidanceScale() {
        return number("CFG scale");
    }

    public OptionalDouble guidanceRescale() {
        return number(GenerationInfotext.CFG_RESCALE);
    }

    public OptionalDouble eta() {
        return Stream.of(number(GenerationInfotext.ETA), number(GenerationInfotext.ETA_DDIM))
                .filter(OptionalDouble::isPresent)
                .findFirst()
                .orElse(OptionalDouble.empty());
    }

    public Optional<PredictionType> prediction() {
        String value = setting(GenerationInfotext.PREDICTION);
        return value == null ? Optional.empty()
                : Stream.of(PredictionType.values())
                        .filter(name -> name.name().toLowerCase(Locale.ROOT).equals(value))
                        .findFirst();
    }

    public OptionalLong seed() {
        String value = setting("Seed");
        return value == null ? OptionalLong.empty() : Seed.parse(value);
    }

    public Optional<ImageSize> size() {
        return size("Size");
    }

    private Optional<ImageSize> size(String key) {
        Matcher matcher = SIZE.matcher(setting(key) == null ? "" : setting(key));
        return matcher.matches()
                ? Optional.of(new ImageSize(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2))))
                : Optional.empty();
    }

    public OptionalInt clipSkip() {
        OptionalDouble number = number("Clip skip");
        return number.isPresent() && number.getAsDouble() >= 1 ? OptionalInt.of((int) number.getAsDouble())
                : OptionalInt.empty();
    }

    public Optional<Hires> hires() {
        OptionalDouble scale = number(GenerationInfotext.HIRES_UPSCALE).isPresent()
                ? number(GenerationInfotext.HIRES_UPSCALE)
                : hiresScaleFromSizes();
        OptionalDouble denoisingStrength = number(GenerationInfotext.DENOISING_STRENGTH);
        return scale.isPresent() && denoisingStrength.isPresent()
                ? Optional.of(new Hires(scale.getAsDouble(), denoisingStrength.getAsDouble()))
                : Optional.empty();
    }

    /// The scale of a second pass that is given by its size; empty if its aspect ratio differs. A side of 0 follows
    /// from the other.
    private OptionalDouble hiresScaleFromSizes() {
        Optional<ImageSize> baseSize = size();
        Optional<ImageSize> targetSize = size(GenerationInfotext.HIRES_RESIZE);
        if (baseSize.isEmpty() || targetSize.isEmpty() || baseSize.get().width == 0 || baseSize.get().height == 0)
            return OptionalDouble.empty();
        double scaleX = (double) targetSize.get().width / baseSize.get().width;
        double scaleY = (double) targetSize.get().height / baseSize.get().height;
        if (scaleX == 0 && scaleY == 0 || scaleX != 0 && scaleY != 0 && scaleX != scaleY) return OptionalDouble.empty();
        return OptionalDouble.of(Math.max(scaleX, scaleY));
    }

    /// Of image to image, or of the second pass.
    public OptionalDouble denoisingStrength() {
        return number(GenerationInfotext.DENOISING_STRENGTH);
    }

    /// Whether it started from a source image, which the file does not contain.
    public boolean isImageToImage() {
        return sourceImageName().isPresent()
                || denoisingStrength().isPresent() && number(GenerationInfotext.HIRES_UPSCALE).isEmpty()
                        && setting(GenerationInfotext.HIRES_RESIZE) == null;
    }

    /// File name of the source image; images of other programs have none.
    public Optional<String> sourceImageName() {
        return Optional.ofNullable(setting(GenerationInfotext.SOURCE_IMAGE));
    }

    /// Whether it was inpainted.
    public boolean isMasked() { return setting(GenerationInfotext.INPAINT_AREA) != null; }

    /// In their order, with their weights.
    public List<Infotext.AdapterEntry> adapters() {
        return infotext.adapters();
    }

    /// Parameters that are missing, or that cannot be reproduced here.
    public List<String> unsupported() {
        List<String> unsupported = new ArrayList<>();
        if (sampler().isEmpty()) unsupported.add(describe("sampler", "Sampler"));
        else
            if (setting("Schedule type") != null && schedule().isEmpty())
                unsupported.add(describe("schedule", "Schedule type"));
        if (steps().isEmpty()) unsupported.add(describe("number of steps", "Steps"));
        if (guidanceScale().isEmpty()) unsupported.add(describe("CFG scale", "CFG scale"));
        if (seed().isEmpty()) unsupported.add(describe("seed", "Seed"));
        if (size().isEmpty()) unsupported.add(describe("size", "Size"));
        if (setting(GenerationInfotext.PREDICTION) != null && prediction().isEmpty())
            unsupported.add(describe("prediction", GenerationInfotext.PREDICTION));
        unsupported.addAll(unsupportedHires());
        infotext.settings().forEach((key, value) -> {
            if (!KNOWN_KEYS.contains(key) && !IGNORED_KEYS.contains(key) && !ADAPTER_KEY.matcher(key).matches()
                    && !key.startsWith(HIRES_PREFIX))
                unsupported.add("“" + key + ": " + abbreviated(value) + "”");
        });
        if (setting("RNG") != null && !setting("RNG").equals("CPU"))
            unsupported.add("the noise of “RNG: " + abbreviated(setting("RNG")) + "”");
        return unsupported;
    }

    private List<String> unsupportedHires() {
        List<String> unsupported = new ArrayList<>();
        boolean hasHiresPass = number(GenerationInfotext.HIRES_UPSCALE).isPresent()
                || setting(GenerationInfotext.HIRES_RESIZE) != null;
        if (hasHiresPass && hires().isEmpty())
            unsupported.add("the second pass" + (setting(GenerationInfotext.HIRES_RESIZE) == null ? ""
                    : " to " + abbreviated(setting(GenerationInfotext.HIRES_RESIZE))));
        infotext.settings().forEach((key, value) -> {
            boolean supported = switch (key) {
                case GenerationInfotext.HIRES_UPSCALE, GenerationInfotext.HIRES_RESIZE -> true;
                case GenerationInfotext.HIRES_UPSCALER -> value.equals(GenerationInfotext.LATENT_UPSCALER);
                case HIRES_PREFIX + "steps" -> value.equals("0") || value.equals(setting("Steps"));
                case HIRES_PREFIX + "sampler" -> value.equals(setting("Sampler"));
                case HIRES_PREFIX + "schedule type" -> value.equals(setting("Schedule type"));
                case HIRES_PREFIX + "CFG Scale" -> value.equals(setting("CFG scale"));
                default -> !key.startsWith(HIRES_PREFIX);
            };
            if (!supported) unsupported.add("“" + key + ": " + abbreviated(value) + "”");
        });
        return unsupported;
    }

    private String describe(String name, String key) {
        String value = setting(key);
        return value == null ? "its " + name + ", which is missing"
                : "the " + name + " “" + abbreviated(value) + "”";
    }

    private static String abbreviated(String value) {
        return value.length() <= MAX_QUOTE_LENGTH ? value : value.substring(0, MAX_QUOTE_LENGTH) + "…";
    }

    /// Whether its noise was drawn on the CPU, as here. A1111 draws it on the GPU by default.
    public boolean hasCpuNoise() {
        String version = setting("Version");
        return setting("RNG") != null || version == null || !A1111_VERSION.matcher(version).matches();
    }

    private @Nullable String setting(String key) {
        return infotext.settings().get(key);
    }

    private OptionalDouble number(String key) {
        String text = setting(key);
        try {
            double number = text == null ? Double.NaN : Double.parseDouble(text);
            return Double.isFinite(number) ? OptionalDouble.of(number) : OptionalDouble.empty();
        } catch (NumberFormatException notANumber) {
            return OptionalDouble.empty();
        }
    }
}
