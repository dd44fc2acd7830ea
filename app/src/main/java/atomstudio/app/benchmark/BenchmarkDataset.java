package atomstudio.app.benchmark;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.file.TextFile;
import atomstudio.tuning.data.PhotoFiles;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Subjects with photos, and the prompts: a folder with one folder of photos per subject and `prompts_and_classes.txt`.
/// Source: Ruiz et al. 2022, "DreamBooth", github.com/google/dreambooth.
public record BenchmarkDataset(List<Subject> subjects, PromptLists prompts) {
    private static final String FILE = "prompts_and_classes.txt";
    /// Classes of the published subjects that are prompted with the list for live subjects.
    private static final Set<String> LIVE_CLASSES = Set.of("cat", "dog");
    private static final Pattern CLASS_LINE = Pattern.compile("([\\w-]+),([^,]+)(,live)?");
    private static final Pattern PROMPT_LINE = Pattern.compile("['\"](.+)['\"]\\.format\\(.*");
    private static final String HEADER = "subject_name,class";

    public BenchmarkDataset {
        subjects = List.copyOf(subjects);
    }

    /// @param live   whether it is prompted with the list for live subjects
    /// @param photos the folder with its photos
    public record Subject(String name, String className, boolean live, Path photos) {
        public Subject {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(className, "class");
        }
    }

    /// Prompts with `{}` for the subject.
    public record PromptLists(List<String> objects, List<String> live) {
        public PromptLists {
            objects = List.copyOf(objects);
            live = List.copyOf(live);
        }

        public PromptLists first(int count) {
            return new PromptLists(objects.subList(0, Math.min(count, objects.size())),
                    live.subList(0, Math.min(count, live.size())));
        }

        List<String> of(boolean liveSubject) {
            return liveSubject ? live : objects;
        }
    }

    /// Reads folders. One without `prompts_and_classes.txt` gets the classes of the sample subjects and the published
    /// prompts.
    /// @param chosen names of subjects, or `NAME:CLASS` for folders that the list lacks; empty: all that have a folder
    public static BenchmarkDataset read(List<Path> folders, List<String> chosen) throws Failure {
        Map<String, Subject> found = new LinkedHashMap<>();
        @Nullable PromptLists prompts = null;
        for (Path folder : folders) {
            Listing listing = Listing.of(folder);
            if (prompts != null && !prompts.equals(listing.prompts))
                throw new Failure.Incompatible(folder + ": its prompts differ from those of " + folders.getFirst()
                        + "; benchmark them separately");
            prompts = listing.prompts;
            for (Subject subject : listing.subjects(folder, chosen)) {
                Subject other = found.putIfAbsent(subject.name, subject);
                if (other != null)
                    throw new Failure.Incompatible(subject.photos + ": a second subject named " + subject.name
                            + ", after " + other.photos + "; rename its folder");
            }
        }
        for (String name : chosen) {
            if (!found.containsKey(nameOf(name)))
                throw new Failure.Unreadable("--subjects: " + SafeText.of(name) + ": no such folder in " + folders
                        + ", or its class is unknown (NAME:CLASS); known: " + String.join(", ", found.keySet()));
        }
        if (found.isEmpty())
            throw new Failure.Unreadable(folders + ": expected a folder of photos per subject, named as in " + FILE
                    + ", found none");
        for (Subject subject : found.values()) PhotoFiles.of(subject.photos);
        return new BenchmarkDataset(List.copyOf(found.values()), Objects.requireNonNull(prompts));
    }

    private static String nameOf(String chosen) {
        return chosen.replaceFirst(":.*", "");
    }

    /// The content of a `prompts_and_classes.txt`.
    private record Listing(Map<String, Subject> classes, PromptLists prompts) {
        static Listing of(Path folder) throws Failure {
            if (!Files.isDirectory(folder))
                throw new Failure.Unreadable(folder + ": expected a folder with one folder of photos per subject, "
                        + "found " + (Files.exists(folder) ? "a file" : "nothing"));
            Path file = folder.resolve(FILE);
            return Files.exists(file) ? parse(file.toString(), TextFile.lines(file)) : parse(FILE, sampleLines());
        }

        private static List<String> sampleLines() {
            try (InputStream in = Objects.requireNonNull(BenchmarkDataset.class.getResourceAsStream(FILE));
                    BufferedReader reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
                return reader.lines().map(String::strip).filter(line -> !line.isEmpty()).toList();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static Listing parse(String source, List<String> lines) throws Failure {
            Map<String, Subject> classes = new LinkedHashMap<>();
            int classesStart = lines.indexOf(HEADER) + 1;
            int promptsStart = lines.indexOf("Prompts");
            if (classesStart == 0 || promptsStart < classesStart)
                throw new Failure.Unreadable(source + ": expected the line \"" + HEADER + "\", a line NAME,CLASS per "
                        + "subject and then \"Prompts\", as in the published file");
            for (String line : lines.subList(classesStart, promptsStart)) {
                Matcher match = CLASS_LINE.matcher(line);
                if (!match.matches())
                    throw new Failure.Unreadable(
                            source + ": expected NAME,CLASS or NAME,CLASS,live, found \"" + SafeText.of(line) + "\"");
                String className = match.group(2).strip();
                boolean live = match.group(3) != null || LIVE_CLASSES.contains(className);
                classes.put(match.group(1), new Subject(match.group(1), className, live, Path.of("")));
            }
            return new Listing(classes, new PromptLists(prompts(source, lines, "Object Prompts"),
                    prompts(source, lines, "Live Subject Prompts")));
        }

        private static List<String> prompts(String source, List<String> lines, String title) throws Failure {
            List<String> prompts = new ArrayList<>();
            int start = lines.indexOf(title);
            for (String line : start < 0 ? List.<String>of() : lines.subList(start, lines.size())) {
                if (line.equals("]")) break;
                Matcher match = PROMPT_LINE.matcher(line);
                if (match.matches()) prompts.add(match.group(1).replace("{0} {1}", "{}"));
            }
            if (prompts.isEmpty() || prompts.stream().anyMatch(prompt -> !prompt.contains("{}")))
                throw new Failure.Unreadable(source + ": expected lines like 'a {0} {1} in the snow'.format(…) after \""
                        + title + "\", found " + (prompts.isEmpty() ? "none" : "one without {0} {1}"));
            return prompts;
        }

        /// The subjects with a folder, in the order of the list, then those named with their class.
        List<Subject> subjects(Path folder, List<String> chosen) throws Failure {
            Map<String, Subject> listed = new LinkedHashMap<>(classes);
            for (String name : chosen) {
                int colon = name.indexOf(':');
                if (colon > 0) {
                    String className = name.substring(colon + 1);
                    listed.put(nameOf(name), new Subject(nameOf(name), className, LIVE_CLASSES.contains(className),
                            Path.of("")));
                }
            }
            Set<String> names = new TreeSet<>(chosen.stream().map(BenchmarkDataset::nameOf).toList());
            Set<String> present = folderNames(folder);
            return listed.values()
                    .stream()
                    .filter(subject -> present.contains(subject.name)
                            && (names.isEmpty() || names.contains(subject.name)))
                    .map(subject -> new Subject(subject.name, subject.className, subject.live,
                            folder.resolve(subject.name).toAbsolutePath().normalize()))
                    .toList();
        }

        private static Set<String> folderNames(Path folder) throws Failure {
            try (Stream<Path> children = Files.list(folder)) {
                Set<String> names = new TreeSet<>();
                children.filter(Files::isDirectory).forEach(child -> names.add(child.getFileName().toString()));
                return names;
            } catch (IOException e) {
                throw new Failure.Unreadable(folder + ": cannot be listed: " + e.getMessage(), e);
            }
        }
    }
}
