package atomstudio.tuning.export;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.TensorFile;
import atomstudio.diffusion.tensor.TensorInfo;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.torch.TorchSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ExportPlanTest {
    @TempDir
    Path folder;

    /// The sizes are those of the tensors that the exports write.
    @ParameterizedTest
    @EnumSource(names = {"ATOMS", "ATOMS_AND_WORD", "LORA", "LOHA", "OFT"})
    void sizesAreThoseOfTheFiles(MethodName method) throws Exception {
        DiffusionModel model = TinyModel.make(folder.resolve("model"), "sd1");
        BaseModelHashes hashes = new BaseModelHashes(folder.resolve("hashes.json"));
        AdapterFile adapter = PerturbedAdapter.of(model, hashes, MethodSettings.of(method));
        ExportBaseModel base = new ExportBaseModel(ModelReference.of(model.path()), hashes,
                TorchSettings.standard().withThreads(1));
        ExportPlan sizes = ExportPlan.sizes(adapter, base);
        ExportPlan plan = sizes.withApproximate(adapter, base);
        assertEquals(plan.formats(), sizes.formats(), "nothing waits for the singular vectors");
        assertEquals(plan.approximate().isPresent(), sizes.lacksApproximate());
        assertEquals(ExportFormat.of(adapter.method()),
                plan.formats().stream().map(ExportPlan.FormatSize::format).toList());
        for (ExportPlan.FormatSize size : plan.formats()) {
            if (size.format() == ExportFormat.LOCON || size.bytes().isEmpty() || size.format().isMerged()
                    && size.format() != ExportFormat.MERGED)
                continue;
            Path file = folder.resolve(size.format().option() + ".safetensors");
            size.format().write(adapter, base, file);
            long written = tensorBytes(Files.isDirectory(file) ? file.resolve("adapter_model.safetensors") : file);
            assertTrue(Math.abs(written - size.bytes().orElseThrow()) <= 0.15 * written + 256,
                    size + ", written " + written);
        }
        assertEquals(plan.formats().stream().anyMatch(size -> size.format() == ExportFormat.LOCON),
                plan.approximate().isPresent());
        if (plan.approximate().isEmpty()) return;
        LowRankExport approximate = plan.approximate().get();
        assertEquals(approximate.maxBytes(),
                approximate.plan(new LowRankExport.Budget.Rank(LowRankExport.MAX_RANK)).bytes());
    }

    /// Which programs read less of a file, before it is written.
    @ParameterizedTest
    @CsvSource({"LORA,,KOHYA,", "DORA,,KOHYA,DORA_NORMS", "DORA,,PEFT,", "GLORA,,KOHYA,GLORA",
            "LOKR,rank=1,KOHYA,FACTORED_LOKR", "LOKR,rank=16,KOHYA,", "OFT,side=output block-size=2,KOHYA,OFT",
            "LOHA,also=atoms,PEFT_FOLDER,OTHER_LAYERS", "OFT,block-size=4,PEFT_FOLDER,"})
    void limitsAreNamed(MethodName method, String settings, ExportFormat format, String expected) throws Exception {
        DiffusionModel model = TinyModel.make(folder.resolve("model"), "sd1");
        BaseModelHashes hashes = new BaseModelHashes(folder.resolve("hashes.json"));
        Map<String, String> chosen = new HashMap<>();
        if (settings != null)
            for (String setting : settings.split(" ")) chosen.put(setting.split("=")[0], setting.split("=", 2)[1]);
        AdapterFile adapter = PerturbedAdapter.of(model, hashes, MethodSettings.parse(method.option(), chosen));
        ExportPlan plan = ExportPlan.sizes(adapter, new ExportBaseModel(ModelReference.of(model.path()), hashes,
                TorchSettings.standard().withThreads(1)));
        List<ExportLimit> found = plan.formats()
                .stream()
                .filter(size -> size.format() == format)
                .findFirst()
                .orElseThrow()
                .limits();
        assertEquals(expected == null ? List.of() : List.of(ExportLimit.valueOf(expected)), found);
    }

    /// As after a run on top of a merged adapter, or with a base model that was changed since.
    @Test
    void withoutTheBaseModelTheFormatsThatDoNotNeedItRemain() throws Exception {
        DiffusionModel model = TinyModel.make(folder.resolve("model"), "sd1");
        BaseModelHashes hashes = new BaseModelHashes(folder.resolve("hashes.json"));
        AdapterFile adapter = PerturbedAdapter.of(model, hashes, MethodSettings.of(MethodName.ATOMS_AND_WORD));
        ExportPlan plan = ExportPlan.sizes(adapter,
                new ExportBaseModel(ModelReference.of(folder.resolve("gone")), hashes,
                        TorchSettings.standard().withThreads(1)));
        assertEquals(List.of(ExportFormat.ATOMSTUDIO, ExportFormat.EMBEDDING),
                plan.formats().stream().map(ExportPlan.FormatSize::format).toList());
        assertTrue(plan.problem().orElseThrow().contains("gone"), plan.problem().toString());
    }

    private static long tensorBytes(Path file) throws Exception {
        long bytes = 0;
        try (TensorFile tensors = SafetensorsFile.open(file)) {
            for (TensorInfo tensor : tensors.tensors().values()) bytes += tensor.byteLength();
        }
        return bytes;
    }
}
