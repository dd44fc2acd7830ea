package atomstudio.tuning.train;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.DiffusionPipeline;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.BaseModel;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.config.TrainingRequest;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.export.ExportBaseModel;
import atomstudio.tuning.export.ExportFormat;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.TextualInversion;
import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.RunControl;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.TrainingEvent;
import atomstudio.tuning.setting.Setting;
import atomstudio.tuning.torch.TorchSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Runs that train the text encoder: new embedding rows, and LoRA on its attention.
class TextTuningTest {
    private static final String ROWS = TextualInversion.TOKEN_EMBEDDING + ".rows";
    private static final String START = TextualInversion.TOKEN_EMBEDDING + ".start";
    @TempDir
    static Path shared;
    @TempDir
    Path folder;
    private static DiffusionModel model;
    private static Path photos;

    @BeforeAll
    static void prepare() throws Exception {
        model = TinyModel.make(shared.resolve("model"), "sd1");
        photos = Files.createDirectory(shared.resolve("subject"));
        for (int i = 0; i < 2; i++)
            PngWriter.write(photos.resolve("picture" + i + ".png"), RunTest.photo(i), Map.of());
    }

    static Stream<MethodSettings> methods() {
        return Stream.of(MethodSettings.of(MethodName.TEXTUAL_INVERSION),
                MethodSettings.of(MethodName.ATOMS).with(MethodSetting.COMBINE_WITH, "textual-inversion"),
                MethodSettings.of(MethodName.LORA).with(MethodSetting.TRAIN_TEXT_ENCODER, Setting.YES),
                MethodSettings.of(MethodName.ATOMS)
                        .with(MethodSetting.COMBINE_WITH, "textual-inversion")
                        .with(MethodSetting.TRAIN_TEXT_ENCODER, Setting.YES));
    }

    /// The first step of AdamW changes every parameter by its learning rate; only `full` has 3e-5.
    @Test
    void wordTrainedWithFullFineTuningHasItsOwnLearningRate() throws Exception {
        MethodSettings method = MethodSettings.of(MethodName.FULL)
                .with(MethodSetting.COMBINE_WITH, "textual-inversion")
                .with(MethodSetting.TRAIN_TEXT_ENCODER, Setting.YES);
        TrainingRequest request = TrainingRequest.of(model.path(), photos, "thing", method).withSteps(1);
        request = request.with(request.config().with(TrainingSetting.WARMUP_STEPS, 0));
        AdapterFile adapter = tuned(request, "run");
        Tensor start = adapter.values().get(START);
        Tensor rows = adapter.values().get(ROWS);
        for (int i = 0; i < rows.data().length; i++) {
            assertEquals(MethodName.TEXTUAL_INVERSION.learningRate(), Math.abs(rows.data()[i] - start.data()[i]), 1e-5);
        }
        List<String> lora = adapter.values()
                .keySet()
                .stream()
                .filter(key -> key.startsWith("text_model.") && key.endsWith(".B"))
                .toList();
        assertFalse(lora.isEmpty());
        for (String key : lora) {
            for (float value : adapter.values().get(key).data())
                assertEquals(MethodName.LORA.learningRate(), Math.abs(value), 0.05 * MethodName.LORA.learningRate(),
                        key);
        }
    }

    private static TrainingRequest request(MethodSettings method, int steps) {
        return TrainingRequest.of(model.path(), photos, "thing", method).withSteps(steps).withLearningRate(1e-2);
    }

    private TrainingService.TrainingOutcome run(TrainingRequest request, String name, RunControl control,
            EventSink listener) throws Failure {
        return new TrainingService(new TrainingEnvironment(Device.CPU, 1, RunTest.home())).run(request,
                folder.resolve(name), control, listener);
    }

    private AdapterFile tuned(TrainingRequest request, String name) throws Failure {
        assertInstanceOf(TrainingService.TrainingOutcome.Finished.class,
                run(request, name, RunControl.none(), EventSink.none()));
        return AdapterFile.read(folder.resolve(name).resolve("adapter.safetensors"));
    }

    @ParameterizedTest @MethodSource("methods")
    void textEncoderParametersAreTrainedAndResumeExactly(MethodSettings method)
            throws Exception {
        AdapterFile adapter = tuned(request(method, 6), "straight");
        for (TrainingEvent.Timed event : new RunFolder(folder.resolve("straight")).events()) {
            if (event.event() instanceof TrainingEvent.Step step)
                assertTrue(Double.isFinite(step.loss()), "loss of step " + step.step());
        }
        boolean[] stop = new boolean[1];
        TrainingService.TrainingOutcome stopped = run(request(method, 6), "stopped",
                () -> stop[0] ? RunControl.RunCommand.STOP : RunControl.RunCommand.CONTINUE,
                event -> stop[0] = event.step() >= 3);
        assertEquals(new TrainingService.TrainingOutcome.Stopped(3, 6), stopped);
        tuned(request(method, 6), "stopped");
        assertArrayEquals(Files.readAllBytes(folder.resolve("straight/adapter.safetensors")),
                Files.readAllBytes(folder.resolve("stopped/adapter.safetensors")));
        assertEquals(Set.of(Component.UNET, Component.TEXT_ENCODER), adapter.components());
        for (Map.Entry<String, Tensor> value : adapter.values().entrySet()) {
            if (!value.getKey().endsWith(".B") || !Component.ofLayerName(value.getKey()).equals(Component.TEXT_ENCODER))
                continue;
            for (float number : value.getValue().data()) assertNotEquals(0, number, value.getKey());
        }
        if (adapter.embeddingToken().isPresent()) {
            Tensor start = adapter.values().get(START);
            Tensor rows = adapter.values().get(ROWS);
            for (int i = 0; i < start.data().length; i++)
                assertNotEquals(start.data()[i], rows.data()[i], "number " + i);
        }
    }

    @Test
    void rowsStartAtTheMeanOfTheClassTokens() throws Exception {
        AdapterFile adapter = tuned(request(MethodSettings.of(MethodName.TEXTUAL_INVERSION), 1), "run");
        assertEquals(Optional.of(new Adapter.EmbeddingToken("sks", 1)), adapter.embeddingToken());
        assertEquals(model.textEncoder().hiddenSize(), new RunFolder(folder.resolve("run")).info().parameterCount(),
                "one row of the table's width");
        try (Checkpoint checkpoint = model.openCheckpoint(Component.TEXT_ENCODER)) {
            Tensor table = checkpoint.read(TextualInversion.TOKEN_EMBEDDING + ".weight");
            List<Integer> ids = Stream.of("t", "h", "i", "n", "g</w>")
                    .map(letter -> letter.charAt(0) - 'a' + (letter.endsWith("</w>") ? 26 : 0))
                    .toList();
            Tensor expected = Tensor.zeros(adapter.values().get(START).shape());
            for (int id : ids)
                for (int i = 0; i < expected.data().length; i++)
                    expected.data()[i] += table.rows(id, id + 1).data()[i] / ids.size();
            assertClose("start", expected, adapter.values().get(START), 1e-6);
        }
    }

    @Test
    void textAdapterChangesTheImageAndItsBaseHashIncludesTheTextEncoder() throws Exception {
        AdapterFile adapter = tuned(request(MethodSettings.of(MethodName.TEXTUAL_INVERSION), 4).withLearningRate(0.5),
                "run");
        BaseModelHashes hashes = new BaseModelHashes(folder.resolve("hashes.json"));
        assertEquals(hashes.hash(model, Set.of(Component.UNET, Component.TEXT_ENCODER)),
                adapter.base().hash());
        assertNotEquals(hashes.hash(model), adapter.base().hash());
        assertTrue(BaseModel.sameWeights(hashes.hash(model), adapter.base().hash()),
                "runs with and without the text encoder have the same base model");
        assertFalse(BaseModel.sameWeights("0".repeat(64), adapter.base().hash()));
        assertEquals(Optional.empty(),
                adapter.compatibilityWarning("model", model.trainableLayers(), Optional.of(adapter.base().hash())));
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 1)) {
            DiffusionPipeline maker = DiffusionPipeline.of(model, engine);
            RgbImage base = photo(maker, "a sks thing", List.of());
            RgbImage tuned = photo(maker, "a sks thing",
                    List.of(new WeightedAdapter(adapter.toAdapter("word", model), 1)));
            RgbImage started = photo(maker, "a sks thing",
                    List.of(new WeightedAdapter(adapter.toAdapter("word", model), 0)));
            assertNotEquals(base, tuned);
            assertNotEquals(started, tuned);
            assertEquals(base, photo(maker, "a sks thing", List.of()));
        }
    }

    private static RgbImage photo(DiffusionPipeline maker, String prompt, List<WeightedAdapter> adapters)
            throws Failure {
        Generation.GenerationSettings settings = Generation.GenerationSettings
                .of(SamplingSettings.of(SamplerName.DDIM, ScheduleName.AUTOMATIC, 2), 4, 64, 64);
        return maker
                .generate(new Generation(new Generation.PromptPair(prompt, ""), settings, 1, adapters),
                        StepListener.none())
                .orElseThrow();
    }

    @Test
    void previewsUseTheCurrentEmbeddingRows() throws Exception {
        tuned(request(MethodSettings.of(MethodName.TEXTUAL_INVERSION), 4).withLearningRate(0.5).withPreviewEvery(2),
                "run");
        List<byte[]> previews = new java.util.ArrayList<>();
        for (int step : new int[] {0, 2, 4})
            previews.add(Files.readAllBytes(folder.resolve("run/previews/%06d.png".formatted(step))));
        assertFalse(Arrays.equals(previews.get(0), previews.get(1)));
        assertFalse(Arrays.equals(previews.get(1), previews.get(2)));
    }

    @Test
    void rejectsEmbeddingTableOfAnotherSize() throws Exception {
        AdapterFile adapter = tuned(request(MethodSettings.of(MethodName.TEXTUAL_INVERSION), 1), "run");
        DiffusionModel other = TinyModel.make(folder.resolve("other"), "sd2");
        String message = assertThrows(Failure.Incompatible.class,
                () -> adapter.compatibilityWarning("Other", other.trainableLayers(), Optional.empty())).getMessage();
        assertTrue(message.contains(TextualInversion.TOKEN_EMBEDDING), message);
    }

    @Test
    void rejectsUnusableTriggerWordBeforeTheRunStarts() {
        for (String token : List.of("two words", "THING", "<|endoftext|>")) {
            TrainingRequest request = request(MethodSettings.of(MethodName.TEXTUAL_INVERSION), 1).withToken(token);
            String message = assertThrows(Failure.Incompatible.class,
                    () -> run(request, "run", RunControl.none(), EventSink.none())).getMessage();
            assertTrue(message.contains(token) && message.contains("another trigger word"), message);
            assertFalse(Files.exists(folder.resolve("run")));
        }
    }

    private ExportBaseModel base() {
        return new ExportBaseModel(ModelReference.of(model.path()), new BaseModelHashes(folder.resolve("hashes.json")),
                TorchSettings.standard());
    }

    @Test
    void exportedEmbeddingHoldsTheRowsOfTheTriggerWord() throws Exception {
        AdapterFile adapter = tuned(
                request(MethodSettings.of(MethodName.ATOMS).with(MethodSetting.COMBINE_WITH, "textual-inversion"), 2),
                "run");
        Path file = folder.resolve("sks.safetensors");
        ExportFormat.ExportResult written = ExportFormat.EMBEDDING.write(adapter, base(), file);
        assertEquals(model.textEncoder().hiddenSize(), written.parameterCount());
        assertTrue(written.omitted().orElseThrow().contains("Only the embedding is exported"));
        try (SafetensorsFile embedding = SafetensorsFile.open(file)) {
            assertEquals(Set.of("sks"), embedding.tensors().keySet());
            assertEquals(adapter.values().get(ROWS).reshape(Shape.of(model.textEncoder().hiddenSize())),
                    embedding.read("sks"), "one row is a vector");
        }
        AdapterFile atoms = tuned(request(MethodSettings.of(MethodName.ATOMS), 1), "atoms");
        assertTrue(assertThrows(Failure.Incompatible.class, () -> ExportFormat.EMBEDDING.write(atoms, base(), file))
                .getMessage()
                .contains("atoms"));
    }

    @Test
    void exportedLoraHasKohyaKeysForBothNetworks() throws Exception {
        MethodSettings method = MethodSettings.of(MethodName.LORA)
                .with(MethodSetting.RANK, "2")
                .with(MethodSetting.ALPHA, "4")
                .with(MethodSetting.TRAIN_TEXT_ENCODER, Setting.YES);
        AdapterFile adapter = tuned(request(method, 2), "run");
        Path file = folder.resolve("lora.safetensors");
        assertEquals(Optional.empty(), ExportFormat.KOHYA.write(adapter, base(), file).omitted());
        try (SafetensorsFile kohya = SafetensorsFile.open(file)) {
            assertEquals(3 * adapter.layers().size(), kohya.tensors().size());
            assertArrayEquals(new float[] {4},
                    kohya.read("lora_te_text_model_encoder_layers_0_self_attn_q_proj.alpha").data());
            assertEquals(adapter.values().get("text_model.encoder.layers.0.self_attn.q_proj.A"),
                    kohya.read("lora_te_text_model_encoder_layers_0_self_attn_q_proj.lora_down.weight"));
            assertEquals(1,
                    kohya.tensors()
                            .keySet()
                            .stream()
                            .filter(name -> name.startsWith("lora_unet_mid_block_attentions_0_")
                                    && name.endsWith("attn1_to_out_0.lora_up.weight"))
                            .count());
        }
        ExportFormat.PEFT.write(adapter, base(), file);
        try (SafetensorsFile peft = SafetensorsFile.open(file)) {
            assertEquals(2 * adapter.layers().size(), peft.tensors().size());
            Tensor up = adapter.values().get("text_model.encoder.layers.0.self_attn.q_proj.B");
            Tensor doubled = new Tensor(up.shape(), up.data().clone());
            for (int i = 0; i < doubled.data().length; i++) doubled.data()[i] *= 2;
            assertEquals(doubled, peft.read("text_encoder.text_model.encoder.layers.0.self_attn.q_proj.lora_B.weight"),
                    "alpha / rank is multiplied in");
        }
        AdapterFile atoms = tuned(request(MethodSettings.of(MethodName.ATOMS), 1), "atoms");
        assertTrue(assertThrows(Failure.Incompatible.class, () -> ExportFormat.KOHYA.write(atoms, base(), file))
                .getMessage()
                .contains("atoms"));
    }
}
