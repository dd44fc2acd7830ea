package atomstudio.app.generate;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.MutedLabelView;
import atomstudio.app.controls.SegmentedView;
import atomstudio.app.controls.ValueFieldView;
import atomstudio.app.generate.ImageSettings.OutputSize;
import atomstudio.app.pipeline.GenerationLimits;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleConsumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import javafx.geometry.Pos;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.ToggleButton;
import javafx.scene.control.Tooltip;
import javafx.scene.layout.HBox;
import javafx.scene.layout.VBox;
import org.kordamp.ikonli.feather.Feather;
import org.kordamp.ikonli.javafx.FontIcon;

/// Width and height: as a shape at the model's resolution, or exact.
final class SizeView extends VBox {
    private final GenerateViewModel model;
    private final SegmentedView<SizeChoice> shapes;
    private final ToggleButton exact;

    /// A segment: a shape, or the exact numbers.
    private enum SizeChoice { SQUARE, THREE_TO_TWO, TWO_TO_THREE, SIXTEEN_TO_NINE, EXACT }

    /// An aspect ratio. The shorter side is the model's own resolution.
    enum SizeShape {
        SQUARE("1:1", 1, 1),
        THREE_TO_TWO("3:2", 3, 2),
        TWO_TO_THREE("2:3", 2, 3),
        SIXTEEN_TO_NINE("16:9", 16, 9);

        /// Sides of large models are multiples of this, which the UNet's levels divide; of small ones, of 8.
        private static final int LARGE_MULTIPLE = 64;
        private static final int LARGE_MODEL_SIDE = 512;

        private final String title;
        private final int width;
        private final int height;

        SizeShape(String title, int width, int height) {
            this.title = title;
            this.width = width;
            this.height = height;
        }

        /// @param side the model's resolution
        OutputSize size(int side) {
            int multiple = side >= LARGE_MODEL_SIDE ? LARGE_MULTIPLE : ImageSettings.SIDE_MULTIPLE;
            int longer = multiple * Math.toIntExact(
                    Math.round((double) side * Math.max(width, height) / Math.min(width, height) / multiple));
            return width >= height ? new OutputSize(longer, side) : new OutputSize(side, longer);
        }

        private SizeChoice choice() {
            return SizeChoice.valueOf(name());
        }
    }

    SizeView(GenerateViewModel model) {
        super(6);
        this.model = model;
        List<SegmentedView.Segment<SizeChoice>> segments = Stream
                .concat(Arrays.stream(SizeShape.values())
                        .map(shape -> new SegmentedView.Segment<>(shape.choice(), shape.title, "")),
                        Stream.of(new SegmentedView.Segment<>(SizeChoice.EXACT, "…", text("generate.size.exact"))))
                .toList();
        shapes = new SegmentedView<>(text("generate.size"), segments, this::choose);
        shapes.setId("size-shapes");
        exact = shapes.button(SizeChoice.EXACT);
        Label size = new MutedLabelView("");
        Button swap = new ActionButtonView("",
                () -> resize(now -> new OutputSize(now.height(), now.width())), "flat", "small").withId("swap-sides");
        swap.setGraphic(new FontIcon(Feather.REPEAT));
        swap.setTooltip(new Tooltip(text("generate.size.swap")));
        swap.setAccessibleText(text("generate.size.swap"));
        HBox fields = exactFields();
        fields.visibleProperty().bind(exact.selectedProperty());
        fields.managedProperty().bind(fields.visibleProperty());
        getChildren().addAll(GeneratePanelView.title(text("generate.size"), size, swap), shapes, fields);
        model.settings().map(ImageSettings::size).subscribe(now -> {
            size.setText(now.toString());
            showShape();
        });
        model.defaults().subscribe(now -> showShape());
    }

    private void showShape() {
        OutputSize size = model.settings().get().size();
        int side = model.defaults().getValue().size();
        SizeChoice shown = Arrays.stream(SizeShape.values())
                .filter(shape -> shape.size(side).equals(size))
                .findFirst()
                .map(SizeShape::choice)
                .orElse(SizeChoice.EXACT);
        if (!exact.isSelected() || shown == SizeChoice.EXACT) shapes.show(shown);
    }

    private void choose(SizeChoice choice) {
        shapes.show(choice);
        if (choice != SizeChoice.EXACT)
            resize(now -> SizeShape.valueOf(choice.name()).size(model.defaults().getValue().size()));
    }

    private void resize(UnaryOperator<OutputSize> change) {
        model.updateSettings(now -> now.withSize(change.apply(now.size())));
    }

    private HBox exactFields() {
        ValueFieldView<Double> width = sideField(text("generate.size.width"),
                value -> resize(now -> new OutputSize((int) value, now.height())));
        ValueFieldView<Double> height = sideField(text("generate.size.height"),
                value -> resize(now -> new OutputSize(now.width(), (int) value)));
        width.setId("width");
        height.setId("height");
        model.settings().map(ImageSettings::size).subscribe(now -> {
            width.showValue((double) now.width());
            height.showValue((double) now.height());
        });
        HBox fields = new HBox(6, width, new Label("×"), height, new MutedLabelView(text("generate.size.unit")));
        fields.setAlignment(Pos.CENTER_LEFT);
        return fields;
    }

    private static ValueFieldView<Double> sideField(String name, DoubleConsumer onChange) {
        ValueFieldView<Double> field = ValueFieldView.ofNumber(
                new ValueFieldView.NumberRange(GenerationLimits.SIDE, ImageSettings.SIDE_MULTIPLE),
                GeneratePanelView.INTEGER, onChange);
        field.setAccessibleText(name);
        return field;
    }
}
