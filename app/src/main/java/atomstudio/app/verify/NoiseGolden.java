package atomstudio.app.verify;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.sample.TorchRandom;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Golden draws of PyTorch's generator, compared with [TorchRandom]: `seedN.SHAPE` from a fresh generator each,
/// `seedN.sequence.K` in sequence.
final class NoiseGolden {
    private static final double TOLERANCE = 2e-6;
    private static final Pattern KEY = Pattern.compile("seed(-?\\d{1,19})\\.(sequence\\.\\d+|[\\dx]+)");

    private NoiseGolden() {}

    static boolean recognizes(SafetensorsFile file) {
        return !file.tensors().isEmpty()
                && file.tensors().keySet().stream().allMatch(name -> KEY.matcher(name).matches());
    }

    static List<Deviation> verify(Path golden) throws Failure {
        try (SafetensorsFile file = SafetensorsFile.open(golden)) {
            List<Deviation> deviations = new ArrayList<>();
            Map<Long, TorchRandom> sequences = new HashMap<>();
            for (String name : new TreeSet<>(file.tensors().keySet())) {
                Matcher key = KEY.matcher(name);
                if (!key.matches())
                    throw new Failure.Unreadable(
                            golden + ": " + name + ": expected a name like seed7.1x4x8x8 or seed7.sequence.0");
                long seed = seed(golden, key.group(1));
                TorchRandom random = key.group(2).startsWith("sequence")
                        ? sequences.computeIfAbsent(seed, TorchRandom::new)
                        : new TorchRandom(seed);
                Tensor expected = file.read(name);
                deviations.add(Deviation.absolute(name, expected, random.randn(expected.shape()), TOLERANCE));
            }
            return deviations;
        }
    }

    private static long seed(Path golden, String digits) throws Failure {
        try {
            return Long.parseLong(digits);
        } catch (NumberFormatException e) {
            throw new Failure.Unreadable(golden + ": seed " + digits + ": expected a 64-bit number", e);
        }
    }
}
