package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.net.ClipTextModel;
import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.WeightSource;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;

/// The denoising loss of a UNet and its gradient with respect to a method's parameters, which may adapt the UNet, the
/// text encoder, or both.
public final class DenoisingLoss extends TrainingLoss<TrainingBatch> {
    private final TorchEngine engine;

    DenoisingLoss(TorchEngine engine, DenoisingLossOptions options) {
        super(engine.trainedNetworks(), new DenoisingObjective(engine.model()), options);
        this.engine = engine;
    }

    /// Mean of weight · squared error of the UNet's prediction.
    record DenoisingObjective(DiffusionModel model) implements Objective<TrainingBatch> {
        @Override
        public <T> T loss(Step<T> step, TrainingBatch batch) {
            LossOps<T> ops = step.ops();
            UNet unet = model.unet();
            T context = switch (batch.conditioning()) {
                case BatchConditioning.Embedded embedded -> ops.input(embedded.context());
                case BatchConditioning.TokenIds tokenIds -> ops.toActivationDtype(context(step, tokenIds));
            };
            WeightSource<T> layers = step.layers(Component.UNET, ops, batch.timesteps());
            T features = ops.input(unet.timeProjection().embed(batch.timesteps()));
            T predicted = batch.encoderFeatures()
                    .map(each -> unet.decode(ops, layers, each.map(ops::input), features, context))
                    .orElseGet(() -> unet.forward(ops, layers, ops.input(batch.noisyLatents()), features, context));
            return ops.squaredError(predicted, batch.target(), batch.lossWeights());
        }

        /// (B, chunks·S, C).
        private <T> T context(Step<T> step, BatchConditioning.TokenIds tokenIds) {
            LossOps<T> ops = step.float32Ops();
            ClipTextModel text = model.textEncoder();
            T states = text.encode(ops, step.layers(Component.TEXT_ENCODER, ops), ops.input(tokenIds.ids()), 0);
            int length = tokenIds.ids()[0].length;
            return tokenIds.chunks() == 1 ? states
                    : ops.reshape(states, Shape.of(tokenIds.ids().length / tokenIds.chunks(),
                            (long) tokenIds.chunks() * length, text.hiddenSize()));
        }
    }

    /// The UNet encoder's features of a batch under the frozen weights. With them `gradient` and `loss` run only the
    /// decoder, so no layer of the encoder may be trained.
    public UNet.EncoderFeatures<Tensor> encoderFeatures(TrainingBatch batch) throws Failure {
        return runInScope(() -> {
            Torch torch = engine.torch();
            EagerOps ops = torch.ops(computeDtype);
            UNet unet = engine.model().unet();
            if (!(batch.conditioning() instanceof BatchConditioning.Embedded(Tensor context)))
                throw new IllegalArgumentException("encoder features with a trained text encoder");
            UNet.EncoderFeatures<NDArray> features = unet.encode(ops, engine.layers(TorchEngine.Network.UNET),
                    ops.toActivationDtype(torch.array(batch.noisyLatents())),
                    ops.toActivationDtype(torch.array(unet.timeProjection().embed(batch.timesteps()))),
                    ops.toActivationDtype(torch.array(context)));
            return features.map(each -> torch.tensor(ops.toFloat32(each)));
        });
    }
}
