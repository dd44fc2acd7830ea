package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import java.nio.file.Path;
import java.util.List;

/// Where the weights of one part of a model lie, and under which names. Nothing is read before it is asked for.
public sealed interface WeightLocation {
    /// The folder or file, as it stands in messages.
    Path path();

    /// Every file of them, shards in name order.
    List<Path> files() throws Failure;

    KeyMapping mapping();

    /// A folder of diffusers' or transformers' layout.
    record InFolder(Path path, KeyMapping mapping) implements WeightLocation {
        @Override public List<Path> files() throws Failure {
            return WeightFiles.find(path);
        }
    }

    /// One file, which may hold other parts too.
    record InFile(Path path, KeyMapping mapping) implements WeightLocation {
        @Override public List<Path> files() {
            return List.of(path);
        }
    }
}
