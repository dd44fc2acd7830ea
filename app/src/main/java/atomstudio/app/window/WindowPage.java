package atomstudio.app.window;

import atomstudio.app.generate.GenerateViewModel;
import atomstudio.app.generate.LargeImageViewModel;
import atomstudio.app.subjects.SubjectPageViewModel;

/// What the middle of the window shows.
public sealed interface WindowPage {
    /// Where pictures are dropped.
    record StartPage() implements WindowPage {}

    record SubjectPage(SubjectPageViewModel subject) implements WindowPage {}

    /// Pictures of the base model, without a subject.
    record Generate(GenerateViewModel generate, LargeImageViewModel largeImage) implements WindowPage {}

    record Models() implements WindowPage {}

    record Settings() implements WindowPage {}
}
