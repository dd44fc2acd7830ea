package atomstudio.app.subjects;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.dataset.Subject;
import atomstudio.app.dataset.SubjectStore;
import atomstudio.app.generate.AdapterLibrary;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.process.RunSpec;
import atomstudio.app.runs.RunSummary;
import atomstudio.app.services.Services;
import atomstudio.app.trash.Trash;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.collections.FXCollections;
import javafx.collections.ObservableList;

/// The subjects with their pages: loads, adds, deletes and restores them.
public final class SubjectsViewModel {
    private final Services services;
    private final SubjectPageViewModel.SharedModels shared;
    private final ObservableList<SubjectPageViewModel> pages = FXCollections.observableArrayList();
    private final ObservableList<SubjectPageViewModel> pagesView = FXCollections.unmodifiableObservableList(pages);
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");

    public SubjectsViewModel(Services services, SubjectPageViewModel.SharedModels shared) {
        this.services = services;
        this.shared = shared;
    }

    public ObservableList<SubjectPageViewModel> pages() {
        return pagesView;
    }

    /// Why the subjects could not be listed.
    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    public void load() {
        list(found -> pages.addAll(found.stream().map(this::createPage).toList()));
    }

    private void list(Consumer<List<Subject>> onListed) {
        services.jobs()
                .start(text("subjects.listing"), cancellation -> services.stores().subjects().list(), onListed,
                        problem::set);
    }

    private SubjectPageViewModel createPage(Subject subject) {
        return new SubjectPageViewModel(services, shared, subject);
    }

    /// Adds a new subject in front.
    public SubjectPageViewModel add(SubjectStore.ImportResult result) {
        SubjectPageViewModel page = createPage(result.subject());
        page.subject().showRejected(result.rejected());
        guessClassName(page);
        pages.addFirst(page);
        return page;
    }

    /// Sets the class word if the subject's name is a word that the model draws.
    private static void guessClassName(SubjectPageViewModel page) {
        Subject subject = page.subject().subject().get();
        String name = subject.name().replaceFirst("-\\d+$", "");
        if (subject.className().isEmpty())
            page.classWords()
                    .stream()
                    .filter(word -> word.equalsIgnoreCase(name))
                    .findFirst()
                    .ifPresent(page.subject()::setClassName);
    }

    /// Moves a subject and its runs to the trash.
    /// @param onPutBack called when the page is back, after Undo or if it could not be moved
    public void delete(SubjectPageViewModel page, Runnable onPutBack) {
        Subject subject = page.subject().subject().get();
        if (shared.queue().isQueued(subject.name())) {
            shared.deletions()
                    .notices()
                    .showError(text("subjects.is-being-trained-cancel-its-runs", subject.title()));
            return;
        }
        int index = pages.indexOf(page);
        pages.remove(page);
        Trash trash = services.stores().trash();
        services.jobs().start(text("subjects.deleting-the-subject", subject.title()), cancellation -> {
            List<Path> runs = services.stores().runs().list(subject.name()).stream().map(RunSummary::folder).toList();
            return trash.move(text("subjects.subject", subject.title()),
                    Stream.concat(Stream.of(subject.folder()), runs.stream()).toList());
        }, entry -> shared.deletions().offerUndo(entry, () -> putBack(index, page, onPutBack)), message -> {
            shared.deletions().notices().showError(message);
            putBack(index, page, onPutBack);
        });
    }

    private void putBack(int index, SubjectPageViewModel page, Runnable onPutBack) {
        pages.add(Math.min(index, pages.size()), page);
        page.runs().refresh();
        onPutBack.run();
    }

    /// Shows what came back from the trash: subjects, runs and photos.
    public void reload() {
        pages.forEach(page -> {
            page.runs().refresh();
            page.subject().reload();
        });
        list(found -> {
            for (Subject subject : found) if (find(subject.name()).isEmpty()) pages.addFirst(createPage(subject));
        });
    }

    public Optional<SubjectPageViewModel> find(String name) {
        return pages.stream().filter(page -> page.subject().subject().get().name().equals(name)).findFirst();
    }

    /// The display name of a run's subject.
    public String titleOf(RunSpec run) {
        return find(run.subject()).map(page -> page.subject().subject().get().title()).orElse(run.subject());
    }

    /// The adapters of all finished runs on the current model.
    public List<AdapterLibrary.AdapterInfo> runAdapters() {
        ModelSummary model = shared.models().current().get();
        return pages.stream()
                .flatMap(page -> page.runs().runs().stream())
                .filter(run -> run.isDone() && model != null && run.spec().model().equals(model.path()))
                .map(run -> AdapterLibrary.AdapterInfo.of(run, titleOf(run.spec())))
                .toList();
    }
}
