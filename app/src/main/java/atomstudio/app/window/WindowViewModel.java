package atomstudio.app.window;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.dataset.SubjectStore;
import atomstudio.app.freedesktop.ApplicationsMenuViewModel;
import atomstudio.app.gallery.GalleryViewModel;
import atomstudio.app.gallery.LargeImageViewModel;
import atomstudio.app.generate.AdapterLibrary;
import atomstudio.app.generate.GenerateViewModel;
import atomstudio.app.generate.GenerationRate;
import atomstudio.app.hub.ModelHub;
import atomstudio.app.jobs.JobQueue;
import atomstudio.app.models.GetModelViewModel;
import atomstudio.app.models.ModelsViewModel;
import atomstudio.app.notices.NoticesViewModel;
import atomstudio.app.provider.DevicesViewModel;
import atomstudio.app.runs.MachineSharing;
import atomstudio.app.runs.RunQueue;
import atomstudio.app.runtime.Home;
import atomstudio.app.services.Services;
import atomstudio.app.settings.SettingsViewModel;
import atomstudio.app.start.StartViewModel;
import atomstudio.app.subjects.SubjectPageViewModel;
import atomstudio.app.subjects.SubjectsViewModel;
import atomstudio.app.train.MethodEstimates;
import atomstudio.app.trash.Deletions;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Optional;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.SimpleObjectProperty;
import javafx.collections.ListChangeListener;

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
    private final WindowPage.GeneratePage generatePage;
    private final SubjectsViewModel subjects;
    private final ReadOnlyObjectWrapper<WindowPage> page = new ReadOnlyObjectWrapper<>(new WindowPage.StartPage());
    private final SettingsViewModel settings;
    private final DevicesViewModel devices;
    private final StatusLine status;
    private final WindowImageActions imageActions;
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
                new StartViewModel.Navigation(this::addSubject,
                        result -> demonstration().start(addSubject(result)), this::openModels,
                        this::openGenerate));
        drops = new DropTargets(services.jobs(), this);
        imageActions = new WindowImageActions(services.jobs(), this);
        gallery = new GalleryViewModel(services.jobs(), services.stores().images(), deletions::delete);
        images = new JobQueue(services.jobs());
        sharing = new MachineSharing(queue, images, environment.settings());
        largeImage = new LargeImageViewModel(services.jobs(), environment.choosers(), environment.desktop(), gallery,
                imageActions);
        SubjectPageViewModel.SharedModels shared = new SubjectPageViewModel.SharedModels(models, queue,
                new MethodEstimates(services.jobs(), services.engines().estimator(),
                        () -> queue.isBusy() || !images.isIdle(), new Home(home()).estimates()),
                deletions,
                new GenerateViewModel.GenerationServices(services.engines().rowGenerator(), environment.choosers(),
                        gallery, images, () -> environment.settings().get().generation(), notices,
                        new AdapterLibrary(services.jobs(), () -> subjects().runAdapters()), new GenerationRate()),
                largeImage);
        GenerateViewModel generate = new GenerateViewModel(services.jobs(), shared.generation(),
                environment.clock(), models.current(), new SimpleObjectProperty<>());
        generatePage = new WindowPage.GeneratePage(generate, largeImage);
        subjects = new SubjectsViewModel(services, shared);
        subjects.pages().addListener((ListChangeListener<SubjectPageViewModel>) change -> leaveRemovedPage());
        page.subscribe(now -> largeImage.close());
        status = new StatusLine(this, services);
        settings = new SettingsViewModel(environment.settings(), environment.choosers(), this::refreshImages);
        devices = new DevicesViewModel(services.jobs(), services.devices(), environment.choosers(), deletions,
                status::refreshSystemInfo);
        training = new TrainingNotices(this);
        demonstration = new Demonstration(this);
    }

    /// Progress of training, for the window's title: `62% car`; empty while nothing is trained.
    public ReadOnlyStringProperty trainingTitle() {
        return training.title();
    }

    /// A new one; empty where the program cannot add itself to the applications menu.
    Optional<ApplicationsMenuViewModel> createApplicationsMenu() {
        return services.shell().menu().map(menu -> new ApplicationsMenuViewModel(services.jobs(), menu, notices));
    }

    /// Loads models, samples and subjects. Called once, when the window is shown.
    public void load() {
        models.load();
        downloads.load();
        gallery.load();
        devices.load();
        queue.restore(training::offerToContinue);
        services.jobs()
                .start(text("window.listing-samples"), cancellation -> services.stores().samples().list(),
                        start::setSamples, notices::showError);
        subjects.load();
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

    public SubjectsViewModel subjects() {
        return subjects;
    }

    public ReadOnlyObjectProperty<WindowPage> page() {
        return page.getReadOnlyProperty();
    }

    public StatusLine status() {
        return status;
    }

    public SettingsViewModel settings() {
        return settings;
    }

    /// The devices that sample, and the execution providers that bring them.
    public DevicesViewModel devices() {
        return devices;
    }

    private void refreshImages() {
        status.refreshSystemInfo();
        generatePage.generate().update();
        subjects.pages().forEach(subject -> subject.compare().update());
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

    /// What can be done with dragged files.
    DropTargets drops() {
        return drops;
    }

    WindowImageActions imageActions() {
        return imageActions;
    }

    /// The Generate page's image generation.
    GenerateViewModel generate() {
        return generatePage.generate();
    }

    /// The image generation of the page that is shown; empty on other pages.
    Optional<GenerateViewModel> shownGenerate() {
        return switch (page.get()) {
            case WindowPage.SubjectPage(SubjectPageViewModel subject) -> Optional.of(subject.generate());
            case WindowPage.GeneratePage(GenerateViewModel generate, LargeImageViewModel _) -> Optional.of(generate);
            case WindowPage.StartPage _,WindowPage.ScreenPage _ -> Optional.empty();
        };
    }

    private Demonstration demonstration() {
        return demonstration;
    }

    private SubjectPageViewModel addSubject(SubjectStore.ImportResult result) {
        SubjectPageViewModel subject = subjects.add(result);
        open(subject);
        return subject;
    }

    /// Moves a subject and its runs to the trash.
    public void delete(SubjectPageViewModel subject) {
        subjects.delete(subject, () -> open(subject));
    }

    private void leaveRemovedPage() {
        if (page.get() instanceof WindowPage.SubjectPage(SubjectPageViewModel shown)
                && !subjects.pages().contains(shown))
            newSubject();
    }

    private void showRestored() {
        gallery.load();
        subjects.reload();
    }
}
