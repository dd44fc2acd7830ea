package atomstudio.tuning.adapter;

import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Mutations;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ParameterLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Mutated adapter files are read or rejected with the file's name.
class DamagedAdaptersTest {
    private static final Path FOREIGN = Path.of("src/test/resources/goldens/foreign");
    private static final Path PROMPTS = Shared.own("goldens/prompts");

    @TempDir
    Path folder;

    @Test @Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void readsOrRejectsMutatedAdapters() throws Exception {
        mutate(60, 30);
    }

    @Test @Tag("slow")
    void readsOrRejectsManyMutatedAdapters() throws Exception {
        mutate(1000, 31);
    }

    private void mutate(int times, long seed) throws Exception {
        Mutations mutations = new Mutations(seed);
        DiffusionModel embedded = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        DiffusionModel tiny = TinyModel.make(folder.resolve("model"), "sd1");
        int rejected = 0;
        for (String name : List.of("kohya.safetensors", "lycoris.safetensors", "counted.safetensors",
                "processor.safetensors", "header.safetensors", "folder-lokr/adapter_model.safetensors")) {
            Path file = copied(FOREIGN.resolve(name), name);
            rejected += mutations.run(file, times, () -> read(file, embedded));
        }
        copied(FOREIGN.resolve("folder-lora/adapter_model.safetensors"), "config/adapter_model.safetensors");
        Path config = copied(FOREIGN.resolve("folder-lora/adapter_config.json"), "config/adapter_config.json");
        rejected += mutations.run(config, 2 * times,
                () -> read(config.resolveSibling("adapter_model.safetensors"), embedded));
        for (String name : List.of("learned_embeds.bin", "sks.pt", "first-sks.pt")) {
            Path file = copied(PROMPTS.resolve(name), name);
            rejected += mutations.run(file, times, () -> read(file, tiny));
        }
        for (String method : List.of("atoms", "atoms+channels", "lora", "textual-inversion")) {
            Path own = own(method, tiny);
            rejected += mutations.run(own, 2 * times, () -> read(own, tiny));
        }
        assertTrue(rejected > 5 * times, rejected + " rejected");
    }

    private Path copied(Path from, String name) throws Exception {
        Files.createDirectories(folder.resolve(name).getParent());
        return Files.copy(from, folder.resolve(name));
    }

    private static void read(Path file, DiffusionModel model) throws Failure {
        for (AdapterSource.NamedAdapter found : AdapterSource.read(file)) {
            found.source().requireFits(model);
            found.source().toAdapter(found.name(), model);
            found.source().toAttachment();
        }
    }

    private Path own(String method, DiffusionModel model) throws Failure {
        MethodSettings settings = MethodSettings.parse(method, Map.of());
        ParameterLayout layout = ParameterLayout.of(settings.method(), model.trainableLayers());
        Map<String, Tensor> values = new java.util.HashMap<>(layout.fromVector(new float[layout.size()]));
        for (ParameterLayout.LayerParameter entry : layout.frozen())
            values.put(entry.key(), Tensor.zeros(entry.spec().shape()));
        Path file = folder.resolve("own " + method + ".safetensors");
        new AdapterFile(settings, new BaseModel("model", "0".repeat(64)), new Trigger("sks", "thing"),
                new AdapterFile.TrainingSummary(1, 0.01, 1),
                AdaptedLayer.of(settings.method(), model.trainableLayers()), values).write(file);
        return file;
    }
}
