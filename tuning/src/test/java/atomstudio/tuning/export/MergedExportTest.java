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
import atomstudio.diffusion.file.Sha256;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.LdmTensor;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.AdapterSource;
import atomstudio.tuning.adapter.BaseModel;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.setting.Setting;
import atomstudio.tuning.torch.AdapterDeltas;
import atomstudio.tuning.torch.TorchSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MergedExportTest {
    private static final TorchSettings TORCH = TorchSettings.standard().withThreads(1);
    @TempDir
    Path folder;

    private DiffusionModel model(String family) throws Exception {
        return TinyModel.make(folder.resolve("model-" + family), family);
    }

    private List<WeightedAdapter> adapters(DiffusionModel model) throws Exception {
        BaseModelHashes hashes = new BaseModelHashes(folder.resolve("hashes.json"));
        MethodSettings lora = MethodSettings.of(MethodName.LORA)
                .with(MethodSetting.TRAIN_TEXT_ENCODER, Setting.YES);
        return List.of(
                new WeightedAdapter(PerturbedAdapter.of(model, hashes, MethodSettings.of(MethodName.ATOMS))
                        .toAdapter("atoms", model), 0.7),
                new WeightedAdapter(PerturbedAdapter.of(model, hashes, lora).toAdapter("lora", model), -0.4));
    }

    @ParameterizedTest
    @CsvSource({"sd1,MERGED,FLOAT32,1e-5", "sd1,MERGED_DIFFUSERS,FLOAT32,1e-5", "sd2,MERGED,FLOAT32,1e-5",
            "sd2,MERGED_DIFFUSERS,FLOAT32,1e-5", "sd1,MERGED,HALF,4e-3", "sd2,MERGED,BFLOAT16,4e-2"})
    void mergedModelGivesTheAdaptersOutput(String family, ExportFormat format, MergedExport.Precision precision,
            double tolerance) throws Exception {
        DiffusionModel model = model(family);
        List<WeightedAdapter> adapters = adapters(model);
        Path out = folder.resolve(format == ExportFormat.MERGED ? "merged.safetensors" : "merged");
        format.merged(new MergedExport(model, adapters, precision, TORCH), out);
        List<Tensor> plain = outputs(model, List.of());
        List<Tensor> expected = outputs(model, adapters);
        List<Tensor> found = outputs(DiffusionModel.open(out), List.of());
        assertFalse(plain.get(0).equals(expected.get(0)));
        assertFalse(plain.get(1).equals(expected.get(1)));
        for (int i = 0; i < expected.size(); i++) assertClose("output " + i, expected.get(i), found.get(i), tolerance);
    }

    /// UNet, text encoder, decoder and encoder.
    private static List<Tensor> outputs(DiffusionModel model, List<WeightedAdapter> adapters) throws Exception {
        List<Tensor> outputs = new ArrayList<>();
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 1)) {
            outputs.add(engine.noisePredictor()
                    .predict(wave(1, 4, 8, 8), new float[] {321},
                            Conditioning.of(wave(1, 5, model.unet().crossAttentionDim())), adapters));
            outputs.add(engine.textEncoder()
                    .encode(new int[][] {new int[model.textEncoder().maxTokens()]}, 1,
                            adapters));
            outputs.add(engine.autoencoder().decode(wave(1, 4, 8, 8)));
            outputs.add(engine.autoencoder().encode(wave(1, 3, 16, 16)).mean());
        }
        return outputs;
    }

    private static Tensor wave(long... sizes) {
        return Tensor.generate(Shape.of(sizes), i -> Math.sin(2 + 5.1 * i));
    }

    @Test
    void aModelInOneFileIsWrittenUnderTheSameNames() throws Exception {
        DiffusionModel model = model("sd2");
        Path first = folder.resolve("first.safetensors"), second = folder.resolve("second.safetensors");
        MergedExport.Precision precision = MergedExport.Precision.FLOAT32;
        ExportFormat.MERGED.merged(new MergedExport(model, List.of(), precision, TORCH), first);
        DiffusionModel reopened = DiffusionModel.open(first);
        ExportFormat.MERGED.merged(new MergedExport(reopened, List.of(), precision, TORCH), second);
        assertEquals(model.scheduler().predictionType(), reopened.scheduler().predictionType());
        for (Component component : model.components().keySet())
            assertEquals(model.layers(component), reopened.layers(component));
        try (SafetensorsFile a = SafetensorsFile.open(first); SafetensorsFile b = SafetensorsFile.open(second)) {
            assertEquals(a.tensors(), b.tensors());
            for (String key : a.tensors().keySet()) assertEquals(a.read(key), b.read(key), key);
        }
        Failure rejected = assertThrows(Failure.Incompatible.class, () -> ExportFormat.MERGED_DIFFUSERS
                .merged(new MergedExport(reopened, List.of(), precision, TORCH), folder.resolve("no")));
        assertTrue(rejected.getMessage().contains("first.safetensors"), rejected.getMessage());
    }

    @Test
    void ldmNamesAreThoseOfTheOriginalCode() throws Exception {
        List<String> sd1 = names(model("sd1")), sd2 = names(model("sd2"));
        assertTrue(sd1.containsAll(List.of("model.diffusion_model.time_embed.0.weight",
                "model.diffusion_model.input_blocks.0.0.bias", "model.diffusion_model.out.0.weight",
                "model.diffusion_model.middle_block.0.in_layers.2.weight",
                "first_stage_model.encoder.down.0.block.0.conv1.weight", "first_stage_model.decoder.norm_out.bias",
                "first_stage_model.encoder.mid.attn_1.proj_out.weight", "first_stage_model.post_quant_conv.weight",
                "first_stage_model.decoder.mid.block_2.norm1.weight",
                "cond_stage_model.transformer.text_model.encoder.layers.0.self_attn.q_proj.weight",
                "cond_stage_model.transformer.text_model.embeddings.position_embedding.weight")), sd1.toString());
        assertTrue(sd2.containsAll(List.of("cond_stage_model.model.transformer.resblocks.0.attn.in_proj_weight",
                "cond_stage_model.model.transformer.resblocks.0.attn.out_proj.bias",
                "cond_stage_model.model.transformer.resblocks.0.mlp.c_fc.weight",
                "cond_stage_model.model.positional_embedding", "cond_stage_model.model.token_embedding.weight",
                "cond_stage_model.model.ln_final.bias")), sd2.toString());
    }

    private static List<String> names(DiffusionModel model) {
        return LdmTensor.of(model).stream().map(LdmTensor::name).toList();
    }

    @Test
    void refusesBiasesValuesOutOfRangeAndFullFolders() throws Exception {
        DiffusionModel model = model("sd1");
        BaseModelHashes hashes = new BaseModelHashes(folder.resolve("hashes.json"));
        Path out = folder.resolve("merged.safetensors");
        WeightedAdapter ssf = new WeightedAdapter(
                PerturbedAdapter.of(model, hashes, MethodSettings.of(MethodName.SSF)).toAdapter("ssf", model), 1);
        Failure biases = assertThrows(Failure.Incompatible.class,
                () -> ExportFormat.MERGED.merged(export(model, List.of(ssf)), out));
        assertTrue(biases.getMessage().contains("adds biases"), biases.getMessage());
        WeightedAdapter atoms = adapters(model).getFirst();
        WeightedAdapter huge = new WeightedAdapter(atoms.adapter(), 1e7);
        Failure range = assertThrows(Failure.Incompatible.class,
                () -> ExportFormat.MERGED.merged(export(model, List.of(huge)), out));
        assertTrue(range.getMessage().contains("half precision"), range.getMessage());
        Path full = Files.createDirectories(folder.resolve("full"));
        Files.writeString(full.resolve("note.txt"), "kept");
        assertThrows(Failure.Conflict.class,
                () -> ExportFormat.MERGED_DIFFUSERS.merged(export(model, List.of(atoms)), full));
        Failure space = assertThrows(Failure.Conflict.class,
                () -> ModelFolder.requireSpace(out, Long.MAX_VALUE));
        assertTrue(space.getMessage().contains("MiB are free"), space.getMessage());
        assertFalse(Files.exists(out));
        try (Stream<Path> left = Files.list(folder)) {
            assertTrue(left.noneMatch(file -> file.getFileName().toString().endsWith(".part")));
        }
    }

    /// An adapter of `train --on` changes the merged weights: merged in one step as in two.
    @Test
    void theAdapterBelowIsMergedFirst() throws Exception {
        DiffusionModel model = model("sd1");
        BaseModelHashes hashes = new BaseModelHashes(folder.resolve("hashes.json"));
        Path below = folder.resolve("below.safetensors");
        PerturbedAdapter.of(model, hashes, MethodSettings.of(MethodName.LOCON)).write(below);
        AdapterFile plain = PerturbedAdapter.of(model, hashes, MethodSettings.of(MethodName.ATOMS));
        AdapterFile adapter = new AdapterFile(plain.method(),
                new BaseModel(plain.base().name(), plain.base().hash(),
                        Optional.of(new BaseModel.MergedAdapter("below.safetensors", Sha256.of(below), 0.5))),
                plain.trigger(), plain.training(), plain.layers(), plain.values());
        Path first = folder.resolve("first");
        new MergedExport(model, AdapterSource.weighted(below, 0.5, model), MergedExport.Precision.FLOAT32, TORCH)
                .writeFolder(first);
        DiffusionModel merged = DiffusionModel.open(first);
        List<WeightedAdapter> above = List.of(new WeightedAdapter(plain.toAdapter("a", model), 1));
        ExportBaseModel base = new ExportBaseModel(ModelReference.of(model.path()), hashes, TORCH,
                List.of(folder.resolve("hashes.json"), below));
        try (AdapterDeltas expected = AdapterDeltas.open(merged, above, TORCH);
                AdapterDeltas found = AdapterDeltas.open(model, base.mergedBefore(adapter, model), above, TORCH);
                AdapterDeltas sum = AdapterDeltas.open(model, above, TORCH)) {
            double difference = 0;
            for (Layer layer : expected.layers()) {
                assertClose(layer.name(), expected.adapted(layer).weight(), found.adapted(layer).weight(), 1e-5);
                difference += found.delta(layer)
                        .weight()
                        .zip(sum.delta(layer).weight(), (one, other) -> one - other)
                        .squaredNorm();
            }
            assertTrue(difference > 1e-4, "the order makes no difference");
        }
        Path out = folder.resolve("both");
        ExportFormat.MERGED_DIFFUSERS.write(adapter, base, out);
        assertTrue(Files.isDirectory(out));
        ExportPlan plan = ExportPlan.sizes(adapter, base);
        assertTrue(plan.formats().stream().anyMatch(size -> size.format() == ExportFormat.MERGED));
        assertTrue(plan.formats().stream().noneMatch(size -> size.format() == ExportFormat.DIFF));
        String missing = String.valueOf(assertThrows(Failure.Incompatible.class,
                () -> ExportFormat.MERGED.write(adapter,
                        new ExportBaseModel(ModelReference.of(model.path()), hashes, TORCH), folder.resolve("no")))
                .getMessage());
        assertTrue(missing.contains("expected below.safetensors (SHA-256"), missing);
    }

    private static MergedExport export(DiffusionModel model, List<WeightedAdapter> adapters) {
        return new MergedExport(model, adapters, MergedExport.Precision.HALF, TORCH);
    }
}
