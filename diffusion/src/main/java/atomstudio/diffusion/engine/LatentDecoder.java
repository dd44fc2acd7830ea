package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.net.Vae;
import atomstudio.diffusion.tensor.Tensor;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/// From latents to the picture's numbers: at once where memory suffices, in tiles where it does not. Does not own the
/// engine.
/// @param availableBytes bytes that decoding may count on
/// @param warnings     hears, in a sentence, when something was done another way than usual
record LatentDecoder(DiffusionModel model, Engine engine, LongSupplier availableBytes, Consumer<String> warnings) {
    /// Of a tile, in pixels of the map that a level starts from: large enough that its margin is no waste, small
    /// beside any picture that needs tiles.
    private static final int TILE_SIDE = 64;
    /// Maps of a level that are held at the same time, of its channels before and after.
    private static final int MAPS_HELD = 4;

    /// Latents as sampled -> (1,3,H,W), about -1..1.
    Tensor decode(Tensor latents) throws Failure {
        Tensor scaled = Tensor.zeros(latents.shape());
        float scalingFactor = (float) model.vae().scalingFactor();
        for (int i = 0; i < scaled.data().length; i++) scaled.data()[i] = latents.data()[i] / scalingFactor;
        int wholeLevels = levelsThatFit(latents);
        if (wholeLevels < model.vae().levels()) return decodeTiled(scaled, wholeLevels);
        try {
            return engine.decode(scaled);
        } catch (Failure.OutOfMemory outOfMemory) {
            return decodeTiled(scaled, model.vae().levels() - 1);
        }
    }

    private Tensor decodeTiled(Tensor scaled, int wholeLevels) throws Failure {
        warnings.accept(
                "The picture is decoded in tiles, since memory does not suffice for all of it at once: slower, and the same picture.");
        return new TiledDecoder(model.vae(), engine, TILE_SIDE).decode(scaled, wholeLevels);
    }

    /// Levels, from the coarsest on, whose maps take no more than half of the memory.
    private int levelsThatFit(Tensor latents) {
        Vae vae = model.vae();
        long limit = availableBytes.getAsLong() / 2;
        long pixels = latents.shape().size(2) * latents.shape().size(3);
        for (int level = 0; level < vae.levels(); level++) {
            long fine = pixels << 2 * level;
            if (Float.BYTES * fine * MAPS_HELD * (vae.inputChannels(level) + vae.outputChannels(level)) > limit)
                return level;
        }
        return vae.levels();
    }

    /// What of the machine's memory is there to be used.
    static final class AvailableMemory {
        private static final Path MEMINFO = Path.of("/proc/meminfo");
        private static final String MEM_AVAILABLE = "MemAvailable:";

        private AvailableMemory() {}

        /// Bytes that could be used without pushing others out: on Linux with what the file cache would give back. As
        /// much as one likes where nobody says.
        static long bytes() {
            try {
                for (String line : Files.readAllLines(MEMINFO)) {
                    if (line.startsWith(MEM_AVAILABLE)) return Long.parseLong(line.replaceAll("\\D+", "")) * 1024;
                }
            } catch (IOException | NumberFormatException notLinux) {
                // Not Linux: the next best.
            }
            return ManagementFactory
                    .getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean system
                            ? system.getFreeMemorySize()
                            : Long.MAX_VALUE;
        }
    }
}
