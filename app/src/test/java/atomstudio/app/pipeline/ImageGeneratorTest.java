package atomstudio.app.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.Generation.GenerationSettings;
import atomstudio.diffusion.engine.Generation.PromptPair;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelLoadOptions;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.tuning.adapter.FileHashes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageGeneratorTest {
    @TempDir
    Path folder;

    private static String line(DiffusionModel model, FileHashes hashes) throws Exception {
        Generation generation = new Generation(new PromptPair("a", ""),
                GenerationSettings.of(SamplingSettings.of(SamplerName.DDIM, ScheduleName.AUTOMATIC, 1), 1,
                        model.defaultImageSize(), model.defaultImageSize()),
                5, List.of());
        try (ImageGenerator generator = ImageGenerator.open(model, Device.CPU)) {
            generator.computeModelHash(hashes);
            return generator.infotext(generation, Optional.empty()).format();
        }
    }

    @Test
    void infotextHasTheHashOfAModelInOneFile() throws Exception {
        FileHashes hashes = new FileHashes(folder.resolve("hashes.json"));
        Path file = Files.copy(Shared.own("goldens/files/sd1.ckpt"), folder.resolve("mine.ckpt"));
        Files.copy(Shared.own("goldens/files/sd1.json"), folder.resolve("mine.json"));
        Files.createDirectories(folder.resolve("words"));
        Files.writeString(folder.resolve("words/vocab.json"),
                "{\"a</w>\":0,\"<|startoftext|>\":998,\"<|endoftext|>\":999}");
        Files.writeString(folder.resolve("words/merges.txt"), "#version: 0.2\n");
        String one = line(DiffusionModel.open(file, ModelLoadOptions.defaults().withTokenizer(folder.resolve("words"))),
                hashes);
        assertEquals("Model hash: " + hashes.hash(file).substring(0, 10) + ", Model: mine",
                one.replaceFirst("(?s).*(Model hash: .*, Model: \\w+).*", "$1"));
        String other = line(DiffusionModel.open(Shared.root().resolve("assets/default-model")), hashes);
        assertFalse(other.contains("Model hash"), "a folder has no hash: " + other);
    }
}
