package atomstudio.app.window;

import static atomstudio.app.text.Texts.count;
import static atomstudio.app.text.Texts.text;

import atomstudio.app.dataset.Subject;
import atomstudio.app.dataset.SubjectStore;
import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.desktop.SystemInfo;
import atomstudio.app.gallery.GalleryImage;
import atomstudio.app.gallery.GalleryViewModel;
import atomstudio.app.gallery.LargeImageViewModel;
import atomstudio.app.generate.AdapterLibrary;
import atomstudio.app.generate.GenerateViewModel;
import atomstudio.app.generate.GenerationRate;
import atomstudio.app.hub.ModelHub;
import atomstudio.app.jobs.JobQueue;
import atomstudio.app.models.GetModelViewModel;
import atomstudio.app.models.ModelFolderReader;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.models.ModelsViewModel;
import atomstudio.app.notices.NoticesViewModel;
import atomstudio.app.process.RunSpec;
import atomstudio.app.provider.DevicesViewModel;
import atomstudio.app.runs.MachineSharing;
import atomstudio.app.runs.RunProgress;
import atomstudio.app.runs.RunQueue;
import atomstudio.app.runs.RunSummary;
import atomstudio.app.runtime.Home;
import atomstudio.app.services.Services;
import atomstudio.app.settings.SettingsViewModel;
import atomstudio.app.start.StartViewModel;
import atomstudio.app.subjects.SubjectPageViewModel;
import atomstudio.app.train.MethodEstimates;
import atomstudio.app.trash.Deletions;
import atomstudio.app.trash.Trash;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.beans.property.SimpleObjectProperty;
import javafx.collections.FXCollections;
import javafx.collections.ListChangeListener;
import javafx.collections.ObservableList;

/// The window: current page, subjects, status line, and dropped files.
public final class WindowViewModel {
    private final Services services;
    private final ModelsViewModel models;
    private final RunQueue queue;
    private final NoticesViewModel notices = new NoticesViewModel();
    private final Deletions deletions;
    private final GetModelViewModel downloads;
    private final StartViewModel start;
    private final ClosingViewModel closing;
    private final DropTargets drops;
    private final GalleryViewModel gallery;
    private final JobQueue images;
    private final MachineSharing sharing;
    private final LargeImageViewModel largeImage;
    private final SubjectPageViewModel.SharedModels shared;
    private final WindowPage.GeneratePage generatePage;
    private final ObservableList<SubjectPageViewModel> subjects = FXCollections.observableArrayList();
    private final ObservableList<SubjectPageViewModel> subjectsView = FXCollections
            .unmodifiableObservableList(subjects);
    private final ReadOnlyObjectWrapper<WindowPage> page = new ReadOnlyObjectWrapper<>(new WindowPage.StartPage());
    private final ReadOnlyStringWrapper status = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper systemInfo = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");
    private final SettingsViewModel settings;
    private final DevicesViewModel devices;
    private final TrainingNotices training;
    private final Demonstration demonstration;

    public WindowViewModel(Services services) {
        this.services = services;
        Services.Environment environment = services.environment();
        models = new ModelsViewModel(services.jobs(), services.stores().models(), environment.settings(),
                environment.choosers(), environment.desktop());
        queue = new RunQueue(services.jobs(), services.engines().launcher(), services.stores().runs().queue());
        deletions = new Deletions(services.jobs(), services.stores().trash(), notices);
        downloads = new GetModelViewModel(services.jobs(), new ModelHub(new Home(home())), models, deletions);
        deletions.setOnRestored(this::showRestored);
        closing = new ClosingViewModel(services.jobs(), queue, services.stores().trash());
        start = new StartViewModel(services.jobs(), services.stores().subjects(), environment.choosers(),
                models.current(),
                new StartViewModel.Navigation(this::onSubjectCreated,
                        result -> demonstration().start(onSubjectCreated(result)), this::openModels,
                        this::openGenerate));
        drops = new DropTargets(services.jobs(), this);
        gallery = new GalleryViewModel(services.jobs(), services.stores().images(), deletions::delete);
        images = new JobQueue(services.jobs());
        sharing = new MachineSharing(queue, images, environment.settings());
        largeImage = new LargeImageViewModel(services.jobs(), environment.choosers(), environment.desktop(), gallery,
                new WindowImageActions(this));
        shared = new SubjectPageViewModel.SharedModels(models, queue,
                new MethodEstimates(services.jobs(), services.engines().estimator(),
                        () -> queue.isBusy() || !images.isIdle(), new Home(home()).estimates()),
                deletions,
                new GenerateViewModel.GenerationServices(services.engines().rowGenerator(), environment.choosers(),
                        gallery, images, () -> environment.settings().get().generation(), notices,
                        new AdapterLibrary(services.jobs(), this::runAdapters), new GenerationRate()),
                largeImage);
        GenerateViewModel generate = new GenerateViewModel(services.jobs(), shared.generation(),
                environment.clock(), models.current(), new SimpleObjectProperty<>());
        generatePage = new WindowPage.GeneratePage(generate, largeImage);
        settings = new SettingsViewModel(environment.settings(), environment.choosers(), this::refreshImages);
        devices = new DevicesViewModel(services.jobs(), services.devices(), environment.choosers(), deletions,
                this::refreshSystemInfo);
        images.entries().addListener((ListChangeListener<JobQueue.QueuedJob>) change -> updateStatus());
        queue.current().subscribe(now -> updateStatus());
        queue.progress().subscribe(now -> updateStatus());
        downloads.status().subscribe(now -> updateStatus());
        page.subscribe(now -> {
            largeImage.close();
            updateStatus();
        });
        watch(generate);
        training = new TrainingNotices(this);
        demonstration = new Demonstration(this);
    }

    /// Progress of training, for the window's title: `62% car`; empty while nothing is trained.
    public ReadOnlyStringProperty trainingTitle() {
        return training.title();
    }

    /// The adapters of all finished runs on the current model.
    private List<AdapterLibrary.AdapterInfo> runAdapters() {
        ModelSummary model = models.current().get();
        return subjects.stream()
                .flatMap(page -> page.runs().runs().stream())
                .filter(run -> run.isDone() && model != null && run.spec().model().equals(model.path()))
                .map(run -> AdapterLibrary.AdapterInfo.of(run, titleOf(run.spec())))
                .toList();
    }

    /// Loads models, samples and subjects. Called once, when the window is shown.
    public void load() {
        models.load();
        downloads.load();
        gallery.load();
        devices.load();
        queue.restore(() -> notices.show(new NoticesViewModel.Notice(NoticesViewModel.NoticeKind.PLAIN,
                text("window.left-in-the-training-queue", count("window.runs", queue.waiting().size())),
                Optional.of(new NoticesViewModel.NoticeAction(text("window.continue-training"), queue::startNext)))));
        Services.Stores stores = services.stores();
        services.jobs()
                .start(text("window.listing-samples"), cancellation -> stores.samples().list(), start::setSamples,
                        problem::set);
        services.jobs()
                .start(text("window.listing-subjects"), cancellation -> stores.subjects().list(),
                        found -> subjects.addAll(found.stream().map(this::createPage).toList()), problem::set);
    }

    private SubjectPageViewModel createPage(Subject subject) {
        SubjectPageViewModel subjectPage = new SubjectPageViewModel(services, shared, subject);
        watch(subjectPage.generate());
        return subjectPage;
    }

    private void watch(GenerateViewModel generate) {
        generate.report().subscribe(now -> updateStatus());
    }

    public ModelsViewModel models() {
        return models;
    }

    /// "Get a model".
    public GetModelViewModel downloads() {
        return downloads;
    }

    public RunQueue queue() {
        return queue;
    }

    public Deletions deletions() {
        return deletions;
    }

    InstantSource clock() {
        return services.environment().clock();
    }

    public NoticesViewModel notices() {
        return notices;
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

    /// The status line: current training or generation.
    public ReadOnlyStringProperty status() {
        return status.getReadOnlyProperty();
    }

    /// `CPU · 2 threads · 3.1 GB free`.
    public ReadOnlyStringProperty systemInfo() {
        return systemInfo.getReadOnlyProperty();
    }

    /// Why subjects or samples could not be loaded.
    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    public SettingsViewModel settings() {
        return settings;
    }

    /// The devices that sample, and the execution providers that bring them.
    public DevicesViewModel devices() {
        return devices;
    }

    private void refreshImages() {
        refreshSystemInfo();
        generatePage.generate().update();
        subjects.forEach(subject -> subject.compare().update());
    }

    /// All images that were generated in the window.
    public GalleryViewModel gallery() {
        return gallery;
    }

    /// The queue of image generation, shared by all pages.
    public JobQueue images() {
        return images;
    }

    /// How training and the images share the machine.
    public MachineSharing sharing() {
        return sharing;
    }

    public LargeImageViewModel largeImage() {
        return largeImage;
    }

    public void refreshSystemInfo() {
        SystemInfo info = services.environment().systemInfo();
        services.jobs()
                .start(text("window.reading-system-information"),
                        cancellation -> text("window.free", info.device(),
                                count("window.threads", info.threads()), DisplayFormat.bytes(info.freeMemory())),
                        systemInfo::set, ignored -> {});
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
        open(Screen.MODELS);
    }

    void open(Screen screen) {
        page.set(new WindowPage.ScreenPage(screen));
    }

    /// Shows that an unexpected error was logged.
    void showUnexpected(Throwable unexpected) {
        notices.show(new NoticesViewModel.Notice(NoticesViewModel.NoticeKind.ERROR,
                text("window.something-went-wrong-the-window-may", unexpected),
                Optional.of(new NoticesViewModel.NoticeAction(text("window.open-log"),
                        () -> services.environment().desktop().open(new Home(home()).log())))));
    }

    /// Opens the home folder in the file manager.
    public void showFiles() {
        services.environment().desktop().showInFileManager(home());
    }

    /// Cancels all image generation at the next step.
    public void cancelGenerating() {
        images.cancelAll();
    }

    /// The folder of subjects, runs and settings.
    public Path home() {
        return services.stores().subjects().folder().getParent();
    }

    /// Handles files dropped anywhere on the window. A model is opened; a single PNG with generation settings restores
    /// them.
    public void onFilesDropped(List<Path> files) {
        drops.find(files, targets -> {
            boolean isAdded = targets.size() == 1 && switch (targets.getFirst().kind()) {
                case ADAPTER, PROVIDER -> true;
                default -> false;
            };
            if (isAdded) targets.getFirst().run().run();
            else useDropped(files);
        });
    }

    private void useDropped(List<Path> files) {
        if (files.size() != 1) {
            useFiles(files);
            return;
        }
        Path file = files.getFirst();
        services.jobs()
                .start(text("window.reading", file), cancellation -> ModelFolderReader.isModel(file), isModel -> {
                    if (!isModel) useFile(file);
                    else {
                        openModels();
                        models.open(file);
                    }
                }, message -> useFile(file));
    }

    /// What can be done with dragged files.
    DropTargets drops() {
        return drops;
    }

    /// Restores the settings of an image file.
    void restoreFile(Path file) {
        useFile(file);
    }

    private void useFile(Path file) {
        List<Path> files = List.of(file);
        // A file that cannot be read is reported where it is used as an image.
        services.jobs()
                .start(text("window.reading", file), cancellation -> PngInfo.read(file, new Home(home()).adapters()),
                        info -> info.ifPresentOrElse(this::restore, () -> useFiles(files)), message -> useFiles(files));
    }

    private GenerateViewModel restore(PngInfo info) {
        PngInfoRestorer.RestoreResult result = new PngInfoRestorer(models, subjectsView, generatePage.generate())
                .restore(info);
        result.page().ifPresentOrElse(subject -> {
            subject.openTab(SubjectPageViewModel.PageTab.COMPARE);
            open(subject);
        }, this::openGenerate);
        GenerateViewModel page = result.page().map(SubjectPageViewModel::generate).orElse(generatePage.generate());
        page.showMessage(result.message());
        return page;
    }

    /// Restores the settings of an image.
    /// @param then gets the page with the settings
    void restore(GalleryImage image, Consumer<GenerateViewModel> then) {
        services.jobs()
                .start(text("window.reading", image.file()),
                        cancellation -> PngInfo.of(image, new Home(home()).adapters()),
                        info -> info.ifPresent(found -> then.accept(restore(found))), notices::showError);
    }

    /// The image generation of the page that is shown; empty on other pages.
    Optional<GenerateViewModel> shownGenerate() {
        return switch (page.get()) {
            case WindowPage.SubjectPage(SubjectPageViewModel subject) -> Optional.of(subject.generate());
            case WindowPage.GeneratePage(GenerateViewModel generate, LargeImageViewModel _) -> Optional.of(generate);
            case WindowPage.StartPage _,WindowPage.ScreenPage _ -> Optional.empty();
        };
    }

    /// On a subject's page, adds photos; on the Generate page, a single image becomes the source of image to image;
    /// elsewhere, creates a subject.
    private void useFiles(List<Path> files) {
        if (page.get() instanceof WindowPage.SubjectPage(SubjectPageViewModel subject)) {
            subject.openTab(SubjectPageViewModel.PageTab.PHOTOS);
            subject.subject().add(files);
            return;
        }
        if (page.get() instanceof WindowPage.GeneratePage(GenerateViewModel generate, LargeImageViewModel _)
                && files.size() == 1) {
            generate.source().setImage(files.getFirst());
            return;
        }
        newSubject();
        start.createFromFiles(files);
    }

    private Demonstration demonstration() {
        return demonstration;
    }

    private SubjectPageViewModel onSubjectCreated(SubjectStore.ImportResult result) {
        SubjectPageViewModel subjectPage = createPage(result.subject());
        subjectPage.subject().showRejected(result.rejected());
        guessClassName(subjectPage);
        subjects.addFirst(subjectPage);
        open(subjectPage);
        return subjectPage;
    }

    /// Moves a subject and its runs to the trash.
    public void delete(SubjectPageViewModel subjectPage) {
        Subject subject = subjectPage.subject().subject().get();
        if (queue.isQueued(subject.name())) {
            notices.showError(text("window.is-being-trained-cancel-its-runs", subject.title()));
            return;
        }
        int index = subjects.indexOf(subjectPage);
        subjects.remove(subjectPage);
        if (page.get() instanceof WindowPage.SubjectPage(SubjectPageViewModel shown) && shown == subjectPage)
            newSubject();
        Trash trash = services.stores().trash();
        services.jobs().start(text("window.deleting-the-subject", subject.title()), cancellation -> {
            List<Path> runs = services.stores().runs().list(subject.name()).stream().map(RunSummary::folder).toList();
            return trash.move(text("window.subject-2", subject.title()),
                    Stream.concat(Stream.of(subject.folder()), runs.stream()).toList());
        }, entry -> deletions.offerUndo(entry, () -> putBack(index, subjectPage)), message -> {
            notices.showError(message);
            putBack(index, subjectPage);
        });
    }

    /// Shows what came back from the trash: subjects, runs, photos and images.
    private void showRestored() {
        gallery.load();
        subjects.forEach(page -> {
            page.runs().refresh();
            page.subject().reload();
        });
        services.jobs()
                .start(text("window.listing-subjects"), cancellation -> services.stores().subjects().list(), found -> {
                    for (Subject subject : found)
                        if (subjects.stream()
                                .noneMatch(page -> page.subject().subject().get().name().equals(subject.name())))
                            subjects.addFirst(createPage(subject));
                }, problem::set);
    }

    private void putBack(int index, SubjectPageViewModel subjectPage) {
        subjects.add(Math.min(index, subjects.size()), subjectPage);
        subjectPage.runs().refresh();
        open(subjectPage);
    }

    /// The display name of a run's subject.
    public String titleOf(RunSpec spec) {
        return subjects.stream()
                .map(page -> page.subject().subject().get())
                .filter(subject -> subject.name().equals(spec.subject()))
                .map(Subject::title)
                .findFirst()
                .orElse(spec.subject());
    }

    /// Sets the class word if the subject's name is a word that the model draws.
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
            status.set(text("window.training", titleOf(current),
                    progress.steps() == 0 ? text("window.training.starting")
                            : text("window.training.step", progress.step(), progress.steps()),
                    progress.phase() == RunProgress.RunPhase.PAUSED ? text("window.training.paused")
                            : timeLeft.isEmpty() ? "" : " · " + timeLeft));
            return;
        }
        // The queue of images is shown beside the status.
        String report = images.isIdle() ? shownGenerate().map(page -> page.report().get()).orElse("") : "";
        GetModelViewModel.DownloadStatus download = downloads.status().get();
        String downloading = download.isBusy() ? download.title() + " · " + download.text()
                : images.isIdle() ? text("window.ready") : "";
        status.set(report.isEmpty() ? downloading : report);
    }
}
