package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import java.util.Optional;

/// The networks of one model, possibly on different backends. Not thread-safe; owns the networks.
/// @param clipEncoders empty if the backend has none; an encoder that the model lacks fails on use
public record Engine(TextEncoder textEncoder, NoisePredictor noisePredictor, Autoencoder autoencoder,
        Optional<ClipEncoders> clipEncoders) implements AutoCloseable {
    /// The same with another UNet, which this engine owns instead of its own.
    public Engine withNoisePredictor(NoisePredictor other) {
        noisePredictor.close();
        return new Engine(textEncoder, other, autoencoder, clipEncoders);
    }

    /// Checks that the networks' files are unchanged since they were opened; every run does so too. CLIP encoders are
    /// checked only when they run.
    /// @throws Failure.Unreadable if one changed
    public void checkFiles() throws Failure.Unreadable {
        textEncoder.checkFiles();
        autoencoder.checkFiles();
        noisePredictor.checkFiles();
    }

    @Override
    public void close() {
        noisePredictor.close();
        textEncoder.close();
        autoencoder.close();
        clipEncoders.ifPresent(EngineNetwork::close);
    }
}
