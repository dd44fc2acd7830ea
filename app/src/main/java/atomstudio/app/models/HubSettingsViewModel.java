package atomstudio.app.models;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.hub.HubAddress;
import atomstudio.app.hub.HubProxy;
import atomstudio.app.hub.HubSettings;
import atomstudio.app.hub.HubToken;
import atomstudio.app.hub.ModelHub;
import atomstudio.app.jobs.Jobs;
import java.util.Optional;
import java.util.function.Consumer;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;

/// How downloads reach the hub: its address, access token and proxy.
public final class HubSettingsViewModel {
    private final Jobs jobs;
    private final ModelHub hub;
    private final Consumer<String> problems;
    private final ReadOnlyObjectWrapper<HubSettings> current = new ReadOnlyObjectWrapper<>(HubSettings.DEFAULT);
    private final ReadOnlyStringWrapper proxyProblem = new ReadOnlyStringWrapper("");

    /// @param problems gets why something could not be read or saved; empty if it was
    HubSettingsViewModel(Jobs jobs, ModelHub hub, Consumer<String> problems) {
        this.jobs = jobs;
        this.hub = hub;
        this.problems = problems;
    }

    void load() {
        HubSettings before = current.get();
        jobs.start(text("models.reading-the-hubs-settings"), cancellation -> hub.settings(), saved -> {
            // Not over a change in the meantime.
            if (current.get().equals(before)) current.set(saved);
        }, problems);
    }

    public ReadOnlyObjectProperty<HubSettings> current() {
        return current.getReadOnlyProperty();
    }

    /// Saves the address of the hub.
    public void saveAddress(String text) {
        try {
            save(current.get().with(text.isBlank() ? HubAddress.DEFAULT : HubAddress.parse(text)));
        } catch (IllegalArgumentException e) {
            problems.accept(text("models.hub-2", e.getMessage()));
        }
    }

    /// Saves an access token for the current address; empty: forgets it.
    public void saveToken(String text) {
        try {
            save(current.get().with(text.isBlank() ? Optional.empty() : Optional.of(new HubToken(text))));
        } catch (IllegalArgumentException e) {
            problems.accept(text("models.access-token-2", e.getMessage()));
        }
    }

    /// Saves the proxy of downloads; empty: that of the environment.
    public void saveProxy(String text) {
        proxyProblem.set("");
        try {
            save(current.get()
                    .withProxy(text.isBlank() ? Optional.empty() : Optional.of(HubProxy.ProxyAddress.parse(text))));
        } catch (IllegalArgumentException e) {
            proxyProblem.set(text("models.proxy.invalid"));
        }
    }

    /// Why the proxy was not saved; empty if it was.
    public ReadOnlyStringProperty proxyProblem() {
        return proxyProblem.getReadOnlyProperty();
    }

    private void save(HubSettings changed) {
        problems.accept("");
        current.set(changed);
        jobs.start(text("models.saving-the-hubs-settings"), cancellation -> {
            hub.save(changed);
            return changed;
        }, saved -> {}, problems);
    }
}
