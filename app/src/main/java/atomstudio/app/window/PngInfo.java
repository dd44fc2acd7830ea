package atomstudio.app.window;

import atomstudio.app.gallery.GalleryImage;
import atomstudio.app.pipeline.GenerationParameters;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.image.PngAttachment;
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

/// The generation settings in a PNG, and its embedded adapters, saved to files.
record PngInfo(Path file, GenerationParameters recipe, List<EmbeddedAdapter> adapters) {
    PngInfo {
        adapters = List.copyOf(adapters);
    }

    /// @param name as in the generation settings
    record EmbeddedAdapter(String name, Path file) {}

    /// For job threads.
    /// @param adapterFolder the folder for adapters from images
    /// @return empty if the file is not a PNG or has no generation settings
    static Optional<PngInfo> read(Path file, Path adapterFolder) throws Failure {
        if (!file.getFileName().toString().toLowerCase(Locale.ROOT).endsWith(".png") || !Files.isRegularFile(file))
            return Optional.empty();
        Optional<GenerationParameters> recipe = GenerationParameters.read(file);
        if (recipe.isEmpty()) return Optional.empty();
        List<EmbeddedAdapter> adapters = new ArrayList<>();
        if (!PngAttachment.read(file).isEmpty()) {
            for (AdapterSource.NamedAdapter adapter : AdapterSource.read(file))
                adapters.add(new EmbeddedAdapter(adapter.name(), save(adapter, adapterFolder)));
        }
        return Optional.of(new PngInfo(file, recipe.get(), adapters));
    }

    /// Of an image of the gallery. For job threads.
    static Optional<PngInfo> of(GalleryImage image, Path adapterFolder) throws Failure {
        if (image.unsaved().isEmpty()) return read(image.file(), adapterFolder);
        return Optional.of(new PngInfo(image.file(), new GenerationParameters(image.infotext()), List.of()));
    }

    /// Keeps the adapter's name, which new images will record, in a folder named by a checksum: equal adapters are
    /// saved once.
    private static Path save(AdapterSource.NamedAdapter adapter, Path folder) throws Failure {
        byte[] bytes = adapter.source().toBytes(DType.F32);
        CRC32 crc = new CRC32();
        crc.update(bytes);
        String name = adapter.name().replaceAll("[^\\p{L}\\p{N}+._ -]+", "-").replaceFirst("^[. ]+", "");
        Path file = folder.resolve(HexFormat.of().toHexDigits((int) crc.getValue()))
                .resolve((name.isEmpty() ? "adapter" : name) + ".safetensors");
        if (!Files.exists(file)) AtomicFile.write(file, out -> out.write(bytes));
        return file;
    }
}
