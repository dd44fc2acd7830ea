package atomstudio.app.generate;

import java.nio.file.Path;
import java.util.Optional;

/// What a row of a gallery is made with. Equal orders give equal pictures.
/// @param adapter empty: the base model, whatever the strength
public record RowOrder(Path model, String prompt, Optional<Path> adapter, PictureSettings settings) {
    public RowOrder {
        if (adapter.isEmpty()) settings = settings.withStrength(1);
    }
}
