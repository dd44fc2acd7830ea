package atomstudio.tuning.adapter;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.ops.Placeholder;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// What an adapter can be written as.
public enum ExportFormat {
    /// Our own, which holds everything.
    ATOMSTUDIO("atomstudio"),
    /// The rows of a textual inversion as other programs know embeddings: safetensors of one tensor (n,C) whose name is the word.
    /// diffusers takes the word from there; A1111, Forge and ComfyUI take the file's name for the word.
    EMBEDDING("embedding"),
    /// LoRA by the names of sd-scripts, with `lora_te_` for the text encoder.
    KOHYA("kohya"),
    /// LoRA by diffusers' own names.
    PEFT("peft");

    private final String option;

    ExportFormat(String option) {
        this.option = option;
    }

    /// On the command line.
    public String option() {
        return option;
    }

    /// @throws IllegalArgumentException for an unknown name, listing the known ones
    public static ExportFormat named(String option) {
        return Stream.of(values()).filter(format -> format.option.equals(option)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("format: expected one of " + names() + ", found " + option));
    }

    static ExportFormat of(LoraExport.Naming naming) {
        return switch (naming) {
            case KOHYA -> KOHYA;
            case PEFT -> PEFT;
        };
    }

    public static String names() {
        return Stream.of(values()).map(ExportFormat::option).collect(Collectors.joining(", "));
    }

    /// What was written.
    /// @param numbers in the file
    /// @param left    what of the adapter the file does not hold; empty when it holds all
    public record Written(long numbers, Optional<String> left) {}

    /// @throws Failure.Incompatible when the format has no place for what the adapter holds
    /// @throws Failure.Unwritable when the disk is full; an old file is kept
    public Written write(AdapterFile adapter, Path file) throws Failure {
        return switch (this) {
            case ATOMSTUDIO -> {
                adapter.write(file);
                yield new Written(adapter.numbers(), Optional.empty());
            }
            case EMBEDDING -> embedding(adapter, file);
            case KOHYA -> new LoraExport(LoraExport.Naming.KOHYA).write(adapter, file);
            case PEFT -> new LoraExport(LoraExport.Naming.PEFT).write(adapter, file);
        };
    }

    private static Written embedding(AdapterFile adapter, Path file) throws Failure {
        Placeholder word = adapter.placeholder().orElseThrow(() -> new Failure.Incompatible(
                "format embedding: expected an adapter that holds rows of a textual inversion, found one of method " + adapter.method().name() + " without; export it as " + ATOMSTUDIO.option));
        Tensor rows = adapter.values().get(AdapterFile.ROWS);
        SafetensorsWriter.write(file, Map.of(word.word(), rows), Map.of("base.name", adapter.base().name(), "steps", Integer.toString(adapter.training().steps())));
        long others = adapter.layers().stream().filter(layer -> !AdapterFile.ROWS.startsWith(layer.name() + ".")).count();
        return new Written(rows.data().length, others == 0 ? Optional.empty() : Optional.of("The embedding alone is written; what was tuned in " + others + " other layers is not in it."));
    }
}
