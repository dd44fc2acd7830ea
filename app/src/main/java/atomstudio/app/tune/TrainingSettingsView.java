package atomstudio.app.tune;

import atomstudio.tuning.train.TrainingSetting;
import java.util.EnumMap;
import java.util.Map;
import java.util.stream.Stream;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.Tooltip;
import javafx.scene.layout.FlowPane;
import javafx.scene.layout.HBox;
import javafx.scene.layout.VBox;

/// How the method is trained, in groups; made from the family of training settings.
final class TrainingSettingsView extends VBox {
    private final TrainingViewModel model;
    private final Map<TrainingSetting, OptionView> views = new EnumMap<>(TrainingSetting.class);

    /// What settings are about.
    private enum Group {
        COURSE("Course"), PICTURES("Pictures"), CLASS("Keeping the class"), STEP("Each step"), WATCHING("Watching"), MACHINE("Machine");

        private final String title;

        Group(String title) {
            this.title = title;
        }

        static Group of(TrainingSetting setting) {
            return switch (setting) {
                case STEPS, RATE, ALSO_RATE, WORD_RATE, TEXT_ENCODER_RATE, WARMUP, DECAY, SEED -> COURSE;
                case SIZE, CROP, CAPTION_TEMPLATE, CAPTIONS, MASKS, FLIP -> PICTURES;
                case PRIOR, PRIOR_WEIGHT -> CLASS;
                case OPTIMIZER, BATCH, ACCUMULATE, EMA, MIN_SNR, NOISE_OFFSET -> STEP;
                case PREVIEW_EVERY, VALIDATE, STOP_EARLY -> WATCHING;
                case PRECISION, CHECKPOINTING, BANK -> MACHINE;
            };
        }
    }

    TrainingSettingsView(TrainingViewModel model) {
        super(5);
        this.model = model;
        setId("training-settings");
        getStyleClass().add("settings");
        for (TrainingSetting setting : TrainingSetting.values()) views.put(setting, view(setting));
        views.get(TrainingSetting.PRIOR).beside(chooser());
        for (Group group : Group.values()) getChildren().addAll(group(group));
        model.settings().subscribe(now -> views.values().forEach(OptionView::refresh));
        model.method().subscribe(now -> views.values().forEach(OptionView::refresh));
        model.wrong().subscribe(wrong -> views.values().forEach(view -> view.blame(wrong)));
    }

    private Node[] group(Group group) {
        Label title = new Label(group.title);
        title.getStyleClass().add("group-title");
        FlowPane flags = new FlowPane(14, 5);
        Stream<Node> fields = views.entrySet().stream().filter(entry -> Group.of(entry.getKey()) == group && !entry.getKey().flag()).map(Map.Entry::getValue);
        views.entrySet().stream().filter(entry -> Group.of(entry.getKey()) == group && entry.getKey().flag()).map(Map.Entry::getValue).forEach(flags.getChildren()::add);
        Stream<Node> last = flags.getChildren().isEmpty() ? Stream.of() : Stream.of(flags);
        return Stream.of(Stream.<Node>of(title), fields, last).flatMap(each -> each).toArray(Node[]::new);
    }

    private OptionView view(TrainingSetting setting) {
        OptionView.Kind kind = setting.flag() ? OptionView.Kind.FLAG : setting.names().isEmpty() ? OptionView.Kind.TEXT : OptionView.Kind.ONE_OF;
        OptionView.Option option = new OptionView.Option(setting.command(), setting.description(), kind, setting.names());
        return new OptionView(option, new OptionView.Value(() -> model.text(setting), () -> usual(setting), text -> model.type(setting, text)), TrainingSetting.YES);
    }

    private String usual(TrainingSetting setting) {
        return switch (setting) {
            case BATCH, SIZE -> "as the model";
            case PREVIEW_EVERY -> "five in all";
            case CAPTION_TEMPLATE -> "a few usual ones";
            case MIN_SNR, PRIOR -> "none";
            case STEPS, RATE, ALSO_RATE, WORD_RATE, TEXT_ENCODER_RATE, SEED, WARMUP, DECAY, OPTIMIZER, ACCUMULATE, EMA, CROP, FLIP, CAPTIONS, MASKS, BANK, NOISE_OFFSET, PRIOR_WEIGHT, VALIDATE, STOP_EARLY, PRECISION, CHECKPOINTING -> model.usual(setting);
        };
    }

    /// A folder for the class; `auto` is offered with it.
    private Node chooser() {
        Button auto = button("auto", "Let the model make pictures of the class", () -> model.type(TrainingSetting.PRIOR, model.text(TrainingSetting.PRIOR).equals("auto") ? "" : "auto"));
        Button folder = button("…", "Choose a folder with pictures of the class", model::choosePrior);
        HBox both = new HBox(3, auto, folder);
        both.setMinWidth(USE_PREF_SIZE);
        return both;
    }

    private static Button button(String text, String help, Runnable action) {
        Button button = new Button(text);
        button.setId("prior-" + (text.equals("…") ? "folder" : text));
        button.getStyleClass().add("small");
        button.setAccessibleText(help);
        button.setTooltip(new Tooltip(help));
        button.setOnAction(pressed -> action.run());
        return button;
    }
}
