package atomstudio.tuning.export;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.Sha256;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.AdapterSource;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.torch.AdapterDeltas;
import atomstudio.tuning.torch.TorchSettings;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Written, read back, the same weights: one row per kind and format.
class CompactExportTest {
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

    /// @param settings `name=value` pairs
    private static AdapterFile adapter(MethodName method, String settings) throws Failure {
        Map<String, String> values = Arrays.stream(settings.split(" "))
                .filter(pair -> !pair.isEmpty())
                .collect(Collectors.toMap(pair -> pair.split("=", 2)[0], pair -> pair.split("=", 2)[1]));
        return PerturbedAdapter.of(model, hashes, MethodSettings.parse(method.option(), values));
    }

    @ParameterizedTest
    @CsvSource({"LORA,rank=2 alpha=3 text-encoder=yes,KOHYA", "LOCON,rank=3 alpha=2 rank-pattern=attn2=2,KOHYA",
            "LORA,rank=2 alpha=3 scaling=rank-stabilized,KOHYA", "LORA_FA,rank=2 alpha=3 layers=*,KOHYA",
            "LOCON,rank=2 alpha=3 init=pissa rank-pattern=attn2=1,KOHYA", "LORA,rank=2 alpha=3 init=pissa,PEFT",
            "LORA,rank=2 alpha=3 init=pissa scaling=rank-stabilized,PEFT_FOLDER",
            "LOHA,rank=2 alpha=3 layers=*,KOHYA", "LOKR,rank=1 alpha=3 layers=*,KOHYA",
            "LOKR,rank=8 alpha=3 layers=*,KOHYA", "DORA,rank=2 alpha=3 layers=*,KOHYA",
            "GLORA,rank=2 alpha=3 layers=*,KOHYA", "OFT,side=output block-size=4 layers=*,KOHYA",
            "OFT,side=output block-size=1/2,KOHYA", "OFT,side=output block-size=4 rescaled=yes,KOHYA",
            "LOKR,rank=1 alpha=3 factor=2 layers=*,KOHYA", "LOKR,rank=1 factor=2,PEFT_FOLDER",
            "BOFT,block-size=4 rescaled=yes layers=*,PEFT_FOLDER", "NORM,,KOHYA", "BITFIT,,KOHYA",
            "LOHA,rank=2 alpha=3 also=norm text-encoder=yes,KOHYA",
            "LORA,rank=2 alpha=3 text-encoder=yes,PEFT", "DORA,rank=2 alpha=3 layers=*,PEFT",
            "LORA,rank=2 alpha=3,PEFT_FOLDER", "LOCON,rank=3 alpha=2 rank-pattern=attn2=2,PEFT_FOLDER",
            "LOHA,rank=2 alpha=3 layers=*,PEFT_FOLDER", "LOKR,rank=1 alpha=3 layers=*,PEFT_FOLDER",
            "LOKR,rank=8 alpha=3 layers=*,PEFT_FOLDER", "DORA,rank=2 alpha=3 layers=*,PEFT_FOLDER",
            "OFT,block-size=4 layers=*,PEFT_FOLDER", "OFT,block-size=1/2,PEFT_FOLDER",
            "BOFT,block-size=4 butterfly-factors=3 layers=linear,PEFT_FOLDER",
            "BOFT,block-size=1/4 layers=*,PEFT_FOLDER",
            "IA3,,PEFT_FOLDER", "IA3,layers=conv,PEFT_FOLDER",
            "VERA,rank=3 projection-seed=5 layers=linear,PEFT_FOLDER"})
    void readBackGivesTheSameWeights(MethodName method, String settings, ExportFormat format) throws Exception {
        AdapterFile ours = adapter(method, settings == null ? "" : settings);
        Path path = folder.resolve(format.fileName("a"));
        ExportFormat.ExportResult result = format.write(ours, base(), path);
        assertFalse(result.omitted().orElse("").contains("not included"), () -> result.omitted().toString());
        Path file = Files.isDirectory(path) ? path.resolve("adapter_model.safetensors") : path;
        AdapterSource read = AdapterSource.read(file).getFirst().source();
        assertEquals(List.of(), read.warnings(model));
        assertEquals(result.parameterCount(), parameterCount(file));
        try (AdapterDeltas expected = AdapterDeltas.open(model, ours.toAdapter("ours", model), base().torch());
                AdapterDeltas found = AdapterDeltas.open(model, read.toAdapter("read", model), base().torch())) {
            for (Layer layer : expected.layers()) {
                LayerWeights<Tensor> delta = expected.delta(layer), again = found.delta(layer);
                if (ours.method().method().changesWeight(layer)) assertFalse(isZero(delta.weight()), layer.name());
                assertClose(layer.name(), delta.weight(), again.weight(), 1e-4);
                assertEquals(delta.bias() == null, again.bias() == null, layer.name());
                if (delta.bias() != null) assertClose(layer.name(), delta.bias(), again.bias(), 1e-5);
            }
        }
    }

    /// diffusers converts no key of a LoRA with a word in it.
    @Test
    void theWordIsNotInALora() throws Exception {
        AdapterFile ours = adapter(MethodName.LORA, "rank=2 also=textual-inversion");
        Path file = folder.resolve("a.safetensors");
        assertTrue(ExportFormat.KOHYA.write(ours, base(), file).omitted().orElse("").contains("is not included"));
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            assertTrue(tensors.tensors().keySet().stream().allMatch(key -> key.startsWith("lora_")));
        }
    }

    /// One file with the adapter and its word, as A1111 reads it.
    @Test
    void theWordIsInTheFile() throws Exception {
        AdapterFile ours = adapter(MethodName.LOHA, "rank=2 also=textual-inversion");
        Path file = folder.resolve("a.safetensors");
        assertTrue(ExportFormat.KOHYA.write(ours, base(), file).omitted().orElse("").contains("is in the file"));
        String word = ours.embeddingToken().orElseThrow().token();
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            assertEquals(ours.values().get(AdapterFile.EMBEDDING_ROWS),
                    tensors.read("bundle_emb." + word + ".string_to_param.*"));
        }
        List<AdapterSource.NamedAdapter> read = AdapterSource.read(file);
        assertEquals(List.of("a", word), read.stream().map(AdapterSource.NamedAdapter::name).toList());
        assertEquals(word, read.getLast().source().triggerWord());
    }

    private static boolean isZero(Tensor tensor) {
        return tensor.squaredNorm() == 0;
    }

    private static long parameterCount(Path file) throws Failure {
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            return tensors.tensors().values().stream().mapToLong(info -> info.shape().elements()).sum();
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"BITFIT||ComfyUI and Forge read biases without weights",
            "DORA||diffusers leaves out DoRA's norms",
            "OFT|side=output block-size=4 rescaled=yes|ComfyUI leaves out the scales",
            "OFT|side=output block-size=1/2|fewer blocks than channels",
            "LOHA|also=atoms|layers of other methods are not included"})
    void namesWhatSomeProgramsLeaveOut(MethodName method, String settings, String note) throws Exception {
        String found = ExportFormat.KOHYA
                .write(adapter(method, settings == null ? "" : settings), base(), folder.resolve("a.safetensors"))
                .omitted()
                .orElseThrow();
        assertTrue(found.contains(note), found);
    }

    @Test
    void bothNetworksBecomeTwoPeftFolders() throws Exception {
        Path path = folder.resolve("two");
        AdapterFile ours = adapter(MethodName.LORA, "rank=2 text-encoder=yes");
        ExportFormat.PEFT_FOLDER.write(ours, base(), path);
        int found = 0;
        for (String network : List.of("unet", "text_encoder")) {
            assertTrue(Files.isRegularFile(path.resolve(network).resolve("adapter_config.json")), network);
            AdapterSource read = AdapterSource.read(path.resolve(network).resolve("adapter_model.safetensors"))
                    .getFirst()
                    .source();
            assertEquals(List.of(), read.warnings(model));
            found += read.toAdapter(network, model).parameters().size();
        }
        assertEquals(ours.values().size(), found);
        assertThrows(Failure.Conflict.class, () -> ExportFormat.PEFT_FOLDER.write(adapter(MethodName.LORA, "rank=2"),
                base(), path));
    }

    @ParameterizedTest
    @CsvSource({"ATOMS,KOHYA,diff", "GLORA,PEFT,diff", "OFT,KOHYA,diff", "GLORA,PEFT_FOLDER,diff", "LOHA,PEFT,kohya"})
    void otherKindsAreRejectedWithWhatFits(MethodName method, ExportFormat format, String recommended)
            throws Exception {
        AdapterFile ours = adapter(method, "");
        Path file = folder.resolve("none.safetensors");
        String message = assertThrows(Failure.Incompatible.class, () -> format.write(ours, base(), file)).getMessage();
        assertTrue(message.startsWith("format " + format.option() + ": expected an adapter of LoRA")
                && message.endsWith("export it as " + recommended), message);
        assertFalse(Files.exists(file));
    }

    @Test
    void metadataFollowsTheSpecifications() throws Exception {
        Path file = folder.resolve("a.safetensors");
        ExportFormat.KOHYA.write(adapter(MethodName.DORA, "rank=2 alpha=3 layers=conv3x3"),
                base().withThumbnail(Optional.of("data:image/jpeg;base64,AA==")), file);
        byte[] bytes = Files.readAllBytes(file);
        int header = Math.toIntExact(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong());
        String hash = Sha256.of(Arrays.copyOfRange(bytes, 8 + header, bytes.length));
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            Map<String, String> metadata = tensors.metadata();
            assertEquals("0x" + hash, metadata.get("modelspec.hash_sha256"));
            assertEquals(hash, metadata.get("sshs_model_hash"));
            assertEquals("{\"algo\": \"lora\", \"dora_wd\": \"True\"}", metadata.get("ss_network_args"));
            assertEquals("data:image/jpeg;base64,AA==", metadata.get("modelspec.thumbnail"));
            assertEquals("sd_v1", metadata.get("ss_base_model_version"));
            assertEquals("stable-diffusion-v1/lora", metadata.get("modelspec.architecture"));
            assertEquals("sks thing", metadata.get("modelspec.trigger_phrase"));
            assertEquals(model.defaultImageSize() + "x" + model.defaultImageSize(),
                    metadata.get("modelspec.resolution"));
            assertTrue(metadata.get("modelspec.date").matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ"));
            assertTrue(tensors.has("lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
                    + ".lora_down.weight"), "for InvokeAI");
        }
    }

    /// A1111 finds the last norm by its name in the original code alone.
    @Test
    void lastNormHasBothNames() throws Exception {
        for (ExportFormat format : List.of(ExportFormat.KOHYA, ExportFormat.DIFF)) {
            Path file = folder.resolve(format.fileName("a"));
            format.write(adapter(MethodName.NORM, ""), base(), file);
            try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
                for (String parameter : List.of(".w_norm", ".b_norm"))
                    assertEquals(tensors.read("lora_unet_conv_norm_out" + parameter),
                            tensors.read("lora_unet_out_0" + parameter));
            }
        }
    }
}
