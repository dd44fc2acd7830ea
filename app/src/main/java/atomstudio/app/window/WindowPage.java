package atomstudio.app.window;

import atomstudio.app.gallery.LargeImageViewModel;
import atomstudio.app.generate.GenerateViewModel;
import atomstudio.app.subjects.SubjectPageViewModel;

/// The page in the center of the window.
public sealed interface WindowPage {
    record StartPage() implements WindowPage {}

    record SubjectPage(SubjectPageViewModel subject) implements WindowPage {}

    /// Generation without a subject.
    record GeneratePage(GenerateViewModel generate, LargeImageViewModel largeImage) implements WindowPage {}

    record ScreenPage(Screen screen) implements WindowPage {}
}
