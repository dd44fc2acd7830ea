package atomstudio.app.models;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.hub.DownloadPlan;
import atomstudio.app.hub.DownloadedModels;
import atomstudio.app.hub.HubAddress;
import atomstudio.app.hub.HubSettings;
import atomstudio.app.hub.ModelDownload;
import atomstudio.app.hub.ModelHub;
import atomstudio.app.hub.ModelOffer;
import atomstudio.app.hub.RepositoryId;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.notices.NoticesViewModel;
import atomstudio.app.trash.Deletions;
import atomstudio.diffusion.Failure;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import javafx.beans.property.BooleanProperty;
import javafx.beans.property.ObjectProperty;
import javafx.beans.property.ReadOnlyBooleanProperty;
import javafx.beans.property.ReadOnlyBooleanWrapper;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.beans.property.SimpleBooleanProperty;
import javafx.beans.property.SimpleObjectProperty;
import javafx.collections.FXCollections;
import javafx.collections.ObservableList;
import org.jspecify.annotations.Nullable;

/// "Get a model": looks a repository of the hub up, shows what it offers, and downloads it in the background.
public final class GetModelViewModel {
    private final Jobs jobs;
    private final ModelHub hub;
    private final ModelsViewModel models;
    private final Deletions deletions;
    private final HubSettingsViewModel settings;
    private final ReadOnlyObjectWrapper<@Nullable ModelOffer> offer = new ReadOnlyObjectWrapper<>();
    private final ObjectProperty<@Nullable DownloadPlan> plan = new SimpleObjectProperty<>();
    private final BooleanProperty licenceAccepted = new SimpleBooleanProperty();
    private final ReadOnlyObjectWrapper<DownloadStatus> status = new ReadOnlyObjectWrapper<>(DownloadStatus.IDLE);
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");
    private final ReadOnlyBooleanWrapper needsToken = new ReadOnlyBooleanWrapper();
    private final ObservableList<DownloadedModels.Unfinished> unfinished = FXCollections.observableArrayList();
    private Jobs.@Nullable JobHandle running;

    /// The running look-up or download.
    /// @param title empty: none
    /// @param share from 0 to 1; negative if unknown
    public record DownloadStatus(String title, double share, String text) {
        public static final DownloadStatus IDLE = new DownloadStatus("", 0, "");

        public boolean isBusy() { return !title.isEmpty(); }
    }

    /// The value, or why the hub refused.
    private record Answer<T>(@Nullable T value, Failure.@Nullable Remote refusal) {
        interface RemoteCall<T> {
            T run() throws Failure, InterruptedException;
        }

        static <T> Answer<T> of(RemoteCall<T> call) throws Failure, InterruptedException {
            try {
                return new Answer<>(call.run(), null);
            } catch (Failure.Remote refused) {
                return new Answer<>(null, refused);
            }
        }
    }

    public GetModelViewModel(Jobs jobs, ModelHub hub, ModelsViewModel models, Deletions deletions) {
        this.jobs = jobs;
        this.hub = hub;
        this.models = models;
        this.deletions = deletions;
        settings = new HubSettingsViewModel(jobs, hub, problem::set);
        plan.subscribe(now -> licenceAccepted.set(false));
    }

    /// Reads the settings and lists unfinished downloads.
    public void load() {
        settings.load();
        refreshUnfinished();
    }

    private void refreshUnfinished() {
        jobs.start(text("models.listing-downloads"), cancellation -> hub.models().unfinished(), unfinished::setAll,
                problem::set);
    }

    /// Hub, access token and proxy.
    public HubSettingsViewModel settings() {
        return settings;
    }

    /// What the repository offers; null before a look-up.
    public ReadOnlyObjectProperty<@Nullable ModelOffer> offer() {
        return offer.getReadOnlyProperty();
    }

    /// The chosen files; null without an offer.
    public ObjectProperty<@Nullable DownloadPlan> plan() {
        return plan;
    }

    /// Must be set again for each plan.
    public BooleanProperty licenceAccepted() {
        return licenceAccepted;
    }

    public ReadOnlyObjectProperty<DownloadStatus> status() {
        return status.getReadOnlyProperty();
    }

    /// Why the last look-up or download failed, and what to do; empty if it did not.
    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    /// Whether the problem is solved by an access token.
    public ReadOnlyBooleanProperty needsToken() {
        return needsToken.getReadOnlyProperty();
    }

    /// Downloads that were cancelled, failed, or ended with the program.
    public ObservableList<DownloadedModels.Unfinished> unfinished() {
        return unfinished;
    }

    /// Looks a repository up.
    /// @param repository `owner/name`, or the address of its page
    public void find(String repository, String revision) {
        try {
            RepositoryId id = RepositoryId.parse(repository, revision);
            find(id, this::show);
        } catch (IllegalArgumentException e) {
            problem.set(text("models.repository-2", e.getMessage()));
        }
    }

    private void find(RepositoryId id, Consumer<ModelOffer> onFound) {
        if (status.get().isBusy()) return;
        offer.set(null);
        plan.set(null);
        HubSettings used = settings.current().get();
        start(new DownloadStatus(text("models.looking-up", id), -1, text("models.at", used.address().host())), id,
                cancellation -> Answer.of(() -> hub.find(used, id, cancellation)), onFound);
    }

    private void show(ModelOffer found) {
        plan.set(found.plans().getFirst());
        offer.set(found);
    }

    /// Downloads the chosen plan, if its licence is accepted.
    public void download() {
        DownloadPlan chosen = plan.get();
        if (chosen != null && licenceAccepted.get() && !status.get().isBusy()) download(chosen);
    }

    private void download(DownloadPlan chosen) {
        RepositoryId id = chosen.repository().id();
        HubSettings used = settings.current().get();
        String title = text("models.downloading", id);
        Consumer<DownloadStatus> onProgress = jobs.deliverLatest(this::showProgress);
        DownloadRate rate = new DownloadRate();
        start(new DownloadStatus(title, -1, ""), id,
                cancellation -> Answer.of(() -> hub.download(used, chosen,
                        progress -> rate.update(progress)
                                .ifPresent(text -> onProgress.accept(
                                        new DownloadStatus(title, share(progress), text))),
                        cancellation)),
                path -> onDownloaded(id, path));
    }

    /// A value that arrives after the end is dropped.
    private void showProgress(DownloadStatus now) {
        if (status.get().isBusy()) status.set(now);
    }

    private static double share(ModelDownload.Progress progress) {
        return progress.total() == 0 ? 1 : (double) progress.done() / progress.total();
    }

    private void onDownloaded(RepositoryId id, Path path) {
        offer.set(null);
        plan.set(null);
        models.add(path);
        deletions.notices()
                .show(new NoticesViewModel.Notice(NoticesViewModel.NoticeKind.PLAIN, text("models.is-downloaded", id),
                        Optional.of(new NoticesViewModel.NoticeAction(text("models.use-it-now"),
                                () -> models.open(path)))));
    }

    private <T> void start(DownloadStatus first, RepositoryId id, Jobs.Job<Answer<T>> job, Consumer<T> onSucceeded) {
        problem.set("");
        needsToken.set(false);
        status.set(first);
        running = jobs.start(first.title(), job, outcome -> {
            status.set(DownloadStatus.IDLE);
            running = null;
            switch (outcome) {
                case JobOutcome.Succeeded<Answer<T>>(Answer<T>(T value, Failure.Remote refusal)) -> {
                    if (value != null) onSucceeded.accept(value);
                    if (refusal != null) showRefusal(refusal, id);
                }
                case JobOutcome.Failed<Answer<T>>(String message) -> problem.set(message);
                case JobOutcome.Cancelled<Answer<T>>() -> {}
            }
            refreshUnfinished();
        });
    }

    private void showRefusal(Failure.Remote refusal, RepositoryId id) {
        HubAddress address = settings.current().get().address();
        needsToken.set(switch (refusal.reason()) {
            case TOKEN_REQUIRED, TOKEN_INVALID, ACCESS_DENIED, NOT_FOUND -> true;
            case NO_CONNECTION, BUSY, UNEXPECTED_ANSWER -> false;
        });
        String next = switch (refusal.reason()) {
            case NO_CONNECTION, BUSY -> text("models.next.later");
            case NOT_FOUND -> text("models.next.spelling");
            case TOKEN_REQUIRED -> text("models.accept-the-conditions-on-create-a", address, id.id(), address);
            case TOKEN_INVALID -> text("models.create-a-token-to-read-on", address);
            case ACCESS_DENIED -> text("models.accept-the-conditions-on-with-the", address, id.id());
            case UNEXPECTED_ANSWER -> text("models.next.network");
        };
        problem.set(text("models.refusal", refusal.getMessage(), next));
    }

    /// Cancels the look-up or download. What was downloaded is kept.
    public void cancel() {
        if (running != null) running.cancel();
    }

    /// Continues an unfinished download, whose licence was accepted when it started.
    public void resume(DownloadedModels.Unfinished download) {
        find(download.manifest().id(), found -> found.plans()
                .stream()
                .filter(each -> each.choice().equals(download.manifest().choice()))
                .findFirst()
                .ifPresentOrElse(this::download, () -> show(found)));
    }

    /// Deletes what an unfinished download left.
    public void discard(DownloadedModels.Unfinished download) {
        jobs.start(text("models.deleting-the-download"), cancellation -> {
            hub.models().discard(download);
            return hub.models().unfinished();
        }, unfinished::setAll, problem::set);
    }

    /// Moves a downloaded model to the trash.
    public void delete(ModelSummary model) {
        models.remove(model);
        Path path = model.path();
        Path folder = path.toFile().isDirectory() ? path : path.getParent();
        deletions.delete(text("models.model", model.name()), List.of(folder), models::load);
    }

    /// Copies the address of the offered repository's page.
    public void copyPage() {
        ModelOffer shown = offer.get();
        if (shown != null)
            models.copyToClipboard(settings.current().get().address() + "/" + shown.repository().id().id());
    }
}
