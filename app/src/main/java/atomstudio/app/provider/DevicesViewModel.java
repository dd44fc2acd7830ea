package atomstudio.app.provider;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.desktop.FailureText;
import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.jobs.Cancellation;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.provider.DeviceSelection.KnownDevice;
import atomstudio.app.trash.Deletions;
import atomstudio.diffusion.Failure;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import org.jspecify.annotations.Nullable;

/// The devices of this machine, and adding, measuring and removing those of execution providers.
public final class DevicesViewModel {
    private final Jobs jobs;
    private final DeviceServices services;
    private final FileChoosers choosers;
    private final Deletions deletions;
    private final Runnable onChanged;
    private final ReadOnlyObjectWrapper<DeviceList> devices = new ReadOnlyObjectWrapper<>(
            new DeviceList(List.of(), "", List.of()));
    private final ReadOnlyObjectWrapper<DeviceTask> task = new ReadOnlyObjectWrapper<>(DeviceTask.NONE);
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");
    private Jobs.@Nullable JobHandle running;

    public record DeviceServices(DeviceSelection selection, ProviderTrial trial) {}

    /// @param automatic name of the device that "automatic" means; empty before the first listing
    public record DeviceList(List<KnownDevice> devices, String automatic, List<UnreadableProvider> unreadable) {}

    public record UnreadableProvider(Path folder, String reason) {}

    /// What runs now.
    /// @param title empty: nothing
    /// @param share from 0 to 1; negative if unknown
    public record DeviceTask(String title, double share) {
        static final DeviceTask NONE = new DeviceTask("", 0);

        public boolean isRunning() { return !title.isEmpty(); }
    }

    /// @param onChanged called when "automatic" may mean another device
    public DevicesViewModel(Jobs jobs, DeviceServices services, FileChoosers choosers, Deletions deletions,
            Runnable onChanged) {
        this.jobs = jobs;
        this.services = services;
        this.choosers = choosers;
        this.deletions = deletions;
        this.onChanged = onChanged;
    }

    public ReadOnlyObjectProperty<DeviceList> devices() {
        return devices.getReadOnlyProperty();
    }

    public ReadOnlyObjectProperty<DeviceTask> task() {
        return task.getReadOnlyProperty();
    }

    /// Why the last package was not added, or devices could not be measured.
    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    public void load() {
        jobs.start(text("provider.listing-the-devices"), cancellation -> list(), found -> {
            devices.set(found);
            onChanged.run();
        }, problem::set);
    }

    private DeviceList list() throws Failure {
        DeviceSelection selection = services.selection();
        List<UnreadableProvider> unreadable = new ArrayList<>();
        selection.store()
                .list()
                .unreadable()
                .forEach((folder, reason) -> unreadable.add(new UnreadableProvider(folder, FailureText.of(reason))));
        return new DeviceList(selection.known(), selection.automatic().name(), unreadable);
    }

    public void chooseFile() {
        choosers.provider(text("provider.choose-a-package")).ifPresent(this::add);
    }

    /// Adds a package and measures its devices. Ignored while something runs.
    /// @param source a wheel, an archive or a folder
    public void add(Path source) {
        Consumer<ProviderStore.Progress> progress = jobs.deliverLatest(this::show);
        String title = text("provider.adding", source.getFileName());
        start(title, cancellation -> services.selection()
                .store()
                .add(source, services.trial(), progress, cancellation), added -> measureNew());
    }

    private void show(ProviderStore.Progress progress) {
        if (!task.get().isRunning()) return;
        task.set(switch (progress) {
            case ProviderStore.Progress.Unpacking(long done, long total) -> new DeviceTask(
                    text("provider.copying", DisplayFormat.bytes(done), DisplayFormat.bytes(total)),
                    total == 0 ? 1 : (double) done / total);
            case ProviderStore.Progress.Trying _ -> new DeviceTask(text("provider.trying"), -1);
        });
    }

    /// Devices that have no measurement.
    private void measureNew() {
        measure(KnownDevice::isUnmeasured);
    }

    /// Measures all devices.
    public void measure() {
        measure(device -> true);
    }

    private void measure(Predicate<KnownDevice> wanted) {
        Consumer<String> progress = jobs.deliverLatest(name -> {
            if (task.get().isRunning()) task.set(new DeviceTask(text("provider.measuring", name), -1));
        });
        start(text("provider.measuring-devices"), cancellation -> {
            List<String> failures = new ArrayList<>();
            for (KnownDevice device : services.selection().known()) {
                if (!wanted.test(device)) continue;
                progress.accept(device.name());
                measure(device, cancellation, failures);
            }
            return failures;
        }, failures -> problem.set(String.join("\n", failures)));
    }

    private void measure(KnownDevice device, Cancellation cancellation, List<String> failures)
            throws InterruptedException {
        try {
            services.selection().save(services.trial().measure(device.name(), cancellation));
        } catch (Failure e) {
            failures.add(FailureText.of(e));
        }
    }

    private <T> void start(String title, Jobs.Job<T> job, Consumer<T> onSucceeded) {
        if (task.get().isRunning()) return;
        problem.set("");
        task.set(new DeviceTask(title, -1));
        running = jobs.start(title, job, outcome -> {
            task.set(DeviceTask.NONE);
            running = null;
            load();
            switch (outcome) {
                case JobOutcome.Succeeded<T>(T value) -> onSucceeded.accept(value);
                case JobOutcome.Failed<T>(String message) -> problem.set(message);
                case JobOutcome.Cancelled<T>() -> {}
            }
        });
    }

    public void cancel() {
        if (running != null) running.cancel();
    }

    /// Moves a provider to the trash and offers Undo.
    /// @param folder its folder
    public void remove(Path folder) {
        deletions.delete(text("provider.execution-provider", folder.getFileName()),
                services.selection().files(folder), this::load);
    }
}
