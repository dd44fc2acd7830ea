package atomstudio.app.settings;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.CardView;
import atomstudio.app.controls.MutedLabelView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.controls.TitleConverter;
import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.provider.DeviceJson;
import atomstudio.app.provider.DeviceSelection;
import atomstudio.app.provider.DeviceSelection.KnownDevice;
import atomstudio.app.provider.DevicesViewModel;
import atomstudio.app.provider.DevicesViewModel.DeviceTask;
import atomstudio.app.provider.Measurement;
import atomstudio.app.provider.Provider;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.ProviderDevice;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import javafx.css.PseudoClass;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.ChoiceBox;
import javafx.scene.control.Label;
import javafx.scene.control.ProgressBar;
import javafx.scene.input.DragEvent;
import javafx.scene.input.TransferMode;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;
import org.kordamp.ikonli.feather.Feather;
import org.kordamp.ikonli.javafx.FontIcon;

/// The devices: which one samples, what each was measured to do, and the execution providers that bring them.
final class DevicesView extends CardView {
    private static final PseudoClass DROPPING = PseudoClass.getPseudoClass("dropping");

    private static final double CHOICE_WIDTH = 280;

    private final SettingsViewModel settings;
    private final DevicesViewModel model;
    private final ChoiceBox<String> choice = new ChoiceBox<>();
    private final VBox rows = new VBox(10);

    DevicesView(SettingsViewModel settings, DevicesViewModel model) {
        super(text("settings.devices"));
        this.settings = settings;
        this.model = model;
        setId("devices-card");
        choice.setId("device");
        choice.setMinWidth(CHOICE_WIDTH); // its own is that of the first items
        choice.setAccessibleText(text("settings.device"));
        choice.setConverter(new TitleConverter<>(this::title));
        choice.valueProperty().subscribe(chosen -> {
            if (chosen != null) settings.device(chosen);
        });
        model.devices().subscribe(this::show);
        add(choice, new MutedLabelView(text("settings.devices.automatic-is-the-fastest")), rows, dropZone(), buttons(),
                progress(), new NoteView(NoteView.NoteKind.ERROR, model.problem()),
                new MutedLabelView(text("settings.devices.nothing-is-downloaded")));
    }

    private void show(DevicesViewModel.DeviceList list) {
        String chosen = settings.device().getValue();
        // Set again, because titles depend on the list.
        choice.getItems().clear();
        choice.getItems()
                .setAll(Stream.of(Stream.of(DeviceSelection.AUTO), list.devices().stream().map(KnownDevice::name),
                        Stream.of(chosen)).flatMap(names -> names).distinct().toList());
        choice.setValue(chosen);
        List<Node> shown = new ArrayList<>();
        Set<Path> removable = new HashSet<>();
        for (KnownDevice device : list.devices()) {
            Optional<Path> folder = device.provider().map(Provider::folder).filter(removable::add);
            shown.add(row(device, folder, device.name().equals(list.automatic())));
        }
        for (DevicesViewModel.UnreadableProvider provider : list.unreadable())
            shown.add(row(provider.folder().getFileName().toString(), new MutedLabelView(provider.reason()),
                    Optional.of(provider.folder())));
        rows.getChildren().setAll(shown);
    }

    private String title(String name) {
        if (!name.equals(DeviceSelection.AUTO)) return deviceTitle(name);
        String automatic = model.devices().get().automatic();
        return automatic.isEmpty() ? text("settings.devices.automatic")
                : text("settings.devices.automatic-now", deviceTitle(automatic));
    }

    private static String deviceTitle(String name) {
        return name.equals(Device.CPU.name()) || name.equals(Device.CUDA.name()) ? name.toUpperCase(Locale.ROOT) : name;
    }

    private Node row(KnownDevice device, Optional<Path> folder, boolean isAutomatic) {
        List<String> details = new ArrayList<>();
        if (device.device() instanceof ProviderDevice provided) {
            ProviderDevice.Hardware hardware = provided.hardware();
            details.add(hardware.model().isBlank() ? hardware.vendor() : hardware.model());
            details.add(hardware.kind().name());
            hardware.memoryBytes().ifPresent(bytes -> details.add(DisplayFormat.bytes(bytes)));
            details.add(DeviceJson.option(provided.precision()));
        }
        details.add(device.provider().map(Provider::title).orElse(text("settings.devices.built-in")));
        Label pace = new Label(device.measurement().map(DevicesView::pace).orElse(text("settings.devices.unmeasured")));
        pace.getStyleClass().add(isAutomatic && device.measurement().isPresent() ? "good" : "muted");
        VBox words = new VBox(2, new MutedLabelView(String.join(" · ", details), "small-text"), pace);
        return row(deviceTitle(device.name()), words, folder);
    }

    private static String pace(Measurement measurement) {
        String error = Double.isFinite(measurement.error()) ? DisplayFormat.percent(measurement.error())
                : text("settings.devices.not-finite");
        return text("settings.devices.pace", String.format(Locale.ROOT, "%.1f", 1000 * measurement.secondsPerStep()),
                error);
    }

    private HBox row(String name, Node details, Optional<Path> folder) {
        Label title = new Label(name);
        title.getStyleClass().add("card-title");
        title.setMinWidth(120);
        HBox.setHgrow(details, Priority.ALWAYS);
        HBox row = new HBox(12, title, details);
        row.setAlignment(Pos.CENTER_LEFT);
        folder.ifPresent(path -> {
            Button remove = new ActionButtonView(text("settings.devices.remove"), () -> model.remove(path), "small")
                    .withId("remove-provider-" + path.getFileName());
            remove.disableProperty().bind(model.task().map(DeviceTask::isRunning));
            row.getChildren().add(remove);
        });
        return row;
    }

    private Node dropZone() {
        FontIcon icon = new FontIcon(Feather.CPU);
        Label hint = new Label(text("settings.devices.drop-a-package"), icon);
        hint.setWrapText(true);
        hint.setMaxWidth(Double.MAX_VALUE);
        hint.setAlignment(Pos.CENTER);
        hint.setId("drop-provider");
        hint.getStyleClass().add("drop-target");
        hint.setGraphicTextGap(12);
        hint.setOnDragOver(drag -> {
            if (file(drag).isEmpty()) return;
            drag.acceptTransferModes(TransferMode.COPY);
            hint.pseudoClassStateChanged(DROPPING, true);
            drag.consume();
        });
        hint.setOnDragExited(drag -> hint.pseudoClassStateChanged(DROPPING, false));
        hint.setOnDragDropped(drag -> {
            file(drag).ifPresent(model::add);
            drag.setDropCompleted(true);
            drag.consume();
        });
        return hint;
    }

    /// A single dragged file or folder.
    private static Optional<Path> file(DragEvent drag) {
        return drag.getDragboard().getFiles().size() == 1
                ? Optional.of(drag.getDragboard().getFiles().getFirst().toPath())
                : Optional.empty();
    }

    private Node buttons() {
        Button add = new ActionButtonView(text("settings.devices.add-a-provider"), model::chooseFile)
                .withId("add-provider");
        Button measure = new ActionButtonView(text("settings.devices.measure"), model::measure)
                .withId("measure-devices");
        for (Button button : List.of(add, measure))
            button.disableProperty().bind(model.task().map(DeviceTask::isRunning));
        return new HBox(8, add, measure);
    }

    private Node progress() {
        Label title = new Label();
        title.textProperty().bind(model.task().map(DeviceTask::title));
        ProgressBar bar = new ProgressBar();
        bar.progressProperty().bind(model.task().map(DeviceTask::share));
        bar.setAccessibleText(text("settings.devices.progress"));
        Region gap = new Region();
        HBox.setHgrow(gap, Priority.ALWAYS);
        HBox line = new HBox(8, title, bar, gap,
                new ActionButtonView(text("settings.devices.cancel"), model::cancel).withId("cancel-devices"));
        line.setAlignment(Pos.CENTER_LEFT);
        line.visibleProperty().bind(model.task().map(DeviceTask::isRunning));
        line.managedProperty().bind(line.visibleProperty());
        return line;
    }
}
