package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.tensor.TensorInfo;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;

/// The location of a model component's weights, and the mapping of their names.
public sealed interface WeightLocation {
    /// The folder or file.
    Path path();

    /// The weight files; shards in name order.
    List<Path> files() throws Failure;

    KeyMapping mapping();

    /// A component folder in diffusers' layout, with current or older names.
    static WeightLocation inFolder(Component.Kind kind, Path folder) {
        return new InFolder(folder, KeyMapping.renaming(key -> DiffusersKeys.current(kind, key)));
    }

    /// A component folder in diffusers' layout.
    record InFolder(Path path, KeyMapping mapping) implements WeightLocation {
        @Override
        public List<Path> files() throws Failure {
            return WeightFiles.find(path);
        }
    }

    /// A file, which may contain other components too.
    record InFile(Path path, KeyMapping mapping) implements WeightLocation {
        @Override
        public List<Path> files() {
            return List.of(path);
        }
    }

    /// Maps a stored tensor to the network's tensors, as byte ranges of the same file: none if it belongs to another
    /// component, several for a fused projection.
    @FunctionalInterface
    interface KeyMapping {
        List<TensorInfo> map(TensorInfo stored);

        /// Maps every tensor to one of another name.
        static KeyMapping renaming(UnaryOperator<String> name) {
            return stored -> List.of(renamed(stored, name.apply(stored.name())));
        }

        static TensorInfo renamed(TensorInfo stored, String name) {
            return new TensorInfo(name, stored.dtype(), stored.shape(), stored.offset(), stored.byteLength());
        }
    }
}
