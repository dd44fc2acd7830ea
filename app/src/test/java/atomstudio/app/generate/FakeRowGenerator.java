package atomstudio.app.generate;

import atomstudio.app.jobs.Cancellation;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.ImageMetadata;
import atomstudio.diffusion.image.Infotext;
import atomstudio.diffusion.image.RgbImage;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/// Makes pictures of one colour, and fails when it is told to.
public final class FakeRowGenerator implements RowGenerator {
    public final List<RowRequest> orders = new ArrayList<>();
    public IntConsumer onStep = step -> {};
    public @Nullable Failure failure;

    @Override
    public void generate(RowRequest order, RowListener listener, Cancellation cancellation) throws Failure {
        orders.add(order);
        List<Long> seeds = order.settings().seeds().list();
        int of = seeds.size() * order.settings().sampling().steps();
        for (int column = 0; column < seeds.size(); column++) {
            for (int step = 1; step <= order.settings().sampling().steps(); step++) {
                onStep.accept(column * order.settings().sampling().steps() + step);
                cancellation.throwIfRequested();
                listener.step(column * order.settings().sampling().steps() + step, of);
            }
            if (failure != null && column == 1) throw failure;
            listener.image(column, new GeneratedImage(RgbImage.filled(4, 4, (int) (0x100000 + seeds.get(column))),
                    new ImageMetadata(Infotext.of(order.prompt(), "").withSeed(seeds.get(column)), List.of())));
        }
    }
}
