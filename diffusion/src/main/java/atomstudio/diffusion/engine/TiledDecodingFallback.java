package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.net.Vae;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/// Decodes latents all at once if memory allows, else in tiles.
/// @param availableBytes memory available for decoding
/// @param warnings called with a sentence when decoding in tiles
record TiledDecodingFallback(Autoencoder network, TiledDecoding tiled, LongSupplier availableBytes,
        Consumer<String> warnings) implements Autoencoder, NetworkDecorator {
    /// In pixels of a level's input: large compared with the margin, small compared with images that need tiles.
    private static final int TILE_SIDE = 64;
    /// Feature maps of a level in memory at the same time, of its input and its output channels.
    private static final int MAPS_HELD = 4;

    /// The autoencoder itself if it cannot decode in tiles.
    static Autoencoder around(Autoencoder autoencoder, Vae vae, Consumer<String> warnings) {
        return around(autoencoder, vae, AvailableMemory::bytes, warnings);
    }

    static Autoencoder around(Autoencoder autoencoder, Vae vae, LongSupplier availableBytes,
            Consumer<String> warnings) {
        return autoencoder instanceof TileDecoder decoder
                ? new TiledDecodingFallback(autoencoder, new TiledDecoding(vae, decoder, TILE_SIDE), availableBytes,
                        warnings)
                : autoencoder;
    }

    @Override
    public LatentDistribution encode(Tensor images) throws Failure {
        return network.encode(images);
    }

    @Override
    public void prepareDecoding(Shape latents) {
        if (levelsThatFit(latents) == tiled.vae().levels()) network.prepareDecoding(latents);
    }

    @Override
    public Tensor decode(Tensor latents) throws Failure {
        int wholeLevels = levelsThatFit(latents.shape());
        if (wholeLevels < tiled.vae().levels()) return decodeTiled(latents, wholeLevels);
        try {
            return network.decode(latents);
        } catch (Failure.OutOfMemory outOfMemory) {
            return decodeTiled(latents, tiled.vae().levels() - 1);
        }
    }

    private Tensor decodeTiled(Tensor latents, int wholeLevels) throws Failure {
        warnings.accept("Not enough memory to decode the image at once: it is decoded in tiles, more slowly, with the "
                + "same result.");
        return tiled.decode(latents, wholeLevels);
    }

    /// Levels, from the coarsest on, whose feature maps fit into half of the memory.
    private int levelsThatFit(Shape latents) {
        Vae vae = tiled.vae();
        long limit = availableBytes.getAsLong() / 2;
        long pixels = latents.size(2) * latents.size(3);
        for (int level = 0; level < vae.levels(); level++) {
            long levelPixels = pixels << 2 * level;
            int channels = vae.inputChannels(level) + vae.outputChannels(level);
            if (Float.BYTES * levelPixels * MAPS_HELD * channels > limit) return level;
        }
        return vae.levels();
    }
}
