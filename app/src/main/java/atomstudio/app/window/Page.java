package atomstudio.app.window;

import atomstudio.app.generate.GenerateViewModel;
import atomstudio.app.generate.LargeImageViewModel;

/// What the middle of the window shows.
public sealed interface Page {
    /// Where pictures are dropped.
    record Start() implements Page {}

    record OfSubject(SubjectPageViewModel subject) implements Page {}

    /// Pictures of the base model, without a subject.
    record Generate(GenerateViewModel generate, LargeImageViewModel large) implements Page {}

    record Models() implements Page {}

    record Settings() implements Page {}
}
