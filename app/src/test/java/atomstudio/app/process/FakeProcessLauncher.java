package atomstudio.app.process;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingConfigJson;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.config.TrainingSettings;
import atomstudio.tuning.method.ModelSize;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.IntConsumer;

/// Writes a run folder like a real training process, `stepsPerWait` steps at each wait.
public final class FakeProcessLauncher implements TrainingProcess.ProcessLauncher {
    public final List<RunSpec> specs = new ArrayList<>();
    public final List<TrainingProcess.ProcessCommand> commands = new ArrayList<>();
    public final List<String> prompts = new ArrayList<>();
    /// Called at each wait for the process, with the number of finished steps.
    public IntConsumer onWait = step -> {};
    public int steps = 20;
    public int stepsPerWait = 5;
    /// Exit code at step `breakAt`.
    public int breakCode;
    public int breakAt = Integer.MAX_VALUE;
    /// From this step on, every wait ends with a validation.
    public int validateAfter = Integer.MAX_VALUE;
    public String output = "";
    public Duration delay = Duration.ZERO;

    @Override
    public TrainingProcess start(RunSpec spec) throws Failure {
        specs.add(spec);
        try {
            Files.createDirectories(spec.folder());
            Process process = new Process(spec);
            if (!Files.exists(spec.folder().resolve("run.json")))
                Files.writeString(spec.folder().resolve("run.json"), request(spec));
            process.line("start", 0, "\"steps\":" + steps + ",\"device\":\"cpu\",\"threads\":2");
            return process;
        } catch (IOException e) {
            throw new Failure.Unwritable(spec.folder().toString(), e);
        }
    }

    private String request(RunSpec spec) {
        JsonObject model = new JsonObject();
        model.addProperty("path", spec.model().toString());
        model.addProperty("name", "Small illustrated");
        model.addProperty("hash", "00");
        JsonObject json = new JsonObject();
        json.addProperty("format", 2);
        json.add("model", model);
        json.addProperty("class", spec.phrase().className());
        json.addProperty("token", spec.phrase().triggerWord());
        json.addProperty("method", spec.choice().option());
        JsonObject settings = new JsonObject();
        spec.choices().method().entries().forEach(settings::addProperty);
        json.add("settings", settings);
        json.add("recipe", config(spec));
        json.addProperty("batch",
                Integer.parseInt(spec.choices().training().chosen().getOrDefault(TrainingSetting.BATCH_SIZE, "6")));
        json.addProperty("size",
                Integer.parseInt(spec.choices().training().chosen().getOrDefault(TrainingSetting.RESOLUTION, "128")));
        JsonObject photo = new JsonObject();
        photo.addProperty("name", "00.png");
        photo.addProperty("sha256", "0".repeat(64));
        json.add("pictures", list(photo));
        json.add("captions",
                list(new JsonPrimitive("a " + spec.phrase().triggerWord() + " " + spec.phrase().className())));
        json.addProperty("numbers", 2268);
        json.addProperty("created", "2026-05-03T10:15:30Z");
        return json.toString();
    }

    private static JsonArray list(JsonElement only) {
        JsonArray list = new JsonArray();
        list.add(only);
        return list;
    }

    private JsonObject config(RunSpec spec) {
        TrainingSettings training = spec.choices().training();
        TrainingConfig config = training.toConfig(spec.choices().method(), ModelSize.SMALL)
                .with(TrainingSetting.STEPS, steps);
        if (!training.chosen().containsKey(TrainingSetting.CLASS_IMAGES))
            config = config.with(TrainingSetting.PRIOR_LOSS_WEIGHT, 0.0);
        return TrainingConfigJson.write(config);
    }

    private final class Process implements TrainingProcess {
        private final Path run;
        private int step;
        private boolean paused;
        private boolean stopped;

        Process(RunSpec spec) {
            run = spec.folder();
        }

        void line(String kind, int at, String more) throws IOException {
            String line = "{\"kind\":\"" + kind + "\",\"time\":0,\"step\":" + at + (more.isEmpty() ? "" : "," + more)
                    + "}\n";
            Files.writeString(run.resolve("events.jsonl"), line, StandardCharsets.UTF_8, StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND);
        }

        @Override
        public void send(ProcessCommand command) {
            commands.add(command);
            try {
                switch (command) {
                    case PAUSE -> {
                        paused = true;
                        line("paused", step, "");
                    }
                    case RESUME -> {
                        paused = false;
                        line("resumed", step, "");
                    }
                    case STOP -> stopped = true;
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void requestPreview(String prompt) {
            prompts.add(prompt);
            try {
                int number = prompts.size();
                Files.createDirectories(run.resolve("previews"));
                String file = "previews/%06d-asked-%d.png".formatted(step, number);
                PngWriter.write(run.resolve(file), RgbImage.filled(64, 64, 0x3465A4), Map.of());
                line("preview", step, "\"file\":\"" + file + "\",\"prompt\":\"" + prompt + "\"");
            } catch (IOException | Failure e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public OptionalInt await(Duration timeout) throws InterruptedException {
            Thread.sleep(delay);
            onWait.accept(step);
            try {
                if (stopped) {
                    line("cancelled", step, "");
                    return OptionalInt.of(130);
                }
                if (paused) return OptionalInt.empty();
                for (int i = 0; i < stepsPerWait && step < Math.min(steps, breakAt); i++) {
                    step++;
                    line("step", step, "\"loss\":" + (0.5 / step + 0.05 * Math.sin(step) * Math.sin(step))
                            + ",\"rate\":0.01,\"seconds\":0.25,\"memory\":1200000000");
                }
                if (step >= validateAfter)
                    line("validation", step, "\"measure\":\"loss of the held-out photo\",\"value\":"
                            + (0.3 / step + 0.03) + ",\"best\":" + step);
                if (step >= breakAt) return OptionalInt.of(breakCode);
                if (step < steps) return OptionalInt.empty();
                finish();
                return OptionalInt.of(0);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private void finish() throws IOException {
            Files.writeString(run.resolve("report.json"), "{\"numbers\":2268,\"bytes\":9600,\"seconds\":5.0,\"steps\":"
                    + steps + ",\"loss\":0.02,\"share\":0.00038,\"peakMemory\":1200000000}");
            Files.writeString(run.resolve("adapter.safetensors"), "not read by these tests");
            line("done", steps, "\"loss\":0.02,\"numbers\":2268,\"bytes\":9600,\"seconds\":5.0");
        }

        @Override
        public String lastOutput() {
            return output;
        }

        @Override
        public void close() {}
    }
}
