package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.DiffusionPipeline;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdaptedLayer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.config.StartingAdapters;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.data.DatasetEncoder;
import atomstudio.tuning.data.SubjectTokenizer;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.run.RunInfo;
import atomstudio.tuning.run.TrainingState;
import atomstudio.tuning.torch.TorchEngine;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A model on its engine and the parameters to train, as a run and its estimate both use them. Owns the engine.
/// @param continued the adapter whose training goes on
record TrainingSetup(RunInfo info, DiffusionModel model, TrainingEnvironment environment, TorchEngine engine,
        List<Layer> layers, ParameterLayout layout, Optional<AdapterFile> continued) implements AutoCloseable {
    static TrainingSetup open(RunInfo info, DiffusionModel model, StartingAdapters start,
            TrainingEnvironment environment) throws Failure {
        List<Layer> layers = model.trainableLayers();
        ParameterLayout layout = ParameterLayout.of(info.method().method(), layers);
        return new TrainingSetup(info, model, environment,
                TorchEngine.open(model,
                        start.merged().isPresent() ? start.merged().get().adapters(model) : List.of(),
                        environment.device(), environment.torchSettings()),
                layers, layout, start.continued().map(StartingAdapters.Continued::adapter));
    }

    TrainingConfig config() {
        return info.config().requested();
    }

    TrainingState.ComputeDevice computeDevice() {
        return new TrainingState.ComputeDevice(environment.device().torchDevice().name(), engine.threads());
    }

    DiffusionPipeline pipeline() throws Failure {
        return DiffusionPipeline.of(model, engine.networks());
    }

    boolean trainsTextEncoder() {
        return SubjectTokenizer.components(layout).contains(Component.TEXT_ENCODER);
    }

    private SubjectTokenizer subjectTokenizer() throws Failure {
        return SubjectTokenizer.of(model, layout, new Trigger(info.subject().token(), info.subject().className()));
    }

    DatasetEncoder datasetEncoder() throws Failure {
        return new DatasetEncoder(engine.networks(), model, subjectTokenizer().tokenizer(),
                trainsTextEncoder() ? DatasetEncoder.CaptionEncoding.ENCODE_EACH_STEP
                        : DatasetEncoder.CaptionEncoding.PRECOMPUTED);
    }

    /// Frees the weights that no step needs.
    void releaseEncoders() {
        if (!trainsTextEncoder()) engine.release(TorchEngine.Network.TEXT);
        engine.release(TorchEngine.Network.ENCODER);
    }

    /// The parameters of the adapter that is continued, or the method's initial ones.
    TrainingState.SavedState initialState() throws Failure {
        if (continued.isPresent()) {
            Map<String, Tensor> values = continued.get().values();
            Map<String, Tensor> frozen = new HashMap<>();
            layout.frozen().forEach(entry -> frozen.put(entry.key(), values.get(entry.key())));
            return new TrainingState.SavedState(TrainingState.initial(layout.toVector(values)), frozen,
                    computeDevice());
        }
        ParameterLayout.Initialization initialization = new ParameterLayout.Initialization(engine::baseWeight,
                info.config().seed(), subjectTokenizer().classTokens());
        Map<String, Tensor> frozenValues = layout.frozenValues(initialization);
        return new TrainingState.SavedState(TrainingState.initial(layout.initialVector(initialization)), frozenValues,
                computeDevice());
    }

    /// Computes the method's derived values, then decides how gradients are computed.
    ComputeMode prepare(TrainingState.SavedState start, GradientAccumulation accumulation) throws Failure {
        engine.derive(layout, start.frozenValues());
        return ComputeMode.of(config(), model, environment.device(), new ComputeMode.PrecisionTrial(engine, layout,
                start.frozenValues(), accumulation, start.state()));
    }

    List<AdaptedLayer> adaptedLayers() {
        return AdaptedLayer.of(layout.method(), layers);
    }

    /// Trainable parameters over the UNet's.
    double parameterShare() {
        return parameterShare(info, model);
    }

    static double parameterShare(RunInfo info, DiffusionModel model) {
        return (double) info.parameterCount() / model.unetParameterCount();
    }

    @Override
    public void close() {
        engine.close();
    }
}
