package atomstudio.diffusion.prompt;

import java.util.Optional;

/// A prompt as a text encoder reads it: as many ids as its limit, and the end of the text that did not fit, as the user wrote it.
public record PaddedTokens(int[] ids, Optional<String> truncatedText) {}
