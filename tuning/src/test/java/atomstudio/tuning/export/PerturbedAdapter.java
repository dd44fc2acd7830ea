package atomstudio.tuning.export;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdaptedLayer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.BaseModel;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ParameterLayout;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// An adapter with parameters slightly off their initialization.
public final class PerturbedAdapter {
    private PerturbedAdapter() {}

    public static AdapterFile of(DiffusionModel model, BaseModelHashes hashes, MethodSettings settings) throws Failure {
        ParameterLayout layout = ParameterLayout.of(settings.method(), model.trainableLayers());
        Map<String, Tensor> values;
        try (Checkpoint unet = model.openCheckpoint(Component.UNET);
                Checkpoint text = model.openCheckpoint(Component.TEXT_ENCODER)) {
            ParameterLayout.Initialization initialization = new ParameterLayout.Initialization(
                    layer -> (layer.component().equals(Component.UNET) ? unet : text).read(layer.weightKey()), 3,
                    List.of(1));
            values = new HashMap<>(layout.frozenValues(initialization));
            float[] vector = layout.initialVector(initialization);
            for (int i = 0; i < vector.length; i++) vector[i] += (float) (0.03 * Math.sin(1 + 7.3 * i));
            values.putAll(layout.fromVector(vector));
        }
        AdapterFile.TrainingSummary training = new AdapterFile.TrainingSummary(10, 1e-2, 0);
        AdapterFile unnamed = new AdapterFile(settings, new BaseModel("tiny", ""), new Trigger("sks", "thing"),
                training, AdaptedLayer.of(settings.method(), model.trainableLayers()), values);
        return new AdapterFile(settings, new BaseModel("tiny", hashes.hash(model, unnamed.components())),
                unnamed.trigger(), training, unnamed.layers(), values);
    }
}
