package atomstudio.app.generate;

import atomstudio.app.jobs.GenerationParameters;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.picture.PngAttachment;
import atomstudio.diffusion.tensor.AtomicFile;
import atomstudio.diffusion.tensor.DType;
import atomstudio.tuning.adapter.AdapterSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.zip.CRC32;

/// A saved picture that says how it was made, and the adapters that it carries, each in a file of its own by now.
public record PngInfo(Path file, GenerationParameters recipe, List<AttachedAdapter> attached) {
    public PngInfo {
        attached = List.copyOf(attached);
    }

    /// @param name that the picture has for it
    public record AttachedAdapter(String name, Path file) {}

    /// Empty for a file that is no PNG, or says nothing of its making. For jobs.
    /// @param adapters the folder where adapters are kept that came in pictures
    public static Optional<PngInfo> read(Path file, Path adapters) throws Failure {
        if (!file.getFileName().toString().toLowerCase(Locale.ROOT).endsWith(".png") || !Files.isRegularFile(file)) return Optional.empty();
        Optional<GenerationParameters> recipe = GenerationParameters.read(file);
        if (recipe.isEmpty()) return Optional.empty();
        List<AttachedAdapter> attached = new ArrayList<>();
        if (!PngAttachment.read(file).isEmpty()) {
            for (AdapterSource.NamedAdapter found : AdapterSource.read(file)) attached.add(new AttachedAdapter(found.name(), saveAdapter(found, adapters)));
        }
        return Optional.of(new PngInfo(file, recipe.get(), attached));
    }

    /// Under its own name, which pictures made with it will say, in a folder named by its content: equal adapters are kept once.
    private static Path saveAdapter(AdapterSource.NamedAdapter found, Path folder) throws Failure {
        byte[] bytes = found.source().bytes(DType.F32);
        CRC32 crc = new CRC32();
        crc.update(bytes);
        String name = found.name().replaceAll("[^\\p{L}\\p{N}+._ -]+", "-").replaceFirst("^[. ]+", "");
        Path file = folder.resolve(HexFormat.of().toHexDigits((int) crc.getValue())).resolve((name.isEmpty() ? "adapter" : name) + ".safetensors");
        if (!Files.exists(file)) AtomicFile.write(file, out -> out.write(bytes));
        return file;
    }
}
