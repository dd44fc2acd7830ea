package atomstudio.app.window;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.compare.CompareTable;
import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.generate.GenerateViewModel;
import atomstudio.app.jobs.InlineJobs;
import atomstudio.app.notices.NoticesViewModel;
import atomstudio.app.pipeline.EngineName;
import atomstudio.app.pipeline.SafetyFilter;
import atomstudio.app.process.TrainingProcess;
import atomstudio.app.runs.RunSummary;
import atomstudio.app.runs.RunsViewModel;
import atomstudio.app.settings.AppSettings;
import atomstudio.app.subjects.SubjectPageViewModel;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.method.MethodName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The window's view models without a display.
class WindowViewModelTest {
    @TempDir
    Path folder;
    private FakeServices fake;
    private WindowViewModel window;

    @BeforeEach
    void open() {
        fake = new FakeServices(folder.resolve("home"), new InlineJobs());
        window = new WindowViewModel(fake.services);
        window.load();
    }

    private SubjectPageViewModel car() {
        window.start().useSample(window.start().samples().getFirst());
        return window.subjects().pages().getFirst();
    }

    private Path image(String name) throws Exception {
        Path file = folder.resolve(name);
        PngWriter.write(file, RgbImage.filled(8, 8, 0x00FF00), Map.of());
        return file;
    }

    @Test
    void comparisonNeedsThreeActions() {
        SubjectPageViewModel page = car();
        assertEquals(new WindowPage.SubjectPage(page), window.page().get());
        assertTrue(page.untrained().get());
        page.train().method().choose(MethodName.ATOMS);
        page.train().start();
        assertFalse(page.untrained().get());
        page.generate().generate();
        assertEquals(List.of("Base", "Filter atoms × 1.0"),
                page.compare().rows().stream().map(CompareTable.CompareRow::title).toList());
        assertEquals(List.of(4, 4), page.compare().imageRows().stream().map(List::size).toList());
        assertEquals("Filter atoms ✓", page.sidebarText().get());
    }

    @Test
    void photosDroppedOnSubjectPageAreAdded() throws Exception {
        SubjectPageViewModel page = car();
        window.drops().drop(List.of(image("another.png"), Files.writeString(folder.resolve("notes.txt"), "x")));
        assertEquals(7, page.subject().photos().size());
        assertEquals("notes.txt", page.subject().rejected().getFirst().file());
        assertEquals(1, window.subjects().pages().size());
    }

    @Test
    void photosDroppedElsewhereCreateSubject() throws Exception {
        window.openModels();
        window.drops().drop(List.of(image("a.png"), Files.writeString(folder.resolve("notes.txt"), "x")));
        SubjectPageViewModel page = window.subjects().pages().getFirst();
        assertInstanceOf(WindowPage.SubjectPage.class, window.page().get());
        assertEquals("notes.txt", page.subject().rejected().getFirst().file());
        assertEquals("Enter what it is to start.", page.train().missing().get());
        page.train().start();
        assertEquals(0, fake.launcher.specs.size());
        page.subject().setClassName("dog");
        assertEquals("", page.train().missing().get());
    }

    @Test
    void folderNameSetsClassWord() throws Exception {
        image("boat/1.png");
        window.drops().drop(List.of(folder.resolve("boat")));
        assertEquals("sks boat", window.subjects().pages().getFirst().subject().subject().get().promptPhrase());
    }

    @Test
    void methodsShowCostBeforeStart() {
        assertEquals("2,268 parameters · 9.6 KB",
                car().train().method().cost(MethodName.ATOMS).orElseThrow().summary());
    }

    @Test
    void showMeTrainsASampleAndComparesIt() {
        window.start().showMe();
        SubjectPageViewModel page = window.subjects().pages().getFirst();
        assertEquals(new WindowPage.SubjectPage(page), window.page().get());
        RunSummary run = page.runs().runs().getFirst();
        assertTrue(run.isDone());
        assertEquals("Atoms + word", run.title());
        assertEquals(SubjectPageViewModel.PageTab.COMPARE, page.tab().get());
        assertEquals(List.of(4, 4), page.compare().imageRows().stream().map(List::size).toList());
    }

    @Test
    void endOfARunIsNoticedWithTheBestPreview() {
        SubjectPageViewModel page = car();
        window.open(Screen.SETTINGS);
        page.train().start();
        NoticesViewModel.Notice notice = window.notices().notices().getLast();
        assertTrue(notice.text().startsWith("“car” was trained: Atoms + word, in "), notice.text());
        assertEquals("", window.trainingTitle().get());
        window.notices().act(notice);
        assertEquals(new WindowPage.SubjectPage(page), window.page().get());
        assertEquals(SubjectPageViewModel.PageTab.COMPARE, page.tab().get());
    }

    @Test
    void noticeOfARunGoesWhenCompareIsOpened() {
        SubjectPageViewModel page = car();
        page.train().start();
        NoticesViewModel.Notice notice = window.notices().notices().getLast();
        page.openTab(SubjectPageViewModel.PageTab.TRAIN);
        assertTrue(window.notices().notices().contains(notice));
        page.openTab(SubjectPageViewModel.PageTab.COMPARE);
        assertFalse(window.notices().notices().contains(notice), "it leads to Compare");
    }

    @Test
    void earlierRunGivesDurationEstimate() {
        SubjectPageViewModel page = car();
        page.train().method().choose(MethodName.ATOMS);
        assertEquals("", page.train().estimateText(page.train().method().settings().get().choice()));
        page.train().start();
        // 20 steps took 5 seconds.
        assertEquals("about " + DisplayFormat.roughDuration(MethodName.ATOMS.steps() / 4.0) + " · 1.2 GB of memory",
                page.train().estimateText(page.train().method().settings().get().choice()));
        page.train().training().setText(TrainingSetting.STEPS, "40");
        assertTrue(page.train().estimateText(page.train().method().settings().get().choice()).startsWith("about 10 s"),
                page.train().estimateText(page.train().method().settings().get().choice()));
    }

    @Test
    void statusLineAndSidebarShowRunOnEveryPage() {
        SubjectPageViewModel page = car();
        fake.launcher.onWait = step -> {
            if (step != 10) return;
            window.open(Screen.SETTINGS);
            assertEquals("Training car · step 10 of 20 · 3 s left", window.status().message().get());
            assertEquals("training · 50%", page.sidebarText().get());
            assertTrue(page.training().get());
        };
        page.train().start();
        assertEquals("Ready", window.status().message().get());
    }

    @Test
    void opensAndClosesPastRun() {
        SubjectPageViewModel page = car();
        page.train().start();
        RunSummary run = page.runs().runs().getFirst();
        page.runs().open(run);
        assertEquals(20, page.runs().shownRun().get().progress().losses().size());
        assertEquals(RunsViewModel.ShownRun.Liveness.PAST, page.runs().shownRun().get().liveness());
        page.runs().close();
        assertEquals(null, page.runs().shownRun().get());
    }

    @Test
    void failedRunStaysOpenWithReason() {
        SubjectPageViewModel page = car();
        fake.launcher.breakAt = 7;
        fake.launcher.breakCode = 139;
        page.train().start();
        assertTrue(
                page.runs().shownRun().get().progress().message().contains("crashed in native code (exit code 139)"));
        assertTrue(page.runs().problem().get().contains("Resume it"), page.runs().problem().get());
        fake.launcher.breakAt = Integer.MAX_VALUE;
        page.runs().resume(page.runs().runs().getFirst());
        assertTrue(page.runs().runs().getFirst().isDone());
        assertEquals("", page.runs().problem().get());
    }

    @Test
    void newestRunOfEachMethodIsARow() {
        SubjectPageViewModel page = car();
        page.train().start(MethodName.LORA);
        page.train().start(MethodName.LORA);
        page.train().start(MethodName.ATOMS);
        assertEquals(3, page.runs().runs().size());
        assertEquals(List.of("Base", "Filter atoms × 1.0", "LoRA rank 4 × 1.0"),
                page.compare().rows().stream().map(CompareTable.CompareRow::title).toList());
    }

    @Test
    void rowsCanBeShownAndHidden() {
        SubjectPageViewModel page = car();
        page.train().start(MethodName.LORA);
        page.train().start(MethodName.LORA);
        for (RunSummary run : List.copyOf(page.runs().runs())) page.toggleRow(run);
        assertEquals(2, page.compare().rows().size());
        assertFalse(page.isCompared(page.runs().runs().getFirst().folder()));
        assertTrue(page.isCompared(page.runs().runs().getLast().folder()));
        page.toggleRow(page.runs().runs().getFirst());
        assertEquals(3, page.compare().rows().size());
    }

    @Test
    void deletedSubjectReturnsWithItsRuns() {
        SubjectPageViewModel page = car();
        page.train().start(MethodName.LORA);
        window.delete(page);
        assertEquals(List.of(), window.subjects().pages());
        assertInstanceOf(WindowPage.StartPage.class, window.page().get());
        assertFalse(Files.exists(folder.resolve("home/runs/car-lora")));
        window.notices().undo();
        assertEquals(List.of(page), window.subjects().pages());
        assertEquals(1, page.runs().runs().size());
        assertTrue(Files.exists(folder.resolve("home/subjects/car/subject.json")));
    }

    @Test
    void deletedRunLeavesListAndGallery() {
        SubjectPageViewModel page = car();
        page.train().start(MethodName.LORA);
        page.runs().delete(page.runs().runs().getFirst());
        assertEquals(List.of(), page.runs().runs());
        assertEquals(1, page.compare().rows().size());
        window.notices().undo();
        assertEquals(1, page.runs().runs().size());
        assertEquals(2, page.compare().rows().size());
    }

    @Test
    void unexpectedErrorIsShownWithItsLog() {
        window.showUnexpected(new IllegalStateException("broken"));
        window.showUnexpected(new IllegalStateException("broken"));
        assertEquals(1, window.notices().notices().size(), "a repeated error is shown once");
        assertTrue(window.notices().notices().getFirst().text().contains("broken"));
        window.notices().act(window.notices().notices().getFirst());
        assertEquals(List.of(folder.resolve("home/studio.log").toAbsolutePath()), fake.desktop.shownPaths);
        assertEquals(List.of(), window.notices().notices());
    }

    @Test
    void secondStartLoadsSubjectsAndRuns() {
        car().train().start(MethodName.ATOMS);
        WindowViewModel restarted = new WindowViewModel(fake.services);
        restarted.load();
        assertEquals("Filter atoms ✓", restarted.subjects().pages().getFirst().sidebarText().get());
    }

    @Test
    void closesImmediatelyWithoutRun() {
        window.closing().requestClose();
        assertEquals(ClosingViewModel.ClosingState.CLOSED, window.closing().state().get());
    }

    @Test
    void closingDuringRunCanBeCancelled() {
        SubjectPageViewModel page = car();
        fake.launcher.onWait = step -> {
            if (step != 10) return;
            window.closing().requestClose();
            assertEquals(ClosingViewModel.ClosingState.CONFIRMING, window.closing().state().get());
            window.closing().cancel();
        };
        page.train().start();
        assertEquals(ClosingViewModel.ClosingState.OPEN, window.closing().state().get());
        assertTrue(page.runs().runs().getFirst().isDone());
    }

    @Test
    void savedRunResumesAfterRestart() {
        SubjectPageViewModel page = car();
        fake.launcher.onWait = step -> {
            if (step != 10) return;
            window.closing().requestClose();
            window.closing().saveAndClose();
            assertEquals(ClosingViewModel.ClosingState.STOPPING, window.closing().state().get());
        };
        page.train().start(MethodName.ATOMS);
        assertEquals(List.of(TrainingProcess.ProcessCommand.STOP), fake.launcher.commands);
        assertEquals(ClosingViewModel.ClosingState.CLOSED, window.closing().state().get());
        fake.launcher.onWait = step -> {};
        WindowViewModel restarted = new WindowViewModel(fake.services);
        restarted.load();
        SubjectPageViewModel found = restarted.subjects().pages().getFirst();
        assertFalse(found.runs().runs().getFirst().isDone());
        found.runs().resume(found.runs().runs().getFirst());
        assertTrue(found.runs().runs().getFirst().isDone());
    }

    @Test
    void discardDeletesUnfinishedRun() {
        SubjectPageViewModel page = car();
        fake.launcher.onWait = step -> {
            if (step != 10) return;
            window.closing().requestClose();
            window.closing().discard();
        };
        page.train().start(MethodName.ATOMS);
        assertEquals(ClosingViewModel.ClosingState.CLOSED, window.closing().state().get());
        assertFalse(Files.exists(folder.resolve("home/runs/car-atoms")));
    }

    @Test
    void themeIsSaved() {
        window.settings().toggleTheme();
        assertEquals(AppSettings.Theme.DARK, window.settings().theme().get());
        assertEquals(AppSettings.Theme.DARK, new WindowViewModel(fake.services).settings().theme().get());
    }

    @Test
    void safetyCheckerChangeOutdatesImages() {
        SubjectPageViewModel page = car();
        page.generate().generate();
        assertEquals(0, page.compare().cells().get().missing());
        window.settings().setSafety(SafetyFilter.OFF);
        assertEquals(4, page.compare().cells().get().missing());
        int before = fake.requests.size();
        page.generate().generate();
        assertEquals(before + 1, fake.requests.size());
        assertEquals(SafetyFilter.OFF, new WindowViewModel(fake.services).settings().safety().getValue());
    }

    @Test
    void engineChangeOutdatesImages() {
        window.openGenerate();
        GenerateViewModel generate = ((WindowPage.GeneratePage) window.page().get()).generate();
        generate.generate();
        window.settings().engine(EngineName.AUTO);
        assertFalse(generate.row().cells().getFirst().isStale(), "no change");
        window.settings().engine(EngineName.TORCH);
        assertTrue(generate.row().cells().getFirst().isStale());
        assertEquals(EngineName.TORCH, fake.desktop.get().generation().engine());
        assertEquals(EngineName.TORCH, new WindowViewModel(fake.services).settings().engine().getValue());
    }

    @Test
    void showsSystemInfo() {
        assertEquals("CPU · 2 threads · 3.1 GB free", window.status().systemInfo().get());
    }

    @Test
    void modelDroppedOnAnyPageIsOpened() throws Exception {
        Path model = Files.createDirectories(folder.resolve("my-model"));
        Files.writeString(model.resolve("model_index.json"), "{}");
        window.openGenerate();
        window.drops().drop(List.of(model));
        assertEquals(model, window.models().current().get().path());
        assertEquals(new WindowPage.ScreenPage(Screen.MODELS), window.page().get());
        Path adapter = Files.writeString(folder.resolve("adapter-model.safetensors"), "not a model");
        window.drops().drop(List.of(adapter));
        assertEquals(model, window.models().current().get().path());
    }

    @Test
    void imageDroppedOnGeneratePageIsSource() throws Exception {
        window.openGenerate();
        window.drops().drop(List.of(image("green.png")));
        GenerateViewModel generate = ((WindowPage.GeneratePage) window.page().get()).generate();
        assertEquals("green.png", generate.settings().get().source().image().orElseThrow().name());
        assertTrue(window.subjects().pages().isEmpty());
    }

    @Test
    void previewDecoderIsSaved() {
        fake.desktop.adapters = List.of(Path.of("/taesd.safetensors"));
        window.settings().choosePreviewDecoder();
        assertEquals(Optional.of(Path.of("/taesd.safetensors")),
                new WindowViewModel(fake.services).settings().previewDecoder().getValue());
        window.settings().previewDecoder(Optional.empty());
        assertEquals(Optional.empty(), fake.desktop.get().generation().previewDecoder());
    }
}
