package atomstudio.app.generate;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.LabeledFieldView;
import atomstudio.app.controls.MutedLabelView;
import atomstudio.app.controls.SegmentedView;
import atomstudio.app.controls.ValueFieldView;
import atomstudio.app.pipeline.GenerationLimits;
import atomstudio.app.pipeline.GenerationQuality;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.CheckBox;
import javafx.scene.control.Hyperlink;
import javafx.scene.control.Label;
import javafx.scene.control.Tooltip;
import javafx.scene.layout.FlowPane;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.VBox;

/// The number of images and their quality: a preset, or all settings of the sampler.
final class QualityView extends VBox {
    private static final List<Integer> COUNTS = List.of(1, 4, 9);

    private final GenerateViewModel model;

    QualityView(GenerateViewModel model) {
        super(6);
        this.model = model;
        SegmentedView<Integer> counts = new SegmentedView<>(text("generate.images"),
                COUNTS.stream().map(count -> new SegmentedView.Segment<>(count, count.toString(), "")).toList(),
                this::setCount);
        counts.setId("image-count");
        model.settings().map(now -> now.seeds().count()).subscribe(counts::show);
        SegmentedView<GenerationQuality> quality = new SegmentedView<>(text("generate.quality"),
                Arrays.stream(GenerationQuality.values())
                        .map(one -> new SegmentedView.Segment<>(one, title(one), ""))
                        .toList(),
                this::choose);
        quality.setId("quality");
        VBox countSection = GeneratePanelView.section(GeneratePanelView.title(text("generate.images")), counts);
        VBox qualitySection = GeneratePanelView.section(GeneratePanelView.title(text("generate.quality")), quality);
        countSection.setMinWidth(112);
        countSection.setMaxWidth(112);
        HBox.setHgrow(qualitySection, Priority.ALWAYS);
        Label line = new MutedLabelView("", "small-text");
        line.setId("quality-line");
        line.setWrapText(true);
        Hyperlink customize = new Hyperlink();
        customize.setId("customize");
        VBox expert = expertGroup();
        expert.setVisible(false);
        expert.setManaged(false);
        expert.setDisable(true);
        customize.setOnAction(pressed -> {
            expert.setVisible(!expert.isVisible());
            expert.setManaged(expert.isVisible());
            expert.setDisable(!expert.isVisible());
        });
        customize.textProperty()
                .bind(expert.visibleProperty()
                        .map(open -> open ? text("generate.customize.close") : text("generate.customize")));
        getChildren().addAll(new HBox(14, countSection, qualitySection), line, customize, expert);
        model.settings().subscribe(now -> {
            quality.show(shown(now));
            line.setText(now.sampling().summary());
        });
        model.defaults().subscribe(now -> quality.show(shown(model.settings().get())));
    }

    private static String title(GenerationQuality quality) {
        return switch (quality) {
            case FAST -> text("generate.quality.fast");
            case NORMAL -> text("generate.quality.normal");
            case FINE -> text("generate.quality.fine");
        };
    }

    private GenerationQuality shown(ImageSettings settings) {
        return Arrays.stream(GenerationQuality.values())
                .filter(one -> settings.sampling().with(one, model.defaults().getValue()).equals(settings.sampling()))
                .findFirst()
                .orElse(null);
    }

    private void choose(GenerationQuality quality) {
        model.updateSettings(
                now -> now.withSampling(now.sampling().with(quality, model.defaults().getValue())));
    }

    private void setCount(int count) {
        model.updateSettings(now -> now.withSeeds(new ImageSettings.Seeds(now.seeds().first(), count)));
    }

    private VBox expertGroup() {
        ValueFieldView<Double> count = ValueFieldView.ofNumber(
                new ValueFieldView.NumberRange(1, ImageSettings.MAX_SEEDS, 1), GeneratePanelView.INTEGER,
                value -> setCount((int) value));
        count.setPrefColumnCount(2);
        count.setId("exact-count");
        model.settings().subscribe(now -> count.showValue((double) now.seeds().count()));
        VBox group = new VBox(6, new SamplingView(model),
                new FlowPane(6, 6, hiresField(), new LabeledFieldView(text("generate.images"), count)));
        group.getStyleClass().add("expert-group");
        return group;
    }

    private Node hiresField() {
        ValueFieldView<Double> scale = ValueFieldView.ofNumber(
                new ValueFieldView.NumberRange(GenerationLimits.HIRES_SCALE, 0.1), ImageSettings::number,
                value -> model.source().setHiresScale(OptionalDouble.of(value)));
        scale.setId("hires-scale");
        scale.setAccessibleText(text("generate.hires.scale"));
        scale.setPrefColumnCount(3);
        scale.showValue(2.0);
        CheckBox on = new CheckBox(text("generate.hires"));
        on.setId("hires");
        on.setTooltip(new Tooltip(text("generate.hires.tip")));
        HBox field = new HBox(4, on, new Label("×"), scale);
        field.setAlignment(Pos.CENTER_LEFT);
        field.getStyleClass().add("field");
        field.setMaxHeight(USE_PREF_SIZE);
        model.settings().map(now -> now.source().hiresScale()).subscribe(now -> {
            on.setSelected(now.isPresent());
            scale.setDisable(now.isEmpty());
            if (now.isPresent()) scale.showValue(now.getAsDouble());
        });
        on.setOnAction(pressed -> {
            Double chosen = scale.value();
            model.source()
                    .setHiresScale(on.isSelected() && chosen != null ? OptionalDouble.of(chosen)
                            : OptionalDouble.empty());
        });
        return field;
    }
}
