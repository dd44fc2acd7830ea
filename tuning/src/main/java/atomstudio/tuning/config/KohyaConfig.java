package atomstudio.tuning.config;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.ImageFormat;
import atomstudio.diffusion.image.PhotoFolders;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.setting.Setting;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Converts a configuration of kohya's sd-scripts: a training configuration (`--config_file`, whose section names have
/// no meaning) or a dataset configuration (`--dataset_config`). A missing key has sd-scripts' default. What has no
/// counterpart here is listed in the notes, first what changes the result.
/// Source: kohya-ss/sd-scripts (2026), `library/train_util.py`, `library/config_util.py`, `train_network.py`,
/// `networks/lora.py`.
final class KohyaConfig {
    private final KohyaKeys keys;
    private final Map<Setting, String> values = new HashMap<>();
    private final Map<ConfigFile.Input, String> inputs = new HashMap<>();
    private Optional<MethodName> method = Optional.empty();

    private KohyaConfig(KohyaKeys keys) {
        this.keys = keys;
    }

    static ConfigFile read(TomlFile toml) throws Failure.Unreadable {
        KohyaConfig config = new KohyaConfig(KohyaKeys.of(toml));
        config.convert();
        return new ConfigFile(new ChosenSettings(config.method, Optional.empty(), config.values), config.inputs,
                config.keys.notes());
    }

    private void convert() throws Failure.Unreadable {
        convertInputs();
        convertPhotos();
        if (keys.isGiven("network_module")) convertNetwork();
        if (Stream.of("network_module", "learning_rate", "max_train_steps", "max_train_epochs", "optimizer_type")
                .anyMatch(keys::isGiven)) {
            convertOptimizer();
            convertSchedule();
        }
        convertLoss();
        convertRuntime();
    }

    private void convertInputs() throws Failure.Unreadable {
        input("pretrained_model_name_or_path", ConfigFile.Input.MODEL);
        input("train_data_dir", ConfigFile.Input.PHOTOS);
        input("image_dir", ConfigFile.Input.PHOTOS);
        if (keys.isGiven("output_dir"))
            inputs.put(ConfigFile.Input.OUT, Path.of(keys.text("output_dir"))
                    .resolve(keys.isGiven("output_name") ? keys.text("output_name") : "")
                    .toString());
        if (!keys.isGiven("class_tokens")) return;
        String[] words = keys.text("class_tokens").strip().split("\\s+", 2);
        if (words.length == 2) inputs.put(ConfigFile.Input.TRIGGER_WORD, words[0]);
        inputs.put(ConfigFile.Input.CLASS, words[words.length - 1]);
    }

    private void input(String key, ConfigFile.Input input) throws Failure.Unreadable {
        if (keys.isGiven(key)) inputs.put(input, keys.text(key));
    }

    private void convertPhotos() throws Failure.Unreadable {
        for (TomlFile.Entry folder : keys.classImages())
            set(TrainingSetting.CLASS_IMAGES, folder, folder.json().string(folder.key()));
        if (keys.isGiven("reg_data_dir"))
            set(TrainingSetting.CLASS_IMAGES, keys.entry("reg_data_dir"), keys.text("reg_data_dir"));
        Stream.of("num_repeats", "dataset_repeats").forEach(keys::isGiven); // for epochs; one folder needs no weights
        flag("flip_aug", TrainingSetting.FLIP);
        flag("alpha_mask", TrainingSetting.MASKS);
        flag("masked_loss", TrainingSetting.MASKS);
        if (keys.isOn("enable_bucket")) values.put(TrainingSetting.CROP, "whole");
        if (keys.isOn("random_crop")) values.put(TrainingSetting.CROP, "random");
        if (keys.isGiven("resolution")) convertResolution();
        // Without a caption file, the caption is trigger word and class.
        values.put(TrainingSetting.CAPTION_TEMPLATE, TrainingConfig.SUBJECT_PLACEHOLDER);
        for (String key : List.of("caption_extension", "caption_extention")) {
            if (!keys.isGiven(key)) continue;
            if (keys.text(key).equals(".txt")) values.put(TrainingSetting.CAPTIONS, Setting.YES);
            else keys.differs(key + " = " + keys.text(key) + " (only captions in .txt files are read)");
        }
    }

    /// `512`, `"512,512"` or `[512, 512]`.
    private void convertResolution() throws Failure.Unreadable {
        TomlFile.Entry entry = keys.entry("resolution");
        String text = entry.value() instanceof JsonArray list
                ? list.asList().stream().map(JsonElement::getAsString).collect(Collectors.joining(","))
                : entry.value().getAsString();
        String[] sides = text.split("[,x]");
        set(TrainingSetting.RESOLUTION, entry, sides[0].strip());
        if (sides.length > 1 && !sides[1].strip().equals(sides[0].strip()))
            keys.differs("resolution = " + text + " (photos are " + sides[0].strip() + " pixels wide and high)");
    }

    private void convertNetwork() throws Failure.Unreadable {
        TomlFile.Entry module = keys.entry("network_module");
        Map<String, String> arguments = keys.arguments("network_args");
        String algorithm = switch (keys.text("network_module")) {
            case "networks.lora" -> "lora";
            case "lycoris.kohya" -> arguments.getOrDefault("algo", "lora");
            default -> throw module.invalid("networks.lora, or lycoris.kohya with algo lora, locon, loha or lokr",
                    keys.text("network_module"));
        };
        arguments.remove("algo");
        boolean isConvolutional = arguments.containsKey("conv_dim")
                || keys.text("network_module").startsWith("lycoris");
        method = Optional.of(switch (algorithm) {
            case "lora", "locon" -> isConvolutional ? MethodName.LOCON : MethodName.LORA;
            case "loha" -> MethodName.LOHA;
            case "lokr" -> MethodName.LOKR;
            default -> throw module.invalid("algo lora, locon, loha or lokr", algorithm);
        });
        // Linear layers and 1×1 convolutions of the transformers, and with conv_dim the convolutions of the others.
        values.put(MethodSetting.LAYERS,
                isConvolutional ? "*.attentions.*,*.resnets.*,*.downsamplers.*,*.upsamplers.*" : "*.attentions.*");
        String rank = number("network_dim", MethodSetting.RANK, "4");
        boolean isRank = keys.isGiven("network_alpha") && keys.decimal("network_alpha") == 0;
        String alpha = isRank ? rank : number("network_alpha", MethodSetting.ALPHA, "1");
        String convolutionRank = arguments.remove("conv_dim"), convolutionAlpha = arguments.remove("conv_alpha");
        if (convolutionRank != null) {
            if (!convolutionRank.equals(rank))
                set(MethodSetting.RANK_PATTERN, keys.entry("network_args"), "conv3x3=" + convolutionRank);
            double scale = Double.parseDouble(convolutionAlpha == null ? "1" : convolutionAlpha)
                    / Double.parseDouble(convolutionRank);
            if (Math.abs(scale - Double.parseDouble(alpha) / Double.parseDouble(rank)) > 1e-9)
                keys.differs("conv_alpha (alpha / rank is that of network_alpha for all layers)");
        }
        arguments.forEach((name, value) -> keys.differs("network_args " + name + " = " + value));
        boolean hasRate = !keys.isGiven("text_encoder_lr") || keys.decimal("text_encoder_lr") != 0;
        if (!keys.isOn("network_train_unet_only") && hasRate) {
            values.put(MethodSetting.TRAIN_TEXT_ENCODER, Setting.YES);
            keys.differs("the text encoder's MLP (only its attention is trained)");
        }
    }

    private void convertOptimizer() throws Failure.Unreadable {
        String name = keys.isOn("use_8bit_adam") ? "adamw8bit" : keys.isOn("use_lion_optimizer") ? "lion"
                : keys.isGiven("optimizer_type") ? keys.text("optimizer_type").toLowerCase(Locale.ROOT) : "adamw";
        boolean isProdigy = name.equals("prodigy");
        values.put(TrainingSetting.OPTIMIZER, isProdigy ? "prodigy" : "adamw");
        if (!isProdigy && !Set.of("adamw", "adamw8bit", "pagedadamw", "pagedadamw8bit", "pagedadamw32bit")
                .contains(name))
            keys.differs("optimizer_type = " + (keys.isGiven("optimizer_type") ? keys.text("optimizer_type") : name)
                    + " (adamw is used; choose a learning rate for it)");
        Map<String, String> arguments = keys.arguments("optimizer_args");
        // PyTorch's and bitsandbytes' default.
        String decay = arguments.remove("weight_decay");
        set(TrainingSetting.WEIGHT_DECAY, keys.entry("optimizer_args"),
                decay != null ? decay : isProdigy ? "0" : "0.01");
        if (isProdigy) arguments.remove("decouple", "True");
        arguments.forEach((key, value) -> keys.differs("optimizer_args " + key + " = " + value));
        if (keys.isGiven("max_grad_norm") && keys.decimal("max_grad_norm") != 1)
            keys.differs("max_grad_norm = " + keys.text("max_grad_norm") + " (it is 1)");
        String rate = keys.isGiven("learning_rate") ? keys.text("learning_rate") : "2e-6";
        boolean isFrozen = keys.isGiven("unet_lr") && keys.decimal("unet_lr") == 0;
        if (isFrozen) values.put(TrainingSetting.GROUPS, "unet:learning-rate=0");
        boolean hasOwn = keys.isGiven("unet_lr") && !isFrozen;
        set(TrainingSetting.LEARNING_RATE, keys.entry(hasOwn ? "unet_lr" : "learning_rate"),
                hasOwn ? keys.text("unet_lr") : rate);
        if (values.containsKey(MethodSetting.TRAIN_TEXT_ENCODER))
            set(TrainingSetting.TEXT_ENCODER_LEARNING_RATE, keys.entry("text_encoder_lr"),
                    keys.isGiven("text_encoder_lr") ? keys.text("text_encoder_lr") : rate);
    }

    private void convertSchedule() throws Failure.Unreadable {
        String ofRun = number("train_batch_size", TrainingSetting.BATCH_SIZE, "1");
        String batchSize = number("batch_size", TrainingSetting.BATCH_SIZE, ofRun);
        String accumulation = number("gradient_accumulation_steps", TrainingSetting.GRADIENT_ACCUMULATION, "1");
        String steps = number("max_train_steps", TrainingSetting.STEPS, "1600");
        if (keys.isGiven("max_train_epochs"))
            steps = convertEpochs(Double.parseDouble(batchSize), Double.parseDouble(accumulation)).orElse(steps);
        String scheduler = keys.isGiven("lr_scheduler") ? keys.text("lr_scheduler") : "constant";
        double cycles = keys.isGiven("lr_scheduler_num_cycles") ? keys.decimal("lr_scheduler_num_cycles") : 1;
        boolean isConstant = scheduler.equals("constant") || scheduler.equals("constant_with_warmup");
        values.put(TrainingSetting.LR_SCHEDULER, isConstant ? "constant" : "cosine");
        if (!isConstant && !scheduler.equals("cosine") && !(scheduler.equals("cosine_with_restarts") && cycles == 1))
            keys.differs("lr_scheduler = " + scheduler + " (cosine is used)");
        double warmup = keys.isGiven("lr_warmup_steps") ? keys.decimal("lr_warmup_steps") : 0;
        if (warmup < 1) warmup *= Double.parseDouble(steps);
        // sd-scripts' "constant" has no warm-up.
        set(TrainingSetting.WARMUP_STEPS, keys.entry("lr_warmup_steps"),
                scheduler.equals("constant") ? "0" : Long.toString((long) warmup));
    }

    /// Epochs times the batches of all photos and repeats, over the accumulation.
    private Optional<String> convertEpochs(double batchSize, double accumulation) throws Failure.Unreadable {
        String photos = inputs.get(ConfigFile.Input.PHOTOS);
        double repeats = keys.isGiven("num_repeats") ? keys.decimal("num_repeats")
                : keys.isGiven("dataset_repeats") ? keys.decimal("dataset_repeats") : 1;
        double images = photos == null ? 0 : countImages(Path.of(photos)) * repeats;
        if (images == 0) {
            keys.differs("max_train_epochs (no photos are found in the file's folder to count them; choose the steps)");
            return Optional.empty();
        }
        double epoch = Math.ceil(Math.ceil(images / batchSize) / accumulation);
        String steps = Long.toString((long) (keys.decimal("max_train_epochs") * epoch));
        set(TrainingSetting.STEPS, keys.entry("max_train_epochs"), steps);
        return Optional.of(steps);
    }

    private static long countImages(Path folder) {
        long count = 0;
        try {
            for (PhotoFolders.Entry entry : PhotoFolders.of(folder).entries())
                try (Stream<Path> files = Files.list(entry.folder())) {
                    count += entry.repeats()
                            * files.filter(each -> ImageFormat.ofFileName(each).isPresent()).count();
                }
            return count;
        } catch (IOException | Failure e) {
            return 0; // reported as a note, and again when the photos are read
        }
    }

    private void convertLoss() throws Failure.Unreadable {
        optional("min_snr_gamma", TrainingSetting.MIN_SNR_GAMMA);
        optional("noise_offset", TrainingSetting.NOISE_OFFSET);
        boolean hasWeight = keys.isGiven("prior_loss_weight");
        if (hasWeight && values.containsKey(TrainingSetting.CLASS_IMAGES))
            number("prior_loss_weight", TrainingSetting.PRIOR_LOSS_WEIGHT, "1");
        if (keys.isGiven("clip_skip") && keys.decimal("clip_skip") > 1)
            keys.differs("clip_skip = " + keys.text("clip_skip") + " (the model's last text layer is used)");
    }

    private void convertRuntime() throws Failure.Unreadable {
        if (keys.isGiven("seed")) set(TrainingSetting.SEED, keys.entry("seed"), keys.text("seed"));
        optional("sample_every_n_steps", TrainingSetting.PREVIEW_EVERY);
        flag("gradient_checkpointing", TrainingSetting.GRADIENT_CHECKPOINTING);
        if (!keys.isGiven("mixed_precision")) return;
        switch (keys.text("mixed_precision")) {
            case "no" -> values.put(TrainingSetting.PRECISION, "fp32");
            case "bf16" -> values.put(TrainingSetting.PRECISION, "bf16");
            default -> {
                values.put(TrainingSetting.PRECISION, "auto");
                keys.differs("mixed_precision = " + keys.text("mixed_precision") + " (auto is used)");
            }
        }
    }

    /// A setting with a default of sd-scripts. Its text.
    private String number(String key, Setting setting, String defaultValue) throws Failure.Unreadable {
        String text = keys.isGiven(key) ? keys.text(key) : defaultValue;
        set(setting, keys.entry(key), text);
        return text;
    }

    private void optional(String key, Setting setting) throws Failure.Unreadable {
        if (keys.isGiven(key) && keys.decimal(key) != 0) set(setting, keys.entry(key), keys.text(key));
    }

    private void flag(String key, Setting setting) throws Failure.Unreadable {
        if (keys.isOn(key)) values.put(setting, Setting.YES);
    }

    /// @param entry names the key in messages; null: sd-scripts' default
    private void set(Setting setting, TomlFile.@Nullable Entry entry, String text)
            throws Failure.Unreadable {
        try {
            values.put(setting, setting.row().canonical(text));
        } catch (IllegalArgumentException e) {
            throw new Failure.Unreadable((entry == null ? keys.file().toString()
                    : entry.source() + ": " + entry.key()) + ": "
                    + e.getMessage(), e);
        }
    }
}
