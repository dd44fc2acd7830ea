package atomstudio.app.pipeline;

import atomstudio.diffusion.engine.AvailableMemory;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.ProviderDevice;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.net.UNet;
import atomstudio.tuning.torch.GpuMemory;
import atomstudio.tuning.torch.SamplingMemory;
import java.util.Locale;
import java.util.function.Consumer;

/// How many images are sampled together if the user does not choose: as many as half of the available memory holds, up
/// to a limit. A large UNet on a CPU fills the processors with one image.
final class BatchSize {
    /// The fastest of 1, 2, 4 and 8 with the embedded model (docs/decisions/networks.md); larger ones keep the user
    /// waiting for the first image.
    static final int MAX_AUTOMATIC = 8;
    private static final long SMALL_UNET_PARAMETERS = 100_000_000;
    /// If the memory of a GPU is unknown; after out of memory the batch is halved.
    private static final int UNKNOWN_MEMORY = 4;
    /// Rows per image: prompt and negative prompt.
    private static final int PROMPTS = 2;
    /// Feature maps of a level in memory at the same time, as in decoding.
    private static final int MAPS_HELD = 8;
    /// Attention weights in memory at the same time: before and after softmax.
    private static final int ATTENTION_HELD = 2;

    private BatchSize() {}

    static int automatic(DiffusionModel model, Device device, Generation generation) {
        long weights = model.unetParameterCount();
        if (!device.equals(Device.CUDA) && weights >= SMALL_UNET_PARAMETERS) return 1;
        long available = switch (device) {
            case Device.Cpu _ -> AvailableMemory.bytes();
            case Device.Cuda _ -> GpuMemory.total() - GpuMemory.used() - Float.BYTES * weights;
            case ProviderDevice _ -> AvailableMemory.bytes();
        };
        if (device.equals(Device.CUDA) && GpuMemory.total() == 0) return UNKNOWN_MEMORY;
        return fitting(available, bytesPerImage(model, generation));
    }

    /// The user's choice, or on a CPU as many images as memory holds: the system ends a process that needs more, before
    /// anything could halve the batch.
    /// @param warnings called with a sentence if these are fewer
    static int limited(int chosen, DiffusionModel model, Device device, Generation generation,
            Consumer<String> warnings) {
        if (chosen == 1 || !device.equals(Device.CPU)) return chosen;
        Generation.GenerationSettings settings = generation.settings();
        double scale = generation.hires().map(Generation.Hires::scale).orElse(1.0) / model.vae().downsamplingFactor();
        long bytes = SamplingMemory.unetActivations(model, (long) Math.ceil(settings.height() * scale),
                (long) Math.ceil(settings.width() * scale));
        long available = AvailableMemory.bytes();
        int fitting = Math.toIntExact(Math.clamp(available / bytes, 1, chosen));
        if (fitting < chosen)
            warnings.accept(String.format(Locale.ROOT,
                    "%d images together need about %.1f GB and %.1f GB are available: %d are sampled together.", chosen,
                    chosen * (double) bytes / 1e9, available / 1e9, fitting));
        return fitting;
    }

    static int fitting(long availableBytes, long bytesPerImage) {
        return Math.toIntExact(Math.clamp(availableBytes / 2 / bytesPerImage, 1, MAX_AUTOMATIC));
    }

    /// An estimate of the UNet's activations: feature maps and attention weights of its largest level, in float32.
    static long bytesPerImage(DiffusionModel model, Generation generation) {
        int factor = model.vae().downsamplingFactor();
        double scale = generation.hires().map(Generation.Hires::scale).orElse(1.0);
        Generation.GenerationSettings settings = generation.settings();
        long pixels = (long) Math.ceil(settings.width() * scale / factor * (settings.height() * scale / factor));
        long largest = 1;
        for (UNet.Level level : model.unet().levels()) {
            long maps = MAPS_HELD * level.channels() * pixels;
            boolean hasAttention = level.type() == UNet.BlockType.CROSS_ATTENTION;
            long attention = hasAttention ? ATTENTION_HELD * level.heads() * pixels * pixels : 0;
            largest = Math.max(largest, maps + attention);
            pixels = (pixels + 3) / 4;
        }
        return PROMPTS * Float.BYTES * largest;
    }
}
