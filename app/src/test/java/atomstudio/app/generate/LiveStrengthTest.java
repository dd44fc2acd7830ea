package atomstudio.app.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import atomstudio.app.dataset.Subject;
import atomstudio.app.desktop.FakeDesktop;
import atomstudio.app.generate.ImageSettings.SelectedAdapter;
import atomstudio.app.generate.LiveStrength.DragState;
import atomstudio.app.jobs.ManualJobs;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.pipeline.ModelDefaults;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import javafx.beans.property.SimpleObjectProperty;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LiveStrengthTest {
    private static final Path INK = Path.of("/styles/ink.safetensors");

    private final ManualJobs jobs = new ManualJobs();
    private final FakeRowGenerator generator = new FakeRowGenerator();
    private Instant now = Instant.EPOCH;
    private final InstantSource clock = () -> now;
    @TempDir
    Path home;
    private GenerateViewModel.GenerationServices services;
    private GenerateViewModel generate;
    private GalleryRow row;

    @BeforeEach
    void openPage() {
        services = GenerateViewModelTest.generationServices(jobs, home, generator, new FakeDesktop());
        generate = new GenerateViewModel(jobs, services, clock,
                new SimpleObjectProperty<@Nullable ModelSummary>(new ModelSummary(Path.of("/model"), "Small",
                        ModelSummary.Origin.BUILT_IN, ModelDefaults.ofSize(128), 1000, List.of())),
                new SimpleObjectProperty<@Nullable Subject>());
        generate.updateSettings(old -> old.withAdapters(List.of(new SelectedAdapter(INK, 1))));
        jobs.runAll();
        row = generate.row();
    }

    private void drag(double strength, DragState state) {
        generate.adapters().setWeight(INK, strength);
        generate.live().render(state);
    }

    private List<Double> strengths() {
        return generator.requests.stream().map(request -> request.adapters().getFirst().weight()).toList();
    }

    @Test
    void newestStrengthWinsAndThoseBetweenAreDropped() {
        drag(0.5, DragState.MOVING);
        for (double strength : List.of(0.6, 0.7, 0.8, 0.9)) drag(strength, DragState.MOVING);
        assertEquals(1, jobs.pendingCount(), "one image at a time");
        jobs.runAll();
        assertEquals(List.of(0.5, 0.9), strengths());
        assertEquals(List.of(0L, 0L), generator.generatedSeeds, "the first image only, always of the same seed");
        assertNotNull(row.live().get());
        assertEquals(0, services.gallery().images().size(), "images of a drag are not kept");
    }

    @Test
    void imageOfTheReleasedStrengthIsKept() {
        drag(0.5, DragState.MOVING);
        jobs.runAll();
        drag(0.8, DragState.RELEASED);
        jobs.runAll();
        assertEquals(1, services.gallery().images().size());
        assertNull(row.live().get());
        assertEquals(GalleryRow.CellState.CURRENT, row.cells().getFirst().state());
        assertEquals(3, generate.plan().get().images(), "Generate makes the other three");
        drag(0.8, DragState.RELEASED);
        assertEquals(0, jobs.pendingCount(), "it is not generated again");
    }

    @Test
    void imageFinishedBeforeTheReleaseIsKept() {
        drag(0.5, DragState.MOVING);
        jobs.runAll();
        drag(0.5, DragState.RELEASED);
        jobs.runAll();
        assertEquals(List.of(0.5), strengths());
        assertEquals(1, services.gallery().images().size());
    }

    @Test
    void slowImageIsCancelledForNewerSettings() {
        generator.onStep = step -> {
            if (step != 3 || strengths().size() > 1) return;
            now = now.plus(Duration.ofSeconds(2));
            drag(0.9, DragState.MOVING);
        };
        drag(0.5, DragState.MOVING);
        jobs.runAll();
        assertEquals(List.of(0.5, 0.9), strengths());
        assertEquals(List.of(0L), generator.generatedSeeds, "the first one was cancelled");
    }

    @Test
    void otherImagesInTheQueueComeFirst() {
        services.queue().hold("Waiting for the run");
        drag(0.5, DragState.MOVING);
        assertEquals(0, jobs.pendingCount());
        services.queue().hold("");
        generate.generate();
        jobs.runNext();
        drag(0.6, DragState.MOVING);
        jobs.runAll();
        assertEquals(1, generator.requests.size(), "a drag neither waits nor pauses a run");
    }

    @Test
    void withoutAnAdapterNothingIsGenerated() {
        generate.updateSettings(old -> old.withAdapters(List.of()));
        generate.live().render(DragState.MOVING);
        assertEquals(0, jobs.pendingCount());
    }
}
