package atomstudio.app.export;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.desktop.FakeDesktop;
import atomstudio.app.jobs.InlineJobs;
import atomstudio.app.process.RunSpec;
import atomstudio.app.runs.RunProgress;
import atomstudio.app.runs.RunSummary;
import atomstudio.diffusion.Failure;
import atomstudio.tuning.export.AdapterWriter;
import atomstudio.tuning.export.ExportFormat;
import atomstudio.tuning.export.ExportPlan;
import atomstudio.tuning.export.LowRankExport;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.run.RunFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class ExportViewModelTest {
    private final FakeDesktop desktop = new FakeDesktop();
    private final RunSummary run = new RunSummary(
            new RunSpec("car", Path.of("/model"), Path.of("/photos"), new RunSpec.SubjectPhrase("car", "sks"),
                    RunSpec.TrainingChoices.of(MethodName.LORA), Path.of("/runs/car-lora")),
            Instant.EPOCH, RunProgress.initial(RunProgress.RunPhase.DONE), RunFolder.Status.FINISHED, Optional.empty());

    private Optional<ExportPlan> plan = Optional.empty();
    private Optional<ExportPlan> completed = Optional.empty();

    private interface Export {
        String export(Path run, Path file, AdapterWriter format) throws Failure;
    }

    private ExportViewModel model(Export export) {
        return new ExportViewModel(new InlineJobs(), new ExportViewModel.Exporter() {
            @Override
            public String export(Path run, Path file, AdapterWriter format) throws Failure {
                return export.export(run, file, format);
            }

            @Override
            public ExportPlan plan(Path run, Consumer<ExportPlan> onSizes) throws Failure {
                plan.ifPresent(onSizes);
                return completed.or(() -> plan)
                        .orElseThrow(() -> new Failure.Unreadable(run + ": the run has no checkpoint to export"));
            }
        }, desktop, desktop);
    }

    @Test
    void dialogShowsThePlanAndExportsTheChosenFormat() {
        desktop.saveTarget = Path.of("/x.safetensors");
        plan = Optional.of(new ExportPlan(
                List.of(new ExportPlan.FormatSize(ExportFormat.ATOMSTUDIO, Optional.of(12_000L)),
                        new ExportPlan.FormatSize(ExportFormat.KOHYA, Optional.of(350_000L))),
                Optional.empty(), Optional.empty()));
        List<AdapterWriter> requested = new ArrayList<>();
        ExportViewModel model = model((from, to, format) -> {
            requested.add(format);
            return "";
        });
        model.open(run);
        assertEquals(plan, model.dialog().get().plan());
        model.exportShown(ExportFormat.KOHYA);
        assertEquals(List.of(ExportFormat.KOHYA), requested);
        assertNull(model.dialog().get());
    }

    @Test
    void sizesAreShownBeforeTheApproximateFormatIsComputed() {
        plan = Optional.of(new ExportPlan(
                List.of(new ExportPlan.FormatSize(ExportFormat.ATOMSTUDIO, Optional.of(12_000L)),
                        new ExportPlan.FormatSize(ExportFormat.LOCON, Optional.empty())),
                Optional.empty(), Optional.empty()));
        ExportViewModel model = model((from, to, format) -> "");
        List<Optional<ExportPlan>> shown = new ArrayList<>();
        model.dialog().addListener((property, before, now) -> {
            if (now != null) shown.add(now.plan());
        });
        // Its singular vectors cannot be computed.
        completed = Optional.of(
                new ExportPlan(plan.get().formats().subList(0, 1), Optional.empty(), Optional.of("no weights")));
        model.open(run);
        assertTrue(plan.get().lacksApproximate());
        assertEquals(List.of(Optional.empty(), plan, completed), shown);
        model.setBudget(new LowRankExport.Budget.Rank(4));
        assertEquals(Optional.empty(), model.dialog().get().approximation());
    }

    @Test
    void dialogShowsWhyThereIsNoPlan() {
        ExportViewModel model = model((from, to, format) -> "");
        model.open(run);
        assertEquals("car-lora: the run has no checkpoint to export. Path: /runs/car-lora",
                model.dialog().get().problem());
        model.close();
        assertNull(model.dialog().get());
    }

    @Test
    void reportsTheExportedFileAndShowsIt() {
        desktop.saveTarget = Path.of("/home/me/my-car.safetensors");
        ExportViewModel model = model((from, to, format) -> "");
        model.export(run, ExportFormat.ATOMSTUDIO);
        assertEquals("car-lora.safetensors", desktop.lastSuggestedName);
        assertEquals("Exported to /home/me/my-car.safetensors", model.exportNote().get().text());
        model.showInFolder();
        assertEquals(List.of(desktop.saveTarget), desktop.shownPaths);
    }

    @Test
    void offersSupportedFormatsAndNamesTheFileByFormat() {
        desktop.saveTarget = Path.of("/x.safetensors");
        List<AdapterWriter> requested = new ArrayList<>();
        ExportViewModel model = model((from, to, format) -> {
            requested.add(format);
            return "";
        });
        assertEquals(List.of(ExportFormat.ATOMSTUDIO, ExportFormat.KOHYA, ExportFormat.PEFT,
                ExportFormat.PEFT_FOLDER, ExportFormat.MERGED, ExportFormat.MERGED_DIFFUSERS, ExportFormat.MERGED_ONNX),
                model.formats(run));
        model.export(run, ExportFormat.MERGED_DIFFUSERS);
        assertEquals("car-lora-merged", desktop.lastSuggestedName);
        model.export(run, ExportFormat.KOHYA);
        assertEquals("car-lora-kohya.safetensors", desktop.lastSuggestedName);
        assertEquals(List.of(ExportFormat.MERGED_DIFFUSERS, ExportFormat.KOHYA), requested);
    }

    @Test
    void passesOnWhatIsWorthKnowing() {
        desktop.saveTarget = Path.of("/x.safetensors");
        ExportViewModel model = model((from, to, format) -> "The run is not finished: this is step 50 of 250.");
        model.export(run, ExportFormat.ATOMSTUDIO);
        assertTrue(model.exportNote().get().text().endsWith("step 50 of 250."), model.exportNote().get().text());
    }

    @Test
    void reportsFailedExports() {
        desktop.saveTarget = Path.of("/full/x.safetensors");
        ExportViewModel model = model((from, to, format) -> {
            throw new Failure.Unwritable("/full/x.safetensors: the disk is full", new IOException());
        });
        model.export(run, ExportFormat.ATOMSTUDIO);
        assertEquals("x.safetensors: the disk is full. Path: /full/x.safetensors", model.exportNote().get().text());
        model.showInFolder();
        assertEquals(List.of(), desktop.shownPaths);
    }

    @Test
    void closingTheChooserExportsNothing() {
        ExportViewModel model = model((from, to, format) -> {
            throw new AssertionError("unexpected export");
        });
        model.export(run, ExportFormat.ATOMSTUDIO);
        assertNull(model.exportNote().get());
    }
}
