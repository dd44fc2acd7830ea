package atomstudio.app.controls;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import javafx.geometry.Orientation;
import javafx.scene.Node;
import javafx.scene.layout.Pane;

/// Cards of equal width in as many columns as fit, each at the end of the shortest column.
public final class CardColumnsView extends Pane {
    private static final double GAP = 12;
    /// Of a few cards in a large window: what belongs together stays close.
    private static final double MAX_GROWTH = 2.5;

    private final double narrowest;

    /// @param narrowest width of a card, in pixels
    public CardColumnsView(double narrowest, Node... cards) {
        super(cards);
        this.narrowest = narrowest;
    }

    @Override
    public Orientation getContentBias() { return Orientation.HORIZONTAL; }

    @Override
    protected double computePrefWidth(double height) {
        return narrowest;
    }

    @Override
    protected double computePrefHeight(double width) {
        return layOut(width < 0 ? narrowest : width, false);
    }

    @Override
    protected void layoutChildren() {
        layOut(getWidth(), true);
    }

    /// @return the height of the longest column
    private double layOut(double width, boolean moving) {
        List<Node> cards = getManagedChildren();
        if (cards.isEmpty()) return 0;
        int columns = Math.clamp((int) ((width + GAP) / (narrowest + GAP)), 1, cards.size());
        double wide = Math.min(Math.floor((width + GAP) / columns - GAP), MAX_GROWTH * narrowest);
        double[] ends = new double[columns];
        for (Node card : cards) {
            int column = IntStream.range(0, columns).reduce(0, (best, one) -> ends[one] < ends[best] ? one : best);
            double height = snapSizeY(card.prefHeight(wide));
            if (moving) card.resizeRelocate(Math.round(column * (wide + GAP)), ends[column], wide, height);
            ends[column] += height + GAP;
        }
        return Arrays.stream(ends).max().orElse(0) - GAP;
    }
}
