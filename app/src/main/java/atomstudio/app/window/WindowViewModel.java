package atomstudio.app.window;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.generate.GenerateViewModel;
import atomstudio.app.generate.LargeImageViewModel;
import atomstudio.app.generate.PngInfo;
import atomstudio.app.jobs.Home;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.models.ModelsViewModel;
import atomstudio.app.subjects.SampleSubject;
import atomstudio.app.subjects.StartViewModel;
import atomstudio.app.subjects.Subject;
import atomstudio.app.subjects.SubjectStore;
import atomstudio.app.tune.RunProgress;
import atomstudio.app.tune.RunQueue;
import atomstudio.app.tune.RunSpec;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.beans.property.SimpleObjectProperty;
import javafx.collections.FXCollections;
import javafx.collections.ObservableList;

/// The window: its pages, the subjects in the sidebar, and the bottom line.
public final class WindowViewModel {
    private final Services services;
    private final ModelsViewModel models;
    private final RunQueue queue;
    private final StartViewModel start;
    private final ClosingViewModel closing;
    private final Page.Generate generatePage;
    private final ObservableList<SubjectPageViewModel> subjects = FXCollections.observableArrayList();
    private final ObservableList<SubjectPageViewModel> subjectsView = FXCollections.unmodifiableObservableList(subjects);
    private final ReadOnlyObjectWrapper<Page> page = new ReadOnlyObjectWrapper<>(new Page.Start());
    private final ReadOnlyStringWrapper status = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper machine = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");
    private final PreferencesViewModel preferences;

    public WindowViewModel(Services services) {
        this.services = services;
        Services.Surroundings around = services.surroundings();
        models = new ModelsViewModel(services.jobs(), services.stores().models(), around.settings(), around.choosers(), around.desktop());
        queue = new RunQueue(services.jobs(), services.engines().tuner());
        closing = new ClosingViewModel(services.jobs(), queue, services.stores().runs());
        start = new StartViewModel(services.jobs(), services.stores().subjects(), around.choosers(), models.current(), new StartViewModel.Navigation(this::created, this::openModels, this::openGenerate));
        GenerateViewModel generate = new GenerateViewModel(services.jobs(), new GenerateViewModel.GenerationServices(services.engines().maker(), services.engines().judge(), around.choosers()), around.clock(), models.current(), new SimpleObjectProperty<>());
        generatePage = new Page.Generate(generate, new LargeImageViewModel(services.jobs(), around.choosers(), around.desktop(), generate));
        preferences = new PreferencesViewModel(around.settings(), around.choosers(), this::forgetPictures);
        queue.current().subscribe(now -> describe());
        queue.progress().subscribe(now -> describe());
        page.subscribe(now -> describe());
        follow(generate);
    }

    /// Reads what is on disk. Called once, when the window is there.
    public void load() {
        models.load();
        refreshMachine();
        services.jobs().start("Finding the samples", cancellation -> services.stores().samples().list(), outcome -> {
            switch (outcome) {
                case JobOutcome.Succeeded<List<SampleSubject>>(List<SampleSubject> samples) -> start.setSamples(samples);
                case JobOutcome.Failed<List<SampleSubject>>(String message) -> problem.set(message);
                case JobOutcome.Cancelled<List<SampleSubject>>() -> {}
            }
        });
        services.jobs().start("Listing the subjects", cancellation -> services.stores().subjects().list(), outcome -> {
            switch (outcome) {
                case JobOutcome.Succeeded<List<Subject>>(List<Subject> found) -> subjects.addAll(found.stream().map(this::pageOf).toList());
                case JobOutcome.Failed<List<Subject>>(String message) -> problem.set(message);
                case JobOutcome.Cancelled<List<Subject>>() -> {}
            }
        });
    }

    private SubjectPageViewModel pageOf(Subject subject) {
        SubjectPageViewModel made = new SubjectPageViewModel(services, models, queue, subject);
        follow(made.generate());
        return made;
    }

    private void follow(GenerateViewModel generate) {
        generate.busy().subscribe(now -> describe());
        generate.report().subscribe(now -> describe());
    }

    public ModelsViewModel models() {
        return models;
    }

    public RunQueue queue() {
        return queue;
    }

    public StartViewModel start() {
        return start;
    }

    public ClosingViewModel closing() {
        return closing;
    }

    public ObservableList<SubjectPageViewModel> subjects() {
        return subjectsView;
    }

    public ReadOnlyObjectProperty<Page> page() {
        return page.getReadOnlyProperty();
    }

    /// The bottom line: what is being done, from any page.
    public ReadOnlyStringProperty status() {
        return status.getReadOnlyProperty();
    }

    /// `CPU  2 threads · 3.1 GB free`.
    public ReadOnlyStringProperty machine() {
        return machine.getReadOnlyProperty();
    }

    /// What could not be read at the start.
    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    public PreferencesViewModel preferences() {
        return preferences;
    }

    private void forgetPictures() {
        generatePage.generate().invalidateImages();
        subjects.forEach(subject -> subject.generate().invalidateImages());
    }

    public void refreshMachine() {
        Machine around = services.surroundings().machine();
        services.jobs().start("Looking at the machine", cancellation -> around.device() + "  " + DisplayFormat.plural(around.threads(), "thread") + " · " + DisplayFormat.bytes(around.freeMemory()) + " free", outcome -> {
            if (outcome instanceof JobOutcome.Succeeded<String>(String text)) machine.set(text);
        });
    }

    public void newSubject() {
        page.set(new Page.Start());
    }

    public void open(SubjectPageViewModel subject) {
        page.set(new Page.OfSubject(subject));
    }

    public void openGenerate() {
        page.set(generatePage);
    }

    public void openModels() {
        page.set(new Page.Models());
    }

    public void openSettings() {
        page.set(new Page.Settings());
    }

    /// Shows where subjects and runs are kept.
    public void showFiles() {
        services.surroundings().desktop().showInFileManager(home());
    }

    /// Ends every generation at its next step.
    public void cancelGenerating() {
        generatePage.generate().cancel();
        subjects.forEach(subject -> subject.generate().cancel());
    }

    /// The folder of everything that is kept.
    public Path home() {
        return services.stores().subjects().folder().getParent();
    }

    /// Something was dropped somewhere on the window. A saved picture that says how it was made brings that back, whatever page it is.
    public void dropped(List<Path> files) {
        if (files.size() != 1) {
            take(files);
            return;
        }
        Path file = files.getFirst();
        services.jobs().start("Reading " + file, cancellation -> PngInfo.read(file, new Home(home()).adapters()), outcome -> {
            switch (outcome) {
                case JobOutcome.Succeeded<Optional<PngInfo>>(Optional<PngInfo> picture) -> picture.ifPresentOrElse(this::restore, () -> take(files));
                // As a picture it says for itself what is wrong with it.
                case JobOutcome.Failed<Optional<PngInfo>> _ -> take(files);
                case JobOutcome.Cancelled<Optional<PngInfo>>() -> {}
            }
        });
    }

    private void restore(PngInfo picture) {
        Restoring.Restored restored = new Restoring(models, subjectsView, generatePage.generate()).restore(picture);
        restored.subject().ifPresentOrElse(this::open, this::openGenerate);
        restored.subject().map(SubjectPageViewModel::generate).orElse(generatePage.generate()).showMessage(restored.line());
    }

    /// Pictures: on a subject's page they are added to it, on the page Generate one of them is what pictures start from, elsewhere they
    /// make a new subject.
    private void take(List<Path> files) {
        if (page.get() instanceof Page.OfSubject(SubjectPageViewModel subject)) {
            subject.subject().add(files);
            return;
        }
        if (page.get() instanceof Page.Generate(GenerateViewModel generate, LargeImageViewModel _) && files.size() == 1) {
            generate.source().setImage(files.getFirst());
            return;
        }
        newSubject();
        start.createFromFiles(files);
    }

    private void created(SubjectStore.ImportResult imported) {
        SubjectPageViewModel made = pageOf(imported.subject());
        made.subject().showRejected(imported.rejected());
        nameByFolder(made);
        subjects.addFirst(made);
        open(made);
    }

    /// What people call the subject of a run.
    public String titleOf(RunSpec order) {
        return subjects.stream().map(page -> page.subject().subject().get()).filter(subject -> subject.name().equals(order.subject())).map(Subject::title).findFirst().orElse(order.subject());
    }

    /// A folder called by a word that the model knows answers the one question by itself.
    private void nameByFolder(SubjectPageViewModel made) {
        Subject subject = made.subject().subject().get();
        String name = subject.name().replaceFirst("-\\d+$", "");
        if (subject.className().isEmpty()) made.words().stream().filter(word -> word.equalsIgnoreCase(name)).findFirst().ifPresent(made.subject()::setClassName);
    }

    private void describe() {
        RunSpec now = queue.current().get();
        RunProgress progress = queue.progress().get();
        if (now != null) {
            String left = progress.timeLeft();
            status.set("Tuning " + titleOf(now) + (progress.steps() == 0 ? " · starting" : " · step " + progress.step() + " of " + progress.steps())
                + (progress.phase() == RunProgress.RunPhase.PAUSED ? " · paused" : left.isEmpty() ? "" : " · " + left));
            return;
        }
        GenerateViewModel generate = switch (page.get()) {
            case Page.OfSubject(SubjectPageViewModel subject) -> subject.generate();
            case Page.Generate(GenerateViewModel only, LargeImageViewModel _) -> only;
            case Page.Start _, Page.Models _, Page.Settings _ -> null;
        };
        String making = generate == null ? "" : generate.busy().get().isEmpty() ? generate.report().get() : generate.busy().get();
        status.set(making.isEmpty() ? "Ready · nothing leaves this computer" : making);
    }
}
