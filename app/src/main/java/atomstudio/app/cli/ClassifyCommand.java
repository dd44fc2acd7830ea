package atomstudio.app.cli;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// `studio classify`: its subcommands train and use image classifiers.
@Command(
        name = "classify",
        description = "Fine-tunes an image classifier (ResNet, ConvNeXt, ViT) on folders of images, one per class, and "
                + "uses it.",
        footer = {"", "Examples:",
                "  studio classify train --data flowers --model resnet50.safetensors --method atoms --out runs/flowers",
                "  studio classify evaluate --run runs/flowers",
                "  studio classify predict --run runs/flowers rose.jpg"})
final class ClassifyCommand implements Callable<Integer>, Main.RunsWithoutNatives, Main.CommandGroup {
    private final CommandContext context;

    @Spec
    private CommandSpec spec;

    ClassifyCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public List<Object> subcommands() {
        return List.of(new ClassifyTrainCommand(context), new ClassifyEvaluateCommand(context),
                new ClassifyPredictCommand(context));
    }

    @Override
    public Integer call() {
        throw new UsageError(spec, "expected a command: train, evaluate or predict");
    }
}
