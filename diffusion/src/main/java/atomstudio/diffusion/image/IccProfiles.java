package atomstudio.diffusion.image;

import java.awt.color.CMMException;
import java.awt.color.ICC_ColorSpace;
import java.awt.color.ICC_Profile;
import java.util.Optional;

/// Colour profiles as they come in files, many of them broken: one that cannot be used is passed over, as other
/// programs do.
final class IccProfiles {
    private IccProfiles() {}

    static Optional<ICC_Profile> read(byte[] bytes) {
        try {
            ICC_Profile profile = ICC_Profile.getInstance(bytes);
            // A profile with a good header and unusable tables fails only when a colour is converted.
            ICC_ColorSpace space = new ICC_ColorSpace(profile);
            space.toRGB(new float[space.getNumComponents()]);
            return Optional.of(profile);
        } catch (CMMException | IllegalArgumentException | ArrayIndexOutOfBoundsException unusable) {
            return Optional.empty();
        }
    }
}
