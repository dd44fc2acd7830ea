package atomstudio.app.generate;

import atomstudio.app.jobs.Cancellation;
import atomstudio.app.jobs.Devices;
import atomstudio.app.jobs.LoadedAdapter;
import atomstudio.app.jobs.PictureMaker;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Applied;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.picture.Making;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.picture.Pictures;
import atomstudio.diffusion.picture.PngAttachment;
import atomstudio.diffusion.sample.Sampling;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.tuning.adapter.BaseHashes;
import atomstudio.tuning.measure.Embedding;
import atomstudio.tuning.measure.Measures;
import atomstudio.tuning.measure.Ruler;
import atomstudio.tuning.measure.Samples;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/// Rows by ONNX Runtime in this process. The model stays open from one row to the next; one row at a time.
public final class EngineRows implements RowMaker, RowJudge {
    private final BaseHashes hashes;
    private @Nullable PictureMaker open;

    public EngineRows(BaseHashes hashes) {
        this.hashes = hashes;
    }

    @Override public synchronized void make(RowOrder order, Listener listener, Cancellation cancellation) throws Failure {
        PictureMaker maker = maker(order.model());
        PictureSettings settings = order.settings();
        Generation.Prompt prompt = new Generation.Prompt(order.prompt(), settings.negative().strip());
        List<LoadedAdapter> loaded = order.adapter().isPresent() ? LoadedAdapter.load(order.adapter().get(), maker.model()) : List.of();
        for (LoadedAdapter one : loaded) one.untriggered(prompt).ifPresent(listener::warning);
        List<Applied> applied = loaded.stream().map(one -> new Applied(one.adapter(), settings.strength())).toList();
        List<PngAttachment> attachments = loaded.stream().map(LoadedAdapter::attachment).flatMap(Optional::stream).toList();
        List<Long> seeds = settings.seeds().list();
        for (int column = 0; column < seeds.size(); column++) {
            Generation generation = new Generation(prompt,
                Generation.Settings.of(Sampling.of(settings.sampler(), ScheduleName.MODEL, settings.steps()), settings.guidance(), settings.size().width(), settings.size().height()),
                seeds.get(column), applied);
            int before = column * settings.steps();
            Picture picture = maker.make(generation, step -> {
                listener.step(before + Math.min(step.done(), settings.steps()), seeds.size() * settings.steps());
                return cancellation.requested() ? StepListener.Next.STOP : StepListener.Next.CONTINUE;
            }).orElseThrow(CancellationException::new);
            listener.picture(column, new Made(picture, new Making(maker.text(generation), attachments)));
        }
        // May read the whole model once: not before the first pictures.
        for (LoadedAdapter one : loaded) one.otherWeights(hashes).ifPresent(listener::warning);
    }

    @Override public synchronized Optional<List<Measures>> judge(Question question, Cancellation cancellation) throws Failure {
        Optional<Ruler> found = maker(question.model()).ruler();
        if (found.isEmpty()) return Optional.empty();
        Ruler ruler = found.get();
        List<Embedding> subject = new ArrayList<>();
        for (Path file : question.subject()) {
            cancellation.check();
            subject.add(ruler.picture(Pictures.read(file)));
        }
        List<Measures> measures = new ArrayList<>();
        for (List<Picture> row : question.rows()) {
            List<Embedding> pictures = new ArrayList<>();
            for (Picture picture : row) {
                cancellation.check();
                pictures.add(ruler.picture(picture));
            }
            measures.add(ruler.measure(subject, List.of(new Samples(pictures, ruler.prompt(question.prompt())))));
        }
        return Optional.of(measures);
    }

    private PictureMaker maker(Path model) throws Failure {
        if (open != null && open.model().folder().equals(model)) return open;
        close();
        open = PictureMaker.open(ModelFolder.open(model), Devices.here().choose(Optional.empty()));
        return open;
    }

    @Override public synchronized void close() {
        if (open != null) open.close();
        open = null;
    }
}
