package atomstudio.app.compare;

import atomstudio.app.compare.ComparisonRequest.ComparedSubject;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// The folder of a comparison. `compare.json` is written before the other files, so a folder with one of their names
/// but without `compare.json` belongs to another program and is not overwritten.
record ComparisonFolder(Path folder) {
    private static final String SHEET = "sheet.png";
    private static final String PAGE = "index.html";
    private static final String SCORES = "scores.csv";
    private static final List<String> RESERVED = List.of(SHEET, PAGE, SCORES, "pictures", "subject");

    /// @throws Failure.Conflict unless a comparison of this subject may be written here
    void requireUsable(ComparedSubject subject) throws Failure {
        if (Files.exists(folder) && !Files.isDirectory(folder))
            throw new Failure.Conflict(folder + ": expected a folder or nothing, found a file; choose another --out");
        if (Files.exists(folder.resolve(Comparison.FILE))) {
            Comparison existing = Comparison.read(folder);
            if (!existing.className().equals(subject.className()) || !existing.token().equals(subject.triggerWord())) {
                throw new Failure.Conflict(folder + ": holds a comparison of \"" + existing.token() + " "
                        + existing.className() + "\", not of \""
                        + subject.triggerWord() + " " + subject.className() + "\"; choose another --out");
            }
            return;
        }
        for (String name : RESERVED) {
            if (Files.exists(folder.resolve(name)))
                throw new Failure.Conflict(
                        folder.resolve(name) + ": already exists and belongs to no comparison; choose another --out");
        }
    }

    Path runFolder(String name) {
        return folder.resolve("runs").resolve(name);
    }

    Path sheetFile() {
        return folder.resolve(SHEET);
    }

    Path pageFile() {
        return folder.resolve(PAGE);
    }

    Path scoresFile() {
        return folder.resolve(SCORES);
    }

    Path descriptionFile() {
        return folder.resolve(Comparison.FILE);
    }

    Path imageFile(Comparison.ComparisonRow row, int prompt, long seed) {
        return folder.resolve(Comparison.imagePath(row, prompt, seed));
    }

    /// A run's folder in `compare.json`: relative with forward slashes if inside this folder, else absolute.
    String relativeName(Path run) {
        Path absolute = run.toAbsolutePath().normalize();
        return absolute.startsWith(folder) ? folder.relativize(absolute).toString().replace('\\', '/')
                : absolute.toString();
    }

    void write(Path file, String text) throws Failure {
        AtomicFile.write(file, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
    }
}
