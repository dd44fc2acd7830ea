package atomstudio.diffusion.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import atomstudio.diffusion.Shared;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class AdapterTargetsTest {
    @Test
    void everyNetworkHasItsOwnAdapterWeight() throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.own("goldens/nets/sd1/model"));
        Map<String, Tensor> values = new HashMap<>();
        for (Component component : List.of(Component.UNET, Component.TEXT_ENCODER))
            values.put(model.layers(component).getFirst().name() + ".w", Tensor.zeros(Shape.of(1)));
        Adapter adapter = new Adapter("both", "00", new Unchanged(), values);
        WeightedAdapter weighted = new WeightedAdapter(adapter, 0.75, -0.5);
        AdapterTargets targets = AdapterTargets.of(model);
        assertEquals(List.of(0.75),
                targets.targetingUnet(List.of(weighted)).stream().map(WeightedAdapter::weight).toList());
        List<WeightedAdapter> text = targets.targetingTextEncoder(List.of(weighted));
        assertEquals(List.of(-0.5), text.stream().map(WeightedAdapter::weight).toList());
        assertEquals(text, targets.targetingTextEncoder(text), "idempotent");
    }

    private record Unchanged() implements Adaptation {
        @Override
        public Map<String, Shape> parameterShapes(Layer layer) {
            return Map.of();
        }

        @Override
        public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base,
                AdapterParameters<T> parameters,
                T strength) {
            return base;
        }
    }
}
