package atomstudio.app.compare;

import atomstudio.app.compare.ComparisonRequest.Subject;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.AtomicFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// The folder of a comparison. What somebody else put there is never written over: `compare.json` is written before anything else
/// that has a fixed name, so a folder without it that has one of these names is not ours.
record Destination(Path folder) {
    private static final String SHEET = "sheet.png";
    private static final String PAGE = "index.html";
    private static final List<String> FIXED = List.of(SHEET, PAGE, "pictures", "subject");

    /// Checks that a comparison of this subject may be written here.
    void check(Subject subject) throws Failure {
        if (Files.exists(folder) && !Files.isDirectory(folder)) throw new Failure.Occupied(folder + ": expected a folder or nothing, found a file; choose another --out");
        if (Files.exists(folder.resolve(Comparison.FILE))) {
            Comparison there = Comparison.read(folder);
            if (!there.className().equals(subject.className()) || !there.token().equals(subject.token())) {
                throw new Failure.Occupied(folder + ": holds a comparison of \"" + there.token() + " " + there.className() + "\", not of \""
                    + subject.token() + " " + subject.className() + "\"; choose another --out");
            }
            return;
        }
        for (String name : FIXED) {
            if (Files.exists(folder.resolve(name))) throw new Failure.Occupied(folder.resolve(name) + ": is there already and belongs to no comparison; choose another --out");
        }
    }

    Path run(String name) {
        return folder.resolve("runs").resolve(name);
    }

    Path sheet() {
        return folder.resolve(SHEET);
    }

    Path page() {
        return folder.resolve(PAGE);
    }

    Path description() {
        return folder.resolve(Comparison.FILE);
    }

    Path picture(Comparison.Row row, int prompt, long seed) {
        return folder.resolve(Comparison.picture(row, prompt, seed));
    }

    /// How a run's folder is named in `compare.json`: relative, with forward slashes, where it lies inside.
    String named(Path run) {
        Path absolute = run.toAbsolutePath().normalize();
        return absolute.startsWith(folder) ? folder.relativize(absolute).toString().replace('\\', '/') : absolute.toString();
    }

    void write(Path file, String text) throws Failure {
        AtomicFile.write(file, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
    }
}
