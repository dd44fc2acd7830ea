package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.TensorInfo;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;

/// Where the weights of one part of a model lie, and under which names. Nothing is read before it is asked for.
public sealed interface WeightLocation {
    /// The folder or file, as it stands in messages.
    Path path();

    /// Every file of them, shards in name order.
    List<Path> files() throws Failure;

    KeyMapping mapping();

    /// A folder of diffusers' or transformers' layout.
    record InFolder(Path path, KeyMapping mapping) implements WeightLocation {
        @Override
        public List<Path> files() throws Failure {
            return WeightFiles.find(path);
        }
    }

    /// One file, which may hold other parts too.
    record InFile(Path path, KeyMapping mapping) implements WeightLocation {
        @Override
        public List<Path> files() {
            return List.of(path);
        }
    }

    /// From a tensor as a file names it to the ones that a network asks for, as stretches of the same file: none
    /// where it is no part of the network, several where a file keeps projections in one.
    @FunctionalInterface
    interface KeyMapping {
        List<TensorInfo> map(TensorInfo stored);

        /// Every tensor under one other name.
        static KeyMapping renaming(UnaryOperator<String> name) {
            return stored -> List.of(renamed(stored, name.apply(stored.name())));
        }

        static TensorInfo renamed(TensorInfo stored, String name) {
            return new TensorInfo(name, stored.dtype(), stored.shape(), stored.offset(), stored.byteLength());
        }
    }
}
