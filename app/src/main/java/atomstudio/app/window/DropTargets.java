package atomstudio.app.window;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.generate.GenerateViewModel;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.models.ModelFolderReader;
import atomstudio.app.pipeline.GenerationParameters;
import atomstudio.app.runtime.Home;
import atomstudio.app.subjects.SubjectPageViewModel;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.PngAttachment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;

/// What can be done with files that are dragged over the window, only what fits them, and what a drop beside the
/// targets does.
final class DropTargets {
    private static final int MAX_SUBJECTS = 3;

    private final Jobs jobs;
    private final WindowViewModel window;
    private final ReadOnlyObjectWrapper<List<DropTarget>> shown = new ReadOnlyObjectWrapper<>(List.of());
    private List<Path> dragged = List.of();

    enum DropKind { NEW_SUBJECT, SUBJECT, SOURCE, SETTINGS, MODEL, ADAPTER, PROVIDER }

    /// @param run what a drop there does
    record DropTarget(DropKind kind, String title, Runnable run) {}

    /// What the files are.
    /// @param hasSettings a single image with generation settings
    private record FileContents(boolean areModels, boolean areAdapters, boolean areImages, boolean areFolders,
            boolean hasSettings) {
        static FileContents read(List<Path> files) throws Failure {
            boolean models = true, adapters = true, images = true, folders = true;
            for (Path file : files) {
                String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
                boolean isModel = isModel(file);
                models &= isModel;
                adapters &= !isModel && (name.matches(".*\\.(safetensors|pt|bin|ckpt|pth)") || hasAdapter(file, name));
                images &= name.matches(".*\\.(png|jpe?g|webp|bmp|gif|tiff?)");
                folders &= !isModel && Files.isDirectory(file);
            }
            boolean single = files.size() == 1;
            return new FileContents(models && single, adapters, images, folders,
                    single && images && GenerationParameters.read(files.getFirst()).isPresent());
        }

        /// A damaged file is reported where it is used.
        private static boolean isModel(Path file) {
            try {
                return ModelFolderReader.isModel(file);
            } catch (Failure damaged) {
                return false;
            }
        }

        private static boolean hasAdapter(Path file, String name) throws Failure {
            return name.endsWith(".png") && Files.isRegularFile(file) && !PngAttachment.read(file).isEmpty();
        }
    }

    DropTargets(Jobs jobs, WindowViewModel window) {
        this.jobs = jobs;
        this.window = window;
    }

    /// Two or more targets to choose from; none while nothing is dragged, or if a drop has one meaning.
    ReadOnlyObjectProperty<List<DropTarget>> shown() {
        return shown.getReadOnlyProperty();
    }

    /// Files are over the window.
    void enter(List<Path> files) {
        if (files.equals(dragged)) return;
        dragged = List.copyOf(files);
        find(files, found -> {
            if (files.equals(dragged)) shown.set(found.size() > 1 ? found : List.of());
        });
    }

    /// They have left it, or were dropped.
    void exit() {
        dragged = List.of();
        shown.set(List.of());
    }

    /// Calls the listener with what fits the files; with nothing if they cannot be read.
    void find(List<Path> files, Consumer<List<DropTarget>> listener) {
        jobs.start(text("window.reading-files", files.size()), cancellation -> FileContents.read(files),
                contents -> listener.accept(targets(files, contents)), unreadable -> listener.accept(List.of()));
    }

    private List<DropTarget> targets(List<Path> files, FileContents contents) {
        List<DropTarget> targets = new ArrayList<>();
        if (contents.areModels)
            targets.add(new DropTarget(DropKind.MODEL, text("window.drop.model"), () -> openModel(files.getFirst())));
        if (contents.areImages || contents.areFolders) {
            targets.add(new DropTarget(DropKind.NEW_SUBJECT, text("window.drop.new-subject"), () -> {
                window.newSubject();
                window.start().createFromFiles(files);
            }));
            for (SubjectPageViewModel subject : subjects())
                targets.add(new DropTarget(DropKind.SUBJECT,
                        text("window.drop.subject", subject.subject().subject().get().title()), () -> {
                            window.open(subject);
                            subject.subject().add(files);
                        }));
        }
        if (contents.areImages && files.size() == 1)
            targets.add(new DropTarget(DropKind.SOURCE, text("window.drop.source"),
                    () -> generate().source().setImage(files.getFirst())));
        if (contents.hasSettings)
            targets.add(new DropTarget(DropKind.SETTINGS, text("window.drop.settings"),
                    () -> restoreOrUse(files)));
        if (contents.areAdapters)
            targets.add(new DropTarget(DropKind.ADAPTER, text("window.drop.adapter"),
                    () -> generatePage().adapters().add(files)));
        if (files.size() == 1 && files.getFirst().getFileName().toString().endsWith(".whl"))
            targets.add(new DropTarget(DropKind.PROVIDER, text("window.drop.provider"), () -> {
                window.open(Screen.SETTINGS);
                window.devices().add(files.getFirst());
            }));
        return targets;
    }

    /// The subject that is shown, or else the first ones.
    private List<SubjectPageViewModel> subjects() {
        if (window.page().get() instanceof WindowPage.SubjectPage(SubjectPageViewModel subject))
            return List.of(subject);
        return window.subjects().pages().stream().limit(MAX_SUBJECTS).toList();
    }

    /// Handles files dropped anywhere on the window. A model is opened; a single PNG with generation settings restores
    /// them.
    void drop(List<Path> files) {
        find(files, targets -> {
            if (targets.size() != 1) restoreOrUse(files);
            else switch (targets.getFirst().kind()) {
                case ADAPTER, PROVIDER, MODEL -> targets.getFirst().run().run();
                default -> restoreOrUse(files);
            }
        });
    }

    /// A file that cannot be read is reported where it is used as an image.
    private void restoreOrUse(List<Path> files) {
        if (files.size() != 1) {
            use(files);
            return;
        }
        Path file = files.getFirst();
        jobs.start(text("window.reading", file),
                cancellation -> PngInfo.read(file, new Home(window.home()).adapters()),
                info -> info.ifPresentOrElse(window.imageActions()::restore, () -> use(files)), message -> use(files));
    }

    /// On a subject's page, adds photos; on the Generate page, a single image becomes the source of image to image;
    /// elsewhere, creates a subject.
    private void use(List<Path> files) {
        switch (window.page().get()) {
            case WindowPage.SubjectPage(SubjectPageViewModel subject) -> {
                subject.openTab(SubjectPageViewModel.PageTab.PHOTOS);
                subject.subject().add(files);
            }
            case WindowPage.GeneratePage page when files.size() == 1 ->
                    page.generate().source().setImage(files.getFirst());
            default -> {
                window.newSubject();
                window.start().createFromFiles(files);
            }
        }
    }

    private void openModel(Path file) {
        window.openModels();
        window.models().open(file);
    }

    private GenerateViewModel generate() {
        return window.shownGenerate().orElseGet(this::generatePage);
    }

    private GenerateViewModel generatePage() {
        window.openGenerate();
        return window.shownGenerate().orElseThrow();
    }
}
