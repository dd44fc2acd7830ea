package atomstudio.app.cli;

import atomstudio.app.jobs.EngineName;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/// `--engine`, for commands that make pictures. Use it as a picocli mixin.
final class EngineOption {
    @Option(names = "--engine", paramLabel = "auto|onnx|torch", converter = EngineConverter.class, defaultValue = "auto",
            description = "What runs the networks. auto: onnx, or for a large model on a processor with bfloat16 units torch, whose pictures differ by rounding. Default: ${DEFAULT-VALUE}.")
    private EngineName engine = EngineName.AUTO;

    EngineName engineName() {
        return engine;
    }

    private static final class EngineConverter implements ITypeConverter<EngineName> {
        @Override public EngineName convert(String value) {
            return EngineName.ofOption(value).orElseThrow(() -> new TypeConversionException("expected auto, onnx or torch, found \"" + value + "\""));
        }
    }
}
