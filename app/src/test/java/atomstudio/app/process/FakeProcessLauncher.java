package atomstudio.app.process;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.config.TrainingSettings;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
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

/// A tuner that writes a run folder as the real one does, `stepsAtOnce` steps each time it is waited for.
public final class FakeProcessLauncher implements TrainingProcess.ProcessLauncher {
    public final List<RunSpec> orders = new ArrayList<>();
    public final List<TrainingProcess.ProcessCommand> heard = new ArrayList<>();
    public final List<String> prompts = new ArrayList<>();
    /// Called each time somebody waits for the process, with the number of finished steps.
    public IntConsumer onWait = step -> {};
    public int steps = 20;
    public int stepsAtOnce = 5;
    /// Ends with this code instead of going past `breakAt`.
    public int breakCode;
    public int breakAt = Integer.MAX_VALUE;
    /// From this step on every wait ends with a validation.
    public int validateAfter = Integer.MAX_VALUE;
    public String words = "";
    public Duration pace = Duration.ZERO;

    @Override
    public TrainingProcess start(RunSpec order) throws Failure {
        orders.add(order);
        try {
            Files.createDirectories(order.folder());
            Process process = new Process(order);
            if (!Files.exists(order.folder().resolve("run.json")))
                Files.writeString(order.folder().resolve("run.json"), request(order));
            process.line("start", 0, "\"steps\":" + steps + ",\"device\":\"cpu\",\"threads\":2");
            return process;
        } catch (IOException e) {
            throw new Failure.Unwritable(order.folder().toString(), e);
        }
    }

    private String request(RunSpec order) {
        JsonObject model = new JsonObject();
        model.addProperty("path", order.model().toString());
        model.addProperty("name", "Small illustrated");
        model.addProperty("hash", "00");
        JsonObject json = new JsonObject();
        json.addProperty("format", 2);
        json.add("model", model);
        json.addProperty("class", order.phrase().className());
        json.addProperty("token", order.phrase().triggerWord());
        json.addProperty("method", order.choice().option());
        JsonObject settings = new JsonObject();
        order.choices().method().entries().forEach(settings::addProperty);
        json.add("settings", settings);
        json.add("recipe", recipe(order));
        json.addProperty("batch",
                Integer.parseInt(order.choices().training().chosen().getOrDefault(TrainingSetting.BATCH_SIZE, "6")));
        json.addProperty("size",
                Integer.parseInt(order.choices().training().chosen().getOrDefault(TrainingSetting.RESOLUTION, "128")));
        JsonObject picture = new JsonObject();
        picture.addProperty("name", "00.png");
        picture.addProperty("sha256", "0".repeat(64));
        json.add("pictures", list(picture));
        json.add("captions",
                list(new JsonPrimitive("a " + order.phrase().triggerWord() + " " + order.phrase().className())));
        json.addProperty("numbers", 2268);
        json.addProperty("created", "2026-05-03T10:15:30Z");
        return json.toString();
    }

    private static JsonArray list(JsonElement only) {
        JsonArray list = new JsonArray();
        list.add(only);
        return list;
    }

    private JsonObject recipe(RunSpec order) {
        TrainingSettings training = order.choices().training();
        JsonObject json = new JsonObject();
        for (TrainingSetting setting : TrainingSetting.values()) {
            String value = training.chosen()
                    .getOrDefault(setting, training.defaultValue(setting, order.choices().method()));
            if (setting == TrainingSetting.PRIOR_LOSS_WEIGHT
                    && !training.chosen().containsKey(TrainingSetting.CLASS_IMAGES))
                value = "0";
            if (value.isEmpty() && setting.option().endsWith("-rate")) continue;
            if (setting == TrainingSetting.STEPS) value = String.valueOf(steps);
            if (setting.isFlag()) json.addProperty(setting.option(), value.equals(TrainingSetting.YES));
            else
                if (!setting.allowedValues().isEmpty() || setting == TrainingSetting.CLASS_IMAGES
                        || setting == TrainingSetting.CAPTION_TEMPLATE)
                    json.addProperty(setting.option(), value);
                else
                    json.addProperty(setting.option(), value.isEmpty() ? new BigDecimal(0) : new BigDecimal(value));
        }
        return json;
    }

    private final class Process implements TrainingProcess {
        private final Path run;
        private int step;
        private boolean paused;
        private boolean stopped;

        Process(RunSpec order) {
            run = order.folder();
        }

        void line(String kind, int at, String more) throws IOException {
            String line = "{\"kind\":\"" + kind + "\",\"time\":0,\"step\":" + at + (more.isEmpty() ? "" : "," + more)
                    + "}\n";
            Files.writeString(run.resolve("events.jsonl"), line, StandardCharsets.UTF_8, StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND);
        }

        @Override
        public void send(ProcessCommand order) {
            heard.add(order);
            try {
                switch (order) {
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
        public OptionalInt await(Duration atMost) throws InterruptedException {
            Thread.sleep(pace);
            onWait.accept(step);
            try {
                if (stopped) {
                    line("cancelled", step, "");
                    return OptionalInt.of(130);
                }
                if (paused) return OptionalInt.empty();
                for (int i = 0; i < stepsAtOnce && step < Math.min(steps, breakAt); i++) {
                    step++;
                    line("step", step, "\"loss\":" + (0.5 / step + 0.05 * Math.sin(step) * Math.sin(step))
                            + ",\"rate\":0.01,\"seconds\":0.25,\"memory\":1200000000");
                }
                if (step >= validateAfter)
                    line("validation", step, "\"measure\":\"loss of a picture held out\",\"value\":"
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
            return words;
        }

        @Override
        public void close() {}
    }
}
