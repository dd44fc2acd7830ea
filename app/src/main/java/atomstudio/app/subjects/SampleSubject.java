package atomstudio.app.subjects;

import java.nio.file.Path;

/// A subject that comes with the studio. `cover` is one of its pictures.
public record SampleSubject(String name, String className, Path folder, Path cover) {}
