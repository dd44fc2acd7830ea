package atomstudio.tuning.export;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Conditioning;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.tensor.DType;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.AdapterSource;
import atomstudio.tuning.adapter.BaseModel;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.method.MethodCategory;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.setting.Setting;
import atomstudio.tuning.torch.TorchEngine;
import atomstudio.tuning.torch.TorchSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class WeightDiffExportTest {
    @TempDir
    static Path shared;
    @TempDir
    Path folder;
    private static DiffusionModel model;
    private static BaseModelHashes hashes;

    @BeforeAll
    static void make() throws Exception {
        model = TinyModel.make(shared.resolve("model"), "sd1");
        hashes = new BaseModelHashes(shared.resolve("hashes.json"));
    }

    private static ExportBaseModel base() {
        return new ExportBaseModel(ModelReference.of(model.path()), hashes, TorchSettings.standard().withThreads(1));
    }

    private static AdapterFile adapter(MethodSettings settings) throws Failure {
        return PerturbedAdapter.of(model, hashes, settings);
    }

    static Stream<MethodSettings> methods() {
        return Stream.concat(
                Stream.of(MethodName.values())
                        .filter(choice -> !MethodSettings.of(choice).trainsWord()
                                && choice != MethodName.TEXTUAL_INVERSION
                                && choice.category() != MethodCategory.BRANCHES
                                && choice != MethodName.T_LORA)
                        .map(MethodSettings::of),
                Stream.of(
                        MethodSettings.of(MethodName.ATOMS).with(MethodSetting.TRAIN_TEXT_ENCODER, Setting.YES)));
    }

    @ParameterizedTest @MethodSource("methods")
    void diffsReadBackGiveTheSameOutput(MethodSettings settings) throws Exception {
        AdapterFile ours = adapter(settings);
        Path file = folder.resolve("whole.safetensors");
        ExportFormat.ExportResult written = ExportFormat.DIFF.write(ours, base(), file);
        assertEquals(settings.choice() == MethodName.SSF, written.omitted().isPresent(),
                () -> written.omitted().toString());
        AdapterSource read = AdapterSource.read(file).getFirst().source();
        Tensor latents = wave(1, 4, 8, 8), context = wave(1, 5, model.unet().crossAttentionDim());
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 1)) {
            Tensor plain = engine.noisePredictor()
                    .predict(latents, new float[] {321}, Conditioning.of(context), List.of());
            Tensor expected = engine.noisePredictor()
                    .predict(latents, new float[] {321}, Conditioning.of(context),
                            List.of(new WeightedAdapter(ours.toAdapter("ours", model), 1)));
            assertFalse(plain.equals(expected));
            assertClose(settings.toString(), expected,
                    engine.noisePredictor()
                            .predict(latents, new float[] {321}, Conditioning.of(context),
                                    List.of(new WeightedAdapter(read.toAdapter("read", model), 1))),
                    5e-3);
            int[][] ids = {new int[model.textEncoder().maxTokens()]};
            assertClose("text encoder",
                    engine.textEncoder().encode(ids, 1, List.of(new WeightedAdapter(ours.toAdapter("ours", model), 1))),
                    engine.textEncoder().encode(ids, 1, List.of(new WeightedAdapter(read.toAdapter("read", model), 1))),
                    5e-3);
        }
    }

    /// Only this program's format holds branches; the others, and merging, say so.
    @ParameterizedTest @EnumSource(value = MethodName.class, names = {"SERIAL_ADAPTER", "PARALLEL_ADAPTER", "T_LORA"})
    void branchesAreRefused(MethodName choice) throws Exception {
        AdapterFile ours = adapter(MethodSettings.of(choice));
        assertEquals(List.of(ExportFormat.ATOMSTUDIO), ExportFormat.of(ours.method()));
        assertEquals(List.of(ExportFormat.ATOMSTUDIO, ExportFormat.KOHYA, ExportFormat.PEFT, ExportFormat.PEFT_FOLDER),
                ExportFormat.of(ours.method().with(MethodSetting.COMBINE_WITH, "lora")), "the LoRA alone");
        for (ExportFormat format : ExportFormat.values()) {
            if (format == ExportFormat.ATOMSTUDIO) continue;
            Path file = folder.resolve(format.fileName("refused"));
            Failure refused = assertThrows(Failure.Incompatible.class, () -> format.write(ours, base(), file),
                    format.option());
            assertTrue(refused.getMessage().contains("export it as atomstudio"), refused.getMessage());
            assertFalse(Files.exists(file));
        }
        Path own = folder.resolve("own.safetensors");
        ExportFormat.ATOMSTUDIO.write(ours, base(), own);
        assertEquals(ours.values(), AdapterFile.read(own).values());
        Failure onTop = assertThrows(Failure.Incompatible.class,
                () -> TorchEngine.open(model, List.of(new WeightedAdapter(ours.toAdapter("ours", model), 1)),
                        Device.CPU, TorchSettings.standard().withThreads(1)));
        assertTrue(onTop.getMessage().startsWith("adapter ours: expected changes of weights, found a branch beside "),
                onTop.getMessage());
    }

    @ParameterizedTest @EnumSource(value = MethodName.class, names = {"BITFIT", "DIFFFIT"})
    void biasesAloneGiveTheSameOutputFromASmallerFile(MethodName choice) throws Exception {
        AdapterFile ours = adapter(MethodSettings.of(choice));
        Path whole = folder.resolve("whole.safetensors"), biases = folder.resolve("biases.safetensors");
        ExportFormat.DIFF.write(ours, base(), whole);
        ExportFormat.DIFF_BIASES.write(ours, base(), biases);
        try (SafetensorsFile large = SafetensorsFile.open(whole);
                SafetensorsFile small = SafetensorsFile.open(biases)) {
            for (String key : small.tensors().keySet()) assertEquals(large.read(key), small.read(key), key);
            for (String key : large.tensors().keySet()) {
                boolean zeros = true;
                for (float value : large.read(key).data()) zeros &= value == 0;
                assertEquals(!zeros || key.endsWith("_norm") || key.contains(".lora_"), small.has(key), key);
            }
        }
        assertTrue(Files.size(biases) < Files.size(whole) / 2, Files.size(biases) + " of " + Files.size(whole));
        Tensor latents = wave(1, 4, 8, 8), context = wave(1, 5, model.unet().crossAttentionDim());
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 1)) {
            List<Tensor> found = new ArrayList<>();
            for (Path file : List.of(whole, biases))
                found.add(engine.noisePredictor()
                        .predict(latents, new float[] {321}, Conditioning.of(context), List.of(new WeightedAdapter(
                                AdapterSource.read(file).getFirst().source().toAdapter("read", model), 1))));
            assertClose(choice.option(), found.get(0), found.get(1), 1e-6);
        }
    }

    private static Tensor wave(long... sizes) {
        Tensor tensor = Tensor.zeros(Shape.of(sizes));
        for (int i = 0; i < tensor.data().length; i++) tensor.data()[i] = (float) Math.sin(2 + 5.1 * i);
        return tensor;
    }

    @Test
    void fileIsHalfPrecisionAndIdentifiesTheModelFamily() throws Exception {
        Path file = folder.resolve("whole.safetensors");
        AdapterFile ours = adapter(MethodSettings.of(MethodName.ATOMS));
        ExportFormat.ExportResult written = ExportFormat.DIFF.write(ours, base(), file);
        try (SafetensorsFile whole = SafetensorsFile.open(file)) {
            assertTrue(whole.tensors().values().stream().allMatch(info -> info.dtype() == DType.F16));
            assertEquals(written.parameterCount(),
                    whole.tensors().values().stream().mapToLong(info -> info.shape().elements()).sum());
            String marker = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight";
            assertEquals(Shape.of(1, model.unet().crossAttentionDim()), whole.info(marker).shape());
            assertEquals(1, whole.read(marker.replace("lora_down.weight", "alpha")).data()[0]);
            assertEquals(ours.layers().size() + 3, whole.tensors().size());
            assertEquals("lycoris.kohya", whole.metadata().get("ss_network_module"));
            assertEquals("sks thing", whole.metadata().get("modelspec.trigger_phrase"));
        }
    }

    @Test
    void rejectsOtherBaseWeightsWithoutWriting() throws Exception {
        AdapterFile ours = adapter(MethodSettings.of(MethodName.ATOMS));
        AdapterFile other = new AdapterFile(ours.method(), new BaseModel("other", "1234"), ours.trigger(),
                ours.training(), ours.layers(), ours.values());
        Path file = folder.resolve("whole.safetensors");
        Failure rejected = assertThrows(Failure.Incompatible.class, () -> ExportFormat.DIFF.write(other, base(), file));
        assertTrue(rejected.getMessage().contains("1234") && rejected.getMessage().contains(model.path().toString()),
                rejected.getMessage());
        assertFalse(Files.exists(file));
    }

    @Test
    void formatsFollowFromTheMethod() {
        assertEquals(List.of(ExportFormat.ATOMSTUDIO, ExportFormat.DIFF, ExportFormat.LOCON, ExportFormat.MERGED,
                ExportFormat.MERGED_DIFFUSERS, ExportFormat.MERGED_ONNX),
                ExportFormat.of(MethodSettings.of(MethodName.ATOMS)));
        assertEquals(List.of(ExportFormat.ATOMSTUDIO, ExportFormat.EMBEDDING),
                ExportFormat.of(MethodSettings.of(MethodName.TEXTUAL_INVERSION)));
        assertEquals(List.of(ExportFormat.ATOMSTUDIO, ExportFormat.KOHYA, ExportFormat.PEFT, ExportFormat.PEFT_FOLDER,
                ExportFormat.MERGED, ExportFormat.MERGED_DIFFUSERS, ExportFormat.MERGED_ONNX),
                ExportFormat.of(MethodSettings.of(MethodName.LOCON)));
        assertEquals(List.of(ExportFormat.ATOMSTUDIO, ExportFormat.PEFT_FOLDER, ExportFormat.DIFF, ExportFormat.LOCON,
                ExportFormat.MERGED, ExportFormat.MERGED_DIFFUSERS, ExportFormat.MERGED_ONNX),
                ExportFormat.of(MethodSettings.of(MethodName.OFT)));
        assertEquals(List.of(ExportFormat.ATOMSTUDIO, ExportFormat.KOHYA, ExportFormat.DIFF, ExportFormat.LOCON,
                ExportFormat.MERGED, ExportFormat.MERGED_DIFFUSERS, ExportFormat.MERGED_ONNX),
                ExportFormat.of(MethodSettings.of(MethodName.OFT, Map.of(MethodSetting.SIDE, "output"))));
        assertEquals(
                List.of(ExportFormat.ATOMSTUDIO, ExportFormat.EMBEDDING, ExportFormat.KOHYA, ExportFormat.PEFT,
                        ExportFormat.PEFT_FOLDER, ExportFormat.DIFF, ExportFormat.LOCON, ExportFormat.MERGED,
                        ExportFormat.MERGED_DIFFUSERS, ExportFormat.MERGED_ONNX),
                ExportFormat.of(MethodSettings.of(MethodName.ATOMS)
                        .with(MethodSetting.COMBINE_WITH, "textual-inversion")
                        .with(MethodSetting.TRAIN_TEXT_ENCODER, Setting.YES)));
        assertEquals(List.of(ExportFormat.ATOMSTUDIO, ExportFormat.DIFF, ExportFormat.DIFF_BIASES,
                ExportFormat.MERGED, ExportFormat.MERGED_DIFFUSERS, ExportFormat.MERGED_ONNX),
                ExportFormat.of(MethodSettings.of(MethodName.BITFIT)));
    }
}
