package atomstudio.app.jobs;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Applied;
import atomstudio.diffusion.engine.Generation.Prompt;
import atomstudio.diffusion.ops.Adapter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Adapters that a prompt asks for by name, as A1111's web UI has it: `<lora:NAME:TE:UNET>`, `lyco` for `lora` as there, in any case.
/// NAME is a file among the home's adapters, or a run's folder.
/// Source: AUTOMATIC1111's stable-diffusion-webui, extra networks.
/// @param prompt what is left for the text encoder
/// @param named  those that were found, in their order
/// @param notes  what was not found, and what else of that program's language is left out or read as plain text
public record PromptAdapters(Prompt prompt, List<Named> named, List<String> notes) {
    private static final Pattern TAG = Pattern.compile("<((?i)lora|lyco):([^<>]*+)>");
    private static final Pattern OPEN = Pattern.compile("<\\s*+(?i)(?:lora|lyco)\\s*+:[^<>]*+");
    private static final Pattern UNREAD = Pattern.compile("<hypernet:[^<>]*+>|\\bAND\\b", Pattern.UNICODE_CHARACTER_CLASS);
    /// Nobody uses so many; each is read and held in memory.
    private static final int MOST = 100;
    private static final int MOST_NOTES = 20;
    private static final int LONGEST_QUOTE = 80;

    /// @param unet the weight in the UNet, `text` in the text encoder
    public record Named(Path file, double unet, double text) {
        public Named(Path file, double weight) {
            this(file, weight, weight);
        }

        /// The file's adapter at these weights.
        public Applied apply(Adapter adapter) {
            return new Applied(adapter, unet, text);
        }
    }

    public PromptAdapters {
        named = List.copyOf(named);
        notes = List.copyOf(notes);
    }

    /// @throws Failure.Incompatible for a weight that is none, or too many adapters
    public static PromptAdapters of(Prompt prompt, Home home) throws Failure {
        Matcher tag = TAG.matcher(prompt.text());
        if (!tag.find()) return new PromptAdapters(prompt, List.of(), plain(prompt.text(), prompt.negative()));
        Reading reading = new Reading(home);
        StringBuilder rest = new StringBuilder();
        do {
            tag.appendReplacement(rest, "");
            reading.read(tag);
        } while (tag.find());
        tag.appendTail(rest);
        Set<String> notes = new LinkedHashSet<>(reading.notes);
        notes.addAll(plain(rest.toString(), prompt.negative()));
        return new PromptAdapters(new Prompt(rest.toString(), prompt.negative()), reading.named, few(notes));
    }

    /// What of other programs' language is read as plain text.
    private static List<String> plain(String text, String negative) {
        Set<String> notes = new LinkedHashSet<>();
        Matcher open = OPEN.matcher(text);
        while (open.find() && notes.size() <= MOST_NOTES) {
            notes.add(quoted(open.group()) + " in the prompt is read as plain text: expected <lora:NAME:WEIGHT>, found " + (open.end() < text.length() && text.charAt(open.end()) == '>' ? "blanks around lora" : "no > behind it"));
        }
        Matcher unread = UNREAD.matcher(text + "\n" + negative);
        while (unread.find() && notes.size() <= MOST_NOTES) {
            notes.add(quoted(unread.group()) + " in a prompt is read as plain text: " + (unread.group().equals("AND") ? "prompts are not composed" : "hypernetworks are not built"));
        }
        if (OPEN.matcher(negative).find()) notes.add("An adapter that the negative prompt names is read as plain text: name it in the prompt");
        return few(notes);
    }

    private static List<String> few(Set<String> notes) {
        if (notes.size() <= MOST_NOTES) return List.copyOf(notes);
        List<String> few = new ArrayList<>(notes.stream().limit(MOST_NOTES).toList());
        few.add("The prompt has more of this kind that is left out or read as plain text.");
        return few;
    }

    private static String quoted(String text) {
        return text.length() <= LONGEST_QUOTE ? text : text.substring(0, LONGEST_QUOTE) + "…";
    }

    /// Whether a prompt asks for adapters at all.
    public static boolean names(Prompt prompt) {
        return TAG.matcher(prompt.text()).find() || TAG.matcher(prompt.negative()).find();
    }

    /// The tags of one prompt.
    private static final class Reading {
        private final Home home;
        private final AdapterNames names;
        private final List<Named> named = new ArrayList<>();
        private final Set<String> notes = new LinkedHashSet<>();

        Reading(Home home) throws Failure {
            this.home = home;
            this.names = AdapterNames.of(home);
        }

        void read(Matcher found) throws Failure {
            String tag = quoted(found.group());
            AdapterTag said = AdapterTag.read(tag, found.group(2));
            List<Path> files = names.find(said.name());
            if (said.name().isEmpty()) {
                notes.add(tag + " is left out: expected a name, as in <lora:NAME:WEIGHT>, found none");
            } else if (files.isEmpty()) {
                notes.add(missing(tag, said.name()));
            } else {
                if (named.size() == MOST) throw new Failure.Incompatible("the prompt names more than " + MOST + " adapters; expected at most so many");
                named.add(new Named(files.getFirst(), said.unet(), said.text()));
                tell(tag, found.group(1), said, files);
            }
        }

        private String missing(String tag, String name) {
            List<String> nearest = notes.size() > MOST_NOTES ? List.of() : names.nearest(name);
            return tag + " is left out: expected a file of that name in " + home.adapters() + ", or a run, found neither" + (nearest.isEmpty() ? "" : ", but " + String.join(", ", nearest))
                    + "; put it there, or give it with --adapter FILE --strength X (in the window: Generate only, + adapter)";
        }

        private void tell(String tag, String kind, AdapterTag said, List<Path> files) {
            if (!kind.equals("lora") && !kind.equals("lyco")) notes.add(tag + " is read as <" + kind.toLowerCase(Locale.ROOT) + ":…>, as which other programs know it");
            if (!said.leftOut().isEmpty()) {
                notes.add(tag + ": " + quoted(String.join(":", said.leftOut())) + " is left out, and the adapter is applied whole: expected the text encoder's weight, the UNet's, te= or unet=; weights of single blocks are not built");
            }
            if (files.size() > 1) notes.add(tag + " is " + files.getFirst() + "; " + (files.size() - 1) + " more of that name: write its folders before it, as in <lora:folder/" + said.name() + ">");
        }
    }
}
