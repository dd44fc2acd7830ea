package atomstudio.tuning.torch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Of frozen weights and activations; what is trained, its moments, and the loss are always in float32.
public enum Precision {
    FP32, BF16;

    private static final Path PROCESSOR = Path.of("/proc/cpuinfo");

    /// Whether this processor says that it has units for bfloat16.
    public static boolean hasUnits() {
        try {
            String text = Files.readString(PROCESSOR);
            return text.contains("avx512_bf16") || text.contains("amx_bf16");
        } catch (IOException e) {
            return false;                                                       // not Linux: nobody says
        }
    }
}
