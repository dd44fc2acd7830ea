package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import java.nio.file.Path;
import java.util.List;

/// Where the weights of one part of a model lie, and under which names. Nothing is read before it is asked for.
public sealed interface Weights {
    /// The folder or file, as it stands in messages.
    Path place();

    /// Every file of them, shards in name order.
    List<Path> files() throws Failure;

    Naming naming();

    /// A folder of diffusers' or transformers' layout.
    record InFolder(Path place, Naming naming) implements Weights {
        @Override public List<Path> files() throws Failure {
            return WeightFiles.in(place);
        }
    }

    /// One file, which may hold other parts too.
    record InFile(Path place, Naming naming) implements Weights {
        @Override public List<Path> files() {
            return List.of(place);
        }
    }
}
