package atomstudio.app.generate;

import atomstudio.app.desktop.AppSettings;
import atomstudio.app.jobs.Cancellation;
import atomstudio.app.jobs.Devices;
import atomstudio.app.jobs.EngineName;
import atomstudio.app.jobs.LivePreview;
import atomstudio.app.jobs.LoadedAdapter;
import atomstudio.app.jobs.PictureMaker;
import atomstudio.app.jobs.PromptAdapters;
import atomstudio.app.models.Vocabularies;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Applied;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.model.ModelChoices;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.picture.Making;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.picture.Pictures;
import atomstudio.diffusion.picture.PngAttachment;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.tuning.adapter.BaseHashes;
import atomstudio.tuning.adapter.FileHashes;
import atomstudio.tuning.measure.Embedding;
import atomstudio.tuning.measure.Measures;
import atomstudio.tuning.measure.Ruler;
import atomstudio.tuning.measure.Samples;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Rows by the chosen engine in this process. The model stays open from one row to the next; one row at a time.
public final class EngineRows implements RowMaker, RowJudge {
    private final BaseHashes hashes;
    private final AtomicReference<Consumer<String>> notes = new AtomicReference<>(unheard -> {});
    private final Vocabularies vocabularies;
    private final Supplier<AppSettings.GenerationPreferences> wishes;
    private Optional<Path> lookedThrough = Optional.empty();
    private @Nullable PictureMaker open;
    private EngineName openedBy = EngineName.AUTO;

    /// @param vocabularies where to look for the tokenizer of a model that brings none
    /// @param wishes how pictures are to be made, asked before every row
    public EngineRows(BaseHashes hashes, Vocabularies vocabularies, Supplier<AppSettings.GenerationPreferences> wishes) {
        this.wishes = wishes;
        this.hashes = hashes;
        this.vocabularies = vocabularies;
    }

    @Override public synchronized void make(RowOrder order, Listener listener, Cancellation cancellation) throws Failure {
        PictureMaker maker = maker(order.model());
        maker.heed(wishes.get().safetyFilter());
        PromptAdapters asked = PromptAdapters.of(new Generation.Prompt(order.prompt(), order.settings().negative().strip()), vocabularies.home());
        asked.notes().forEach(listener::warning);
        Worn worn = worn(order, asked, maker, listener);
        Optional<String> source = order.settings().start().given().map(PictureSettings.Given::name);
        List<Long> seeds = order.settings().seeds().list();
        notes.set(listener::warning);
        lookThrough(maker, listener);
        order.generation(seeds.getFirst(), worn.applied).settings().sampling().warnings(maker.model().scheduler()).forEach(listener::warning);
        for (int column = 0; column < seeds.size(); column++) {
            Generation generation = order.generation(seeds.get(column), worn.applied).with(asked.prompt());
            int steps = maker.steps(generation);
            LivePreview preview = new LivePreview(maker, new Place(column, listener));
            int before = column * steps;
            Picture picture = maker.make(generation, step -> {
                listener.step(before + step.completedSteps(), seeds.size() * steps);
                if (cancellation.requested()) return StepListener.Next.STOP;
                if (step.completedSteps() < steps) preview.show(step.denoised());
                return StepListener.Next.CONTINUE;
            }).orElseThrow(CancellationException::new);
            listener.picture(column, new Made(picture, new Making(maker.text(generation, source), worn.attachments)));
        }
        // May read the whole model once: not before the first pictures.
        for (LoadedAdapter one : worn.loaded) one.otherWeights(hashes).ifPresent(listener::warning);
    }

    /// A row's adapters, and what its pictures carry along.
    private record Worn(List<LoadedAdapter> loaded, List<Applied> applied, List<PngAttachment> attachments) {
        void put(LoadedAdapter adapter, Applied at) {
            loaded.add(adapter);
            applied.add(at);
            adapter.attachment().ifPresent(attachments::add);
        }
    }

    private static Worn worn(RowOrder order, PromptAdapters asked, PictureMaker maker, Listener listener) throws Failure {
        Worn all = new Worn(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        for (PictureSettings.Worn one : order.worn()) {
            for (LoadedAdapter loaded : LoadedAdapter.load(one.file(), maker.model())) {
                loaded.notes().forEach(listener::warning);
                loaded.untriggered(asked.prompt()).ifPresent(listener::warning);
                all.put(loaded, new Applied(loaded.adapter(), one.strength()));
            }
        }
        for (PromptAdapters.Named one : asked.named()) {
            for (LoadedAdapter loaded : LoadedAdapter.load(one.file(), maker.model())) {
                loaded.notes().forEach(listener::warning);
                all.put(loaded, one.apply(loaded.adapter()));
            }
        }
        return all;
    }

    /// Where a picture emerges.
    private record Place(int column, Listener listener) implements Consumer<Picture> {
        @Override public void accept(Picture emerging) {
            listener.emerging(column, emerging);
        }
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
            measures.add(ruler.measure(subject, List.of(new Samples(pictures, ruler.prompt(PromptAdapters.of(new Generation.Prompt(question.prompt(), ""), vocabularies.home()).prompt().text())))));
        }
        return Optional.of(measures);
    }

    /// A decoder that is none is no reason to make no pictures.
    private void lookThrough(PictureMaker maker, Listener listener) {
        Optional<Path> wanted = wishes.get().previewDecoder();
        if (wanted.equals(lookedThrough)) return;
        try {
            if (wanted.isPresent()) maker.lookThrough(wanted.get(), Devices.here().choose(Optional.empty()));
            else maker.lookPlainly();
            lookedThrough = wanted;
        } catch (Failure e) {
            listener.warning("Previews without the chosen decoder: " + e.getMessage());
        }
    }

    private PictureMaker maker(Path model) throws Failure {
        EngineName engine = wishes.get().engine();
        if (open != null && engine == openedBy && open.model().folder().equals(model) && open.current()) return open;
        close();
        openedBy = engine;
        open = PictureMaker.open(ModelFolder.open(model, ModelChoices.searching(vocabularies.places())), Devices.here().choose(Optional.empty()), engine, note -> notes.get().accept(note));
        open.name(new FileHashes(hashes.memory()));
        return open;
    }

    @Override public synchronized void close() {
        if (open != null) open.close();
        open = null;
        lookedThrough = Optional.empty();
    }
}
