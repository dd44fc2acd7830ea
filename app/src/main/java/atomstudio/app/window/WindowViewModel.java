package atomstudio.app.window;

import atomstudio.app.dataset.Subject;
import atomstudio.app.dataset.SubjectStore;
import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.desktop.SystemInfo;
import atomstudio.app.generate.GenerateViewModel;
import atomstudio.app.generate.LargeImageViewModel;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.models.ModelsViewModel;
import atomstudio.app.process.RunSpec;
import atomstudio.app.runs.RunProgress;
import atomstudio.app.runs.RunQueue;
import atomstudio.app.runtime.Home;
import atomstudio.app.services.Services;
import atomstudio.app.settings.SettingsViewModel;
import atomstudio.app.start.StartViewModel;
import atomstudio.app.subjects.SubjectPageViewModel;
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
    private final WindowPage.Generate generatePage;
    private final ObservableList<SubjectPageViewModel> subjects = FXCollections.observableArrayList();
    private final ObservableList<SubjectPageViewModel> subjectsView = FXCollections
            .unmodifiableObservableList(subjects);
    private final ReadOnlyObjectWrapper<WindowPage> page = new ReadOnlyObjectWrapper<>(new WindowPage.StartPage());
    private final ReadOnlyStringWrapper status = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper systemInfo = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");
    private final SettingsViewModel settings;

    public WindowViewModel(Services services) {
        this.services = services;
        Services.Environment environment = services.environment();
        models = new ModelsViewModel(services.jobs(), services.stores().models(), environment.settings(),
                environment.choosers(), environment.desktop());
        queue = new RunQueue(services.jobs(), services.engines().launcher());
        closing = new ClosingViewModel(services.jobs(), queue, services.stores().runs());
        start = new StartViewModel(services.jobs(), services.stores().subjects(), environment.choosers(),
                models.current(),
                new StartViewModel.Navigation(this::onSubjectCreated, this::openModels, this::openGenerate));
        GenerateViewModel generate = new GenerateViewModel(services.jobs(),
                new GenerateViewModel.GenerationServices(services.engines().rowGenerator(),
                        services.engines().rowEvaluator(), environment.choosers()),
                environment.clock(), models.current(), new SimpleObjectProperty<>());
        generatePage = new WindowPage.Generate(generate,
                new LargeImageViewModel(services.jobs(), environment.choosers(), environment.desktop(), generate));
        settings = new SettingsViewModel(environment.settings(), environment.choosers(), this::invalidateImages);
        queue.current().subscribe(now -> updateStatus());
        queue.progress().subscribe(now -> updateStatus());
        page.subscribe(now -> updateStatus());
        watch(generate);
    }

    /// Reads what is on disk. Called once, when the window is there.
    public void load() {
        models.load();
        refreshSystemInfo();
        services.jobs().start("Finding the samples", cancellation -> services.stores().samples().list(), outcome -> {
            switch (outcome) {
                case JobOutcome.Succeeded<List<Subject.SampleSubject>>(List<Subject.SampleSubject> samples) ->
                        start.setSamples(samples);
                case JobOutcome.Failed<List<Subject.SampleSubject>>(String message) -> problem.set(message);
                case JobOutcome.Cancelled<List<Subject.SampleSubject>>() -> {}
            }
        });
        services.jobs().start("Listing the subjects", cancellation -> services.stores().subjects().list(), outcome -> {
            switch (outcome) {
                case JobOutcome.Succeeded<List<Subject>>(List<Subject> found) ->
                        subjects.addAll(found.stream().map(this::createPage).toList());
                case JobOutcome.Failed<List<Subject>>(String message) -> problem.set(message);
                case JobOutcome.Cancelled<List<Subject>>() -> {}
            }
        });
    }

    private SubjectPageViewModel createPage(Subject subject) {
        SubjectPageViewModel subjectPage = new SubjectPageViewModel(services, models, queue, subject);
        watch(subjectPage.generate());
        return subjectPage;
    }

    private void watch(GenerateViewModel generate) {
        generate.busy().subscribe(now -> updateStatus());
        generate.report().subscribe(now -> updateStatus());
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

    public ReadOnlyObjectProperty<WindowPage> page() {
        return page.getReadOnlyProperty();
    }

    /// The bottom line: what is being done, from any page.
    public ReadOnlyStringProperty status() {
        return status.getReadOnlyProperty();
    }

    /// `CPU  2 threads · 3.1 GB free`.
    public ReadOnlyStringProperty systemInfo() {
        return systemInfo.getReadOnlyProperty();
    }

    /// What could not be read at the start.
    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    public SettingsViewModel settings() {
        return settings;
    }

    private void invalidateImages() {
        generatePage.generate().invalidateImages();
        subjects.forEach(subject -> subject.generate().invalidateImages());
    }

    public void refreshSystemInfo() {
        SystemInfo info = services.environment().systemInfo();
        services.jobs()
                .start("Looking at the machine",
                        cancellation -> info.device() + "  " + DisplayFormat.plural(info.threads(), "thread") + " · "
                                + DisplayFormat.bytes(info.freeMemory()) + " free",
                        outcome -> {
                            if (outcome instanceof JobOutcome.Succeeded<String>(String text)) systemInfo.set(text);
                        });
    }

    public void newSubject() {
        page.set(new WindowPage.StartPage());
    }

    public void open(SubjectPageViewModel subject) {
        page.set(new WindowPage.SubjectPage(subject));
    }

    public void openGenerate() {
        page.set(generatePage);
    }

    public void openModels() {
        page.set(new WindowPage.Models());
    }

    public void openSettings() {
        page.set(new WindowPage.Settings());
    }

    /// Shows where subjects and runs are kept.
    public void showFiles() {
        services.environment().desktop().showInFileManager(home());
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

    /// Something was dropped somewhere on the window. A saved picture that says how it was made brings that back,
    /// whatever page it is.
    public void onFilesDropped(List<Path> files) {
        if (files.size() != 1) {
            useFiles(files);
            return;
        }
        Path file = files.getFirst();
        services.jobs()
                .start("Reading " + file,
                        cancellation -> PngInfoRestorer.PngInfo.read(file, new Home(home()).adapters()), outcome -> {
                            switch (outcome) {
                                case JobOutcome.Succeeded<Optional<PngInfoRestorer.PngInfo>>(Optional<PngInfoRestorer.PngInfo> info) ->
                                        info.ifPresentOrElse(this::restore, () -> useFiles(files));
                                // As a picture it says for itself what is wrong with it.
                                case JobOutcome.Failed<Optional<PngInfoRestorer.PngInfo>> _ -> useFiles(files);
                                case JobOutcome.Cancelled<Optional<PngInfoRestorer.PngInfo>>() -> {}
                            }
                        });
    }

    private void restore(PngInfoRestorer.PngInfo info) {
        PngInfoRestorer.RestoreResult result = new PngInfoRestorer(models, subjectsView, generatePage.generate())
                .restore(info);
        result.page().ifPresentOrElse(this::open, this::openGenerate);
        result.page().map(SubjectPageViewModel::generate).orElse(generatePage.generate()).showMessage(result.message());
    }

    /// Pictures: on a subject's page they are added to it, on the page Generate one of them is what pictures start
    /// from, elsewhere they make a new subject.
    private void useFiles(List<Path> files) {
        if (page.get() instanceof WindowPage.SubjectPage(SubjectPageViewModel subject)) {
            subject.subject().add(files);
            return;
        }
        if (page.get() instanceof WindowPage.Generate(GenerateViewModel generate, LargeImageViewModel _)
                && files.size() == 1) {
            generate.source().setImage(files.getFirst());
            return;
        }
        newSubject();
        start.createFromFiles(files);
    }

    private void onSubjectCreated(SubjectStore.ImportResult result) {
        SubjectPageViewModel subjectPage = createPage(result.subject());
        subjectPage.subject().showRejected(result.rejected());
        guessClassName(subjectPage);
        subjects.addFirst(subjectPage);
        open(subjectPage);
    }

    /// What people call the subject of a run.
    public String titleOf(RunSpec spec) {
        return subjects.stream()
                .map(page -> page.subject().subject().get())
                .filter(subject -> subject.name().equals(spec.subject()))
                .map(Subject::title)
                .findFirst()
                .orElse(spec.subject());
    }

    /// A folder called by a word that the model knows answers the one question by itself.
    private void guessClassName(SubjectPageViewModel subjectPage) {
        Subject subject = subjectPage.subject().subject().get();
        String name = subject.name().replaceFirst("-\\d+$", "");
        if (subject.className().isEmpty())
            subjectPage.classWords()
                    .stream()
                    .filter(word -> word.equalsIgnoreCase(name))
                    .findFirst()
                    .ifPresent(subjectPage.subject()::setClassName);
    }

    private void updateStatus() {
        RunSpec current = queue.current().get();
        RunProgress progress = queue.progress().get();
        if (current != null) {
            String timeLeft = progress.timeLeft();
            status.set("Tuning " + titleOf(current)
                    + (progress.steps() == 0 ? " · starting" : " · step " + progress.step() + " of " + progress.steps())
                    + (progress.phase() == RunProgress.RunPhase.PAUSED ? " · paused" : timeLeft.isEmpty() ? ""
                            : " · " + timeLeft));
            return;
        }
        GenerateViewModel generate = switch (page.get()) {
            case WindowPage.SubjectPage(SubjectPageViewModel subject) -> subject.generate();
            case WindowPage.Generate(GenerateViewModel only, LargeImageViewModel _) -> only;
            case WindowPage.StartPage _,WindowPage.Models _,WindowPage.Settings _ -> null;
        };
        String generating = generate == null ? "" : generate.busy().get().isEmpty() ? generate.report().get()
                : generate.busy().get();
        status.set(generating.isEmpty() ? "Ready · nothing leaves this computer" : generating);
    }
}
