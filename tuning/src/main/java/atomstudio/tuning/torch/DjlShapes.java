package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.tensor.Shape;

/// Converts between DJL's shapes and this program's.
final class DjlShapes {
    private DjlShapes() {}

    static Shape shape(NDArray array) {
        return new Shape(array.getShape().getShape());
    }

    static ai.djl.ndarray.types.Shape shape(Shape shape) {
        return new ai.djl.ndarray.types.Shape(shape.sizes());
    }
}
