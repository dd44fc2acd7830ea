package atomstudio.app.pipeline;

import atomstudio.app.runtime.Home;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.PromptPair;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.ops.Adapter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The adapters that a prompt names in A1111's syntax: `<lora:NAME:TE:UNET>`, or `lyco` for `lora`, in any case. NAME
/// is a file in the home's adapter folder, or a run.
/// Source: AUTOMATIC1111's stable-diffusion-webui, extra networks.
/// @param prompt     without the tags
/// @param references the adapters that were found, in their order
/// @param warnings   names that were not found, and syntax that is ignored or read as plain text
public record PromptAdapters(PromptPair prompt, List<AdapterReference> references, List<String> warnings) {
    private static final Pattern TAG = Pattern.compile("<((?i)lora|lyco):([^<>]*+)>");
    private static final Pattern MALFORMED_TAG = Pattern.compile("<\\s*+(?i)(?:lora|lyco)\\s*+:[^<>]*+");
    private static final Pattern UNSUPPORTED_SYNTAX = Pattern.compile("<hypernet:[^<>]*+>|\\bAND\\b",
            Pattern.UNICODE_CHARACTER_CLASS);
    /// Each adapter is held in memory.
    private static final int MAX_ADAPTERS = 100;
    private static final int MAX_WARNINGS = 20;
    private static final int MAX_QUOTE_LENGTH = 80;

    /// An adapter file with its weights in the UNet and in the text encoder.
    public record AdapterReference(Path file, double unetWeight, double textEncoderWeight) {
        public AdapterReference(Path file, double weight) {
            this(file, weight, weight);
        }

        /// The file's adapter with these weights.
        public WeightedAdapter weighted(Adapter adapter) {
            return new WeightedAdapter(adapter, unetWeight, textEncoderWeight);
        }
    }

    public PromptAdapters {
        references = List.copyOf(references);
        warnings = List.copyOf(warnings);
    }

    /// @throws Failure.Incompatible for an invalid weight or too many adapters
    public static PromptAdapters parse(PromptPair prompt, Home home) throws Failure {
        Matcher matcher = TAG.matcher(prompt.positive());
        if (!matcher.find())
            return new PromptAdapters(prompt, List.of(), unsupportedSyntax(prompt.positive(), prompt.negative()));
        TagReader reader = new TagReader(home);
        StringBuilder remaining = new StringBuilder();
        do {
            matcher.appendReplacement(remaining, "");
            reader.read(matcher);
        } while (matcher.find());
        matcher.appendTail(remaining);
        Set<String> warnings = new LinkedHashSet<>(reader.warnings);
        warnings.addAll(unsupportedSyntax(remaining.toString(), prompt.negative()));
        return new PromptAdapters(new PromptPair(remaining.toString(), prompt.negative()), reader.references,
                limited(warnings));
    }

    /// Warnings for syntax of other programs that is read as plain text.
    private static List<String> unsupportedSyntax(String text, String negative) {
        Set<String> warnings = new LinkedHashSet<>();
        Matcher malformed = MALFORMED_TAG.matcher(text);
        while (malformed.find() && warnings.size() <= MAX_WARNINGS) {
            warnings.add(quoted(malformed.group())
                    + " in the prompt is read as plain text: expected <lora:NAME:WEIGHT>, found "
                    + (malformed.end() < text.length() && text.charAt(malformed.end()) == '>' ? "spaces around lora"
                            : "no closing >"));
        }
        Matcher unsupported = UNSUPPORTED_SYNTAX.matcher(text + "\n" + negative);
        while (unsupported.find() && warnings.size() <= MAX_WARNINGS) {
            warnings.add(quoted(unsupported.group()) + " in a prompt is read as plain text: "
                    + (unsupported.group().equals("AND") ? "composed prompts are not supported"
                            : "hypernetworks are not supported"));
        }
        if (MALFORMED_TAG.matcher(negative).find())
            warnings.add("The adapter tag in the negative prompt is read as plain text: put it into the prompt");
        return limited(warnings);
    }

    private static List<String> limited(Set<String> warnings) {
        if (warnings.size() <= MAX_WARNINGS) return List.copyOf(warnings);
        List<String> limited = new ArrayList<>(warnings.stream().limit(MAX_WARNINGS).toList());
        limited.add("More warnings of this kind are not shown.");
        return limited;
    }

    private static String quoted(String text) {
        return text.length() <= MAX_QUOTE_LENGTH ? text : text.substring(0, MAX_QUOTE_LENGTH) + "…";
    }

    /// Whether a prompt contains adapter tags.
    public static boolean hasTags(PromptPair prompt) {
        return TAG.matcher(prompt.positive()).find() || TAG.matcher(prompt.negative()).find();
    }

    /// The tags of one prompt.
    private static final class TagReader {
        private final Home home;
        private final AdapterIndex index;
        private final List<AdapterReference> references = new ArrayList<>();
        private final Set<String> warnings = new LinkedHashSet<>();

        TagReader(Home home) throws Failure {
            this.home = home;
            this.index = AdapterIndex.scan(home);
        }

        void read(Matcher matcher) throws Failure {
            String tag = quoted(matcher.group());
            LoraTag parsed = LoraTag.parse(tag, matcher.group(2));
            List<Path> files = index.find(parsed.name());
            if (parsed.name().isEmpty()) {
                warnings.add(tag + " is ignored: expected a name, as in <lora:NAME:WEIGHT>, found none");
            } else if (files.isEmpty()) {
                warnings.add(notFound(tag, parsed.name()));
            } else {
                if (references.size() == MAX_ADAPTERS)
                    throw new Failure.Incompatible(
                            "the prompt names more than " + MAX_ADAPTERS + " adapters; expected at most that many");
                references.add(new AdapterReference(files.getFirst(), parsed.unetWeight(), parsed.textEncoderWeight()));
                addWarnings(tag, matcher.group(1), parsed, files);
            }
        }

        private String notFound(String tag, String name) {
            List<String> nearest = warnings.size() > MAX_WARNINGS ? List.of() : index.nearest(name);
            return tag + " is ignored: expected a file of that name in " + home.adapters()
                    + ", or a run, found neither" + (nearest.isEmpty() ? "" : ", but " + String.join(", ", nearest))
                    + "; put the file there, or add it as an adapter";
        }

        private void addWarnings(String tag, String kind, LoraTag parsed, List<Path> files) {
            if (!kind.equals("lora") && !kind.equals("lyco"))
                warnings.add(
                        tag + " is read as <" + kind.toLowerCase(Locale.ROOT) + ":…>, the spelling of other programs");
            if (!parsed.ignored().isEmpty()) {
                warnings.add(tag + ": " + quoted(String.join(":", parsed.ignored()))
                        + " is ignored: expected the weight of the text encoder, of the UNet, te= or unet=; per-block "
                        + "weights are not supported");
            }
            if (files.size() > 1)
                warnings.add(tag + " is " + files.getFirst() + "; " + (files.size() - 1)
                        + " more files have that name: write the folder before it, as in <lora:folder/" + parsed.name()
                        + ">");
        }
    }

    /// The content of `<lora:NAME:TE:UNET>`: the first number is the weight in the text encoder, the second in the
    /// UNet, by default the first; `te=` and `unet=` set them by name.
    /// Source: AUTOMATIC1111's stable-diffusion-webui, extra_networks_lora.py.
    /// @param name    stripped; may be empty
    /// @param ignored other items: block weights, and settings of other programs
    record LoraTag(String name, double unetWeight, double textEncoderWeight, List<String> ignored) {
        private static final String TEXT_ENCODER_KEY = "te";
        private static final String UNET_KEY = "unet";
        private static final int MAX_QUOTE_LENGTH = 40;

        /// @param tag  the whole tag, for messages
        /// @param body the text after `lora:`
        /// @throws Failure.Incompatible for a weight that is not a number or out of range
        static LoraTag parse(String tag, String body) throws Failure {
            String[] items = body.split(":", -1);
            List<String> positional = new ArrayList<>();
            Map<String, String> named = new HashMap<>();
            List<String> ignored = new ArrayList<>();
            for (int i = 1; i < items.length; i++) {
                String item = items[i].strip();
                int equals = item.indexOf('=');
                String key = equals < 0 ? "" : item.substring(0, equals).strip().toLowerCase(Locale.ROOT);
                if (key.equals(TEXT_ENCODER_KEY) || key.equals(UNET_KEY))
                    named.put(key, item.substring(equals + 1).strip());
                else
                    if (equals >= 0 || positional.size() == 2
                            || positional.size() == 1 && !item.isEmpty() && parseNumber(item).isEmpty())
                        ignored.add(item);
                    else
                        positional.add(item);
            }
            double first = weight(tag, !positional.isEmpty() ? positional.getFirst() : "", 1);
            double textEncoderWeight = weight(tag, named.getOrDefault(TEXT_ENCODER_KEY, ""), first);
            double unetWeight = weight(tag, positional.size() > 1 ? positional.get(1) : "", textEncoderWeight);
            return new LoraTag(items[0].strip(), weight(tag, named.getOrDefault(UNET_KEY, ""), unetWeight),
                    textEncoderWeight, List.copyOf(ignored));
        }

        private static double weight(String tag, String value, double defaultWeight) throws Failure {
            if (value.isEmpty()) return defaultWeight;
            Optional<Double> weight = parseNumber(value).filter(WeightedAdapter::isValidWeight);
            if (weight.isPresent()) return weight.get();
            throw new Failure.Incompatible("the prompt has " + tag + ": expected a weight of "
                    + -(int) WeightedAdapter.MAX_WEIGHT + " to " + (int) WeightedAdapter.MAX_WEIGHT + ", found "
                    + value.substring(0, Math.min(MAX_QUOTE_LENGTH, value.length())));
        }

        private static Optional<Double> parseNumber(String text) {
            try {
                return Optional.of(Double.parseDouble(text));
            } catch (NumberFormatException notANumber) {
                return Optional.empty();
            }
        }
    }
}
