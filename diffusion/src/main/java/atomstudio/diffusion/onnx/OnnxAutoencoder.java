package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Autoencoder;
import atomstudio.diffusion.engine.LatentDistribution;
import atomstudio.diffusion.engine.ProviderDevice;
import atomstudio.diffusion.engine.ProviderDevice.Precision;
import atomstudio.diffusion.engine.TileDecoder;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.net.Vae;
import atomstudio.diffusion.onnx.Graph.ElementType;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/// The VAE on ONNX Runtime, in float32 or bfloat16: some decoders overflow in float16. Of the sessions for tiles it
/// keeps one, since tiles of one shape follow each other and sessions hold their memory.
final class OnnxAutoencoder extends OnnxNetwork implements Autoencoder, TileDecoder {
    /// @param norms shapes of the scale and shift of each norm
    private record TileKey(int level, List<Shape> norms, Shape features) {}

    private final Vae vae;
    private final SessionCache<Shape> decoders = new SessionCache<>(MAX_SESSIONS, this::decoder);
    private final SessionCache<Shape> encoders = new SessionCache<>(MAX_SESSIONS, this::buildEncoder);
    private @Nullable PreparedDecoder prepared;
    private final SessionCache<TileKey> tileDecoders = new SessionCache<>(1, this::buildTileDecoder);

    /// A decoder's session that is made in the background.
    private record PreparedDecoder(Shape latents, CompletableFuture<OnnxSession> session) {}

    OnnxAutoencoder(OnnxModel model, Checkpoint checkpoint) {
        super(model.withRuntime(precise(model.runtime())), checkpoint);
        this.vae = model().model().vae();
    }

    private static OnnxRuntime precise(OnnxRuntime runtime) {
        boolean isHalf = runtime.device() instanceof ProviderDevice device && device.precision() == Precision.FLOAT16;
        return isHalf ? runtime.withPrecision(Precision.FLOAT32) : runtime;
    }

    @Override
    public LatentDistribution encode(Tensor images) throws Failure {
        OnnxSession session = encoders.get(images.shape());
        return LatentDistribution
                .ofEncoderOutput(session.run(Map.of("images", OnnxSession.Feed.of(images)), Map.of()));
    }

    /// In the process of a provider, which compiles it beside the UNet.
    @Override
    public void prepareDecoding(Shape latents) {
        boolean isElsewhere = runtime().device() instanceof ProviderDevice device && device.process().isPresent();
        if (!isElsewhere || decoders.has(latents) || prepared != null && prepared.latents.equals(latents)) return;
        closePrepared();
        CompletableFuture<OnnxSession> session = new CompletableFuture<>();
        prepared = new PreparedDecoder(latents, session);
        Thread.ofPlatform().daemon().name("decoder").start(() -> {
            try {
                session.complete(buildDecoder(latents));
            } catch (Failure | RuntimeException | Error e) {
                session.completeExceptionally(e);
            }
        });
    }

    /// The prepared session or a new one.
    private OnnxSession decoder(Shape latents) throws Failure {
        PreparedDecoder found = prepared;
        if (found == null || !found.latents.equals(latents)) return buildDecoder(latents);
        prepared = null;
        return await(found.session);
    }

    private static OnnxSession await(CompletableFuture<OnnxSession> session) throws Failure {
        try {
            return session.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof Failure failure) throw failure;
            throw e;
        }
    }

    private void closePrepared() {
        PreparedDecoder found = prepared;
        prepared = null;
        if (found == null) return;
        try {
            await(found.session).close();
        } catch (Failure notMade) {
            // Nothing to close.
        }
    }

    @Override
    public Tensor decode(Tensor latents) throws Failure {
        return decoders.get(latents.shape()).run(Map.of("latents", OnnxSession.Feed.of(latents)), Map.of());
    }

    @Override
    public Tensor decodeHead(Tensor latents, int levels) throws Failure {
        tileDecoders.close();
        try (OnnxSession session = createSession(
                (ops, weights) -> vae.decodeHead(ops, weights, ops.input("latents", latents.shape()), levels))) {
            return session.run(Map.of("latents", OnnxSession.Feed.of(latents)), Map.of());
        }
    }

    @Override
    public Tensor decodeTile(Tensor features, int level, List<LayerWeights<Tensor>> norms) throws Failure {
        List<Shape> normShapes = norms.stream().map(norm -> norm.weight().shape()).toList();
        OnnxSession session = tileDecoders.get(new TileKey(level, normShapes, features.shape()));
        Map<String, OnnxSession.Feed> feeds = new LinkedHashMap<>(Map.of("features", OnnxSession.Feed.of(features)));
        for (int i = 0; i < norms.size(); i++) {
            feeds.put("scale" + i, OnnxSession.Feed.of(norms.get(i).weight()));
            feeds.put("shift" + i, OnnxSession.Feed.of(Objects.requireNonNull(norms.get(i).bias())));
        }
        return session.run(feeds, Map.of());
    }

    private OnnxSession buildDecoder(Shape latents) throws Failure {
        return createSession((ops, weights) -> vae.decode(ops, weights, ops.input("latents", latents)));
    }

    private OnnxSession buildEncoder(Shape images) throws Failure {
        return createSession((ops, weights) -> vae.encode(ops, weights, ops.input("images", images)));
    }

    private OnnxSession buildTileDecoder(TileKey key) throws Failure {
        return createSession((ops, weights) -> {
            Graph.Value features = ops.input("features", key.features);
            List<LayerWeights<Graph.Value>> norms = new ArrayList<>();
            for (int i = 0; i < key.norms.size(); i++)
                norms.add(new LayerWeights<>(ops.graph().input("scale" + i, key.norms.get(i), ElementType.FLOAT),
                        ops.graph().input("shift" + i, key.norms.get(i), ElementType.FLOAT)));
            return vae.decodeTile(ops, weights, features, key.level, norms);
        });
    }

    @Override
    void closeSessions() {
        closePrepared();
        decoders.close();
        encoders.close();
        tileDecoders.close();
    }
}
