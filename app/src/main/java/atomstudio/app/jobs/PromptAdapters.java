package atomstudio.app.jobs;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.Prompt;
import atomstudio.tuning.train.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Adapters that a prompt asks for by name, as A1111's web UI has it: `<lora:NAME:STRENGTH>`. NAME is a file among the home's adapters, or a run's folder.
/// Source: AUTOMATIC1111's stable-diffusion-webui, extra networks.
/// @param prompt what is left for the text encoder
/// @param named  those that were found, in their order
/// @param notes  what was not found, and what else of that program's language is read as plain text
public record PromptAdapters(Prompt prompt, List<Named> named, List<String> notes) {
    private static final Pattern TAG = Pattern.compile("<(?:lora|lyco):([^:<>]+)(?::([^<>]*))?>");
    private static final Pattern UNREAD = Pattern.compile("<hypernet:[^<>]*>|\\bAND\\b", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern FILE = Pattern.compile("(?i)\\.(safetensors|pt|bin|ckpt|pth)$");
    private static final double MOST = 2;
    /// Adapters that came in pictures lie in a folder each.
    private static final int DEPTH = 2;

    public record Named(Path file, double strength) {}

    public PromptAdapters {
        named = List.copyOf(named);
        notes = List.copyOf(notes);
    }

    /// @throws Failure.Incompatible for a strength that is none
    public static PromptAdapters of(Prompt prompt, Home home) throws Failure {
        List<Named> named = new ArrayList<>();
        Set<String> notes = new LinkedHashSet<>();
        Matcher tag = TAG.matcher(prompt.text());
        StringBuilder rest = new StringBuilder();
        while (tag.find()) {
            tag.appendReplacement(rest, "");
            double strength = strength(tag.group(), tag.group(2));
            find(tag.group(1).strip(), home).ifPresentOrElse(file -> named.add(new Named(file, strength)), () -> notes.add(tag.group() + " is left out: expected a file of that name in "
                + home.adapters() + ", or a run, found neither; put it there, or give it with --adapter FILE --strength X (in the window: Generate only, + adapter)"));
        }
        tag.appendTail(rest);
        Matcher unread = UNREAD.matcher(rest + "\n" + prompt.negative());
        while (unread.find()) notes.add(unread.group() + " in a prompt is read as plain text: " + (unread.group().equals("AND") ? "prompts are not composed" : "hypernetworks are not built"));
        if (TAG.matcher(prompt.negative()).find()) notes.add("An adapter that the negative prompt names is read as plain text: name it in the prompt");
        return new PromptAdapters(named.isEmpty() && notes.isEmpty() ? prompt : new Prompt(rest.toString(), prompt.negative()), named, List.copyOf(notes));
    }

    /// Whether a prompt asks for adapters at all.
    public static boolean names(Prompt prompt) {
        return TAG.matcher(prompt.text()).find() || TAG.matcher(prompt.negative()).find();
    }

    /// A second number is for the text encoder alone there.
    private static double strength(String tag, String said) throws Failure {
        if (said == null || said.isBlank()) return 1;
        String first = said.split(":")[0].strip();
        try {
            double strength = Double.parseDouble(first);
            if (strength >= 0 && strength <= MOST) return strength;
        } catch (NumberFormatException noNumber) {
            // Said below.
        }
        throw new Failure.Incompatible("the prompt has " + tag + ": expected a strength of 0 to 2, found " + first);
    }

    /// Names are compared, never followed.
    private static Optional<Path> find(String name, Home home) throws Failure {
        try (Stream<Path> files = walk(home.adapters(), DEPTH); Stream<Path> runs = walk(home.runs(), 1)) {
            Stream<Path> kept = files.filter(file -> FILE.matcher(file.getFileName().toString()).find() && FILE.matcher(file.getFileName().toString()).replaceFirst("").equals(name));
            Stream<Path> made = runs.filter(run -> run.getFileName().toString().equals(name)).map(run -> new RunFolder(run).adapter());
            return Stream.concat(kept, made).filter(Files::isRegularFile).sorted().findFirst();
        } catch (IOException e) {
            throw new Failure.Unreadable(home.adapters() + ": cannot be listed: " + e.getMessage(), e);
        }
    }

    private static Stream<Path> walk(Path folder, int depth) throws IOException {
        return Files.isDirectory(folder) ? Files.walk(folder, depth) : Stream.empty();
    }
}
