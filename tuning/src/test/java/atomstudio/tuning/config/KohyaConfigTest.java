package atomstudio.tuning.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ModelSize;
import atomstudio.tuning.setting.Setting;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KohyaConfigTest {
    private static final String CONFIG = """
            [model_arguments]
            pretrained_model_name_or_path = "sd15.safetensors"
            v2 = false
            [dataset_arguments]
            train_data_dir = "photos"
            resolution = "512,512"
            caption_extension = ".txt"
            shuffle_caption = true
            keep_tokens = 1
            flip_aug = true
            [network]
            network_module = "networks.lora"
            network_dim = 16
            network_alpha = 8
            network_args = []
            network_train_unet_only = false
            [optimizer]
            optimizer_type = "AdamW8bit"
            optimizer_args = ["weight_decay=0.1", "betas=0.9,0.99"]
            learning_rate = 1e-4
            unet_lr = 2e-4
            text_encoder_lr = [5e-5]
            lr_scheduler = "cosine"
            lr_warmup_steps = 0.05
            max_grad_norm = 1.0
            [training]
            max_train_steps = 400
            train_batch_size = 2
            gradient_accumulation_steps = 3
            gradient_checkpointing = true
            mixed_precision = "bf16"
            seed = 42
            min_snr_gamma = 5
            noise_offset = 0.05
            clip_skip = 2
            output_dir = "runs"
            output_name = "car"
            save_precision = "fp16"
            xformers = true
            some_new_key = 3
            """;

    @TempDir
    private Path folder;

    private ConfigFile read(String toml) throws Exception {
        return ConfigFile.read(Files.writeString(folder.resolve("kohya.toml"), toml));
    }

    @Test
    void aTrainingConfigurationIsConverted() throws Exception {
        ConfigFile file = read(CONFIG);
        assertEquals(Map.of(ConfigFile.Input.MODEL, "sd15.safetensors", ConfigFile.Input.PHOTOS, "photos",
                ConfigFile.Input.OUT, Path.of("runs", "car").toString()), file.inputs());
        MethodSettings method = file.settings().methodSettings(file.settings().method().orElseThrow());
        assertEquals(MethodSettings.of(MethodName.LORA, Map.of(MethodSetting.RANK, "16", MethodSetting.ALPHA, "8",
                MethodSetting.LAYERS, "*.attentions.*", MethodSetting.TRAIN_TEXT_ENCODER, Setting.YES)), method);
        assertEquals(new TrainingSettings(Map.ofEntries(Map.entry(TrainingSetting.STEPS, "400"),
                Map.entry(TrainingSetting.LEARNING_RATE, "0.0002"),
                Map.entry(TrainingSetting.TEXT_ENCODER_LEARNING_RATE, "0.00005"),
                Map.entry(TrainingSetting.LR_SCHEDULER, "cosine"), Map.entry(TrainingSetting.WARMUP_STEPS, "20"),
                Map.entry(TrainingSetting.OPTIMIZER, "adamw"), Map.entry(TrainingSetting.WEIGHT_DECAY, "0.1"),
                Map.entry(TrainingSetting.BATCH_SIZE, "2"), Map.entry(TrainingSetting.GRADIENT_ACCUMULATION, "3"),
                Map.entry(TrainingSetting.GRADIENT_CHECKPOINTING, "yes"), Map.entry(TrainingSetting.PRECISION, "bf16"),
                Map.entry(TrainingSetting.SEED, "42"), Map.entry(TrainingSetting.MIN_SNR_GAMMA, "5"),
                Map.entry(TrainingSetting.NOISE_OFFSET, "0.05"), Map.entry(TrainingSetting.RESOLUTION, "512"),
                Map.entry(TrainingSetting.CAPTIONS, "yes"), Map.entry(TrainingSetting.CAPTION_TEMPLATE, "{}"),
                Map.entry(TrainingSetting.FLIP, "yes"))), file.settings().trainingSettings(method, ModelSize.SMALL));
        file.settings().trainingSettings(method, ModelSize.SMALL).toConfig(method, ModelSize.SMALL);
        String notes = String.join("\n", file.notes());
        for (String named : new String[] {"shuffle_caption = true", "keep_tokens = 1", "clip_skip = 2",
                "optimizer_args betas = 0.9,0.99", "text encoder's MLP", "not known here: some_new_key",
                "without effect on the result: save_precision, xformers"})
            assertTrue(notes.contains(named), named + " in " + notes);
        assertFalse(notes.contains("output_name") || notes.contains("network_args") || notes.contains("v2"), notes);
    }

    @Test
    void missingKeysHaveTheDefaultsOfSdScripts() throws Exception {
        ConfigFile file = read("network_module = 'networks.lora'\nnetwork_train_unet_only = true\n");
        MethodSettings method = file.settings().methodSettings(MethodName.LORA);
        TrainingConfig config = file.settings()
                .trainingSettings(method, ModelSize.SMALL)
                .toConfig(method, ModelSize.SMALL);
        assertEquals("4", method.value(MethodSetting.RANK));
        assertEquals("1", method.value(MethodSetting.ALPHA));
        assertEquals(1600, config.schedule().steps());
        assertEquals(2e-6, config.schedule().learningRate());
        assertEquals(0, config.schedule().warmupSteps());
        assertEquals(1, config.optimizer().batchSize());
        assertEquals(0.01, config.optimizer().weightDecay());
        assertEquals(List.of(), file.notes());
    }

    @Test
    void convolutionsHaveTheirRank() throws Exception {
        ConfigFile file = read("""
                network_module = "networks.lora"
                network_dim = 8
                network_alpha = 8
                network_args = ["conv_dim=4", "conv_alpha=1", "block_dims=2,2"]
                unet_lr = 0
                text_encoder_lr = 0
                """);
        assertEquals(Optional.of(MethodName.LOCON), file.settings().method());
        assertEquals("conv3x3=4", file.settings().values().get(MethodSetting.RANK_PATTERN));
        assertEquals("unet:learning-rate=0", file.settings().values().get(TrainingSetting.GROUPS));
        assertFalse(file.settings().values().containsKey(MethodSetting.TRAIN_TEXT_ENCODER));
        assertTrue(file.notes().getFirst().contains("conv_alpha") && file.notes().getFirst().contains("block_dims"),
                file.notes().toString());
    }

    @Test
    void aDatasetConfigurationGivesPhotosWordsAndSteps() throws Exception {
        for (String name : new String[] {"a.png", "b.jpg", "c.webp"})
            Files.createFile(Files.createDirectories(folder.resolve("photos")).resolve(name));
        Path dataset = Files.writeString(folder.resolve("dataset.toml"), """
                [general]
                enable_bucket = true
                caption_extension = ".caption"
                [[datasets]]
                resolution = [256, 192]
                batch_size = 2
                [[datasets.subsets]]
                image_dir = "%s"
                class_tokens = "sks toy car"
                num_repeats = 10
                [[datasets.subsets]]
                is_reg = true
                image_dir = "cars"
                [[datasets.subsets]]
                image_dir = "more"
                """.formatted(folder.resolve("photos")));
        ConfigFile file = read("network_module = 'networks.lora'\nmax_train_epochs = 2\ntrain_batch_size = 1\n"
                + "prior_loss_weight = 0.5\ndataset_config = '" + dataset + "'\n");
        assertEquals(Map.of(ConfigFile.Input.PHOTOS, folder.resolve("photos").toString(),
                ConfigFile.Input.TRIGGER_WORD, "sks", ConfigFile.Input.CLASS, "toy car"), file.inputs());
        Map<Setting, String> values = file.settings().values();
        assertEquals("30", values.get(TrainingSetting.STEPS), "3 photos, 10 repeats, batches of 2, 2 epochs");
        assertEquals("2", values.get(TrainingSetting.BATCH_SIZE));
        assertEquals("cars", values.get(TrainingSetting.CLASS_IMAGES));
        assertEquals("0.5", values.get(TrainingSetting.PRIOR_LOSS_WEIGHT));
        assertEquals("whole", values.get(TrainingSetting.CROP));
        String notes = String.join("\n", file.notes());
        for (String named : new String[] {"resolution = 256,192", "more (only the first subset", ".caption (only"})
            assertTrue(notes.contains(named), named + " in " + notes);
    }

    @Test
    void anotherOptimizerOrSchedulerIsNamed() throws Exception {
        String notes = String.join("\n", read("learning_rate = 1e-4\noptimizer_type = 'Lion'\nlr_scheduler = 'linear'\n"
                + "network_dim = 4\nmixed_precision = 'fp16'\nmax_grad_norm = 0.5\n").notes());
        for (String named : new String[] {"optimizer_type = Lion (adamw is used", "lr_scheduler = linear (cosine is",
                "network_dim = 4", "mixed_precision = fp16 (auto is used)", "max_grad_norm = 0.5"})
            assertTrue(notes.contains(named), named + " in " + notes);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "network_module = 'networks.oft' | line 2: network_module: expected networks.lora",
            "network_dim = 'big' | line 2: network_dim: rank: expected a whole number, found big",
            "max_train_steps = 0.5 | line 2: max_train_steps: steps: expected a whole number",
            "lr_warmup_steps = 'long' | line 2: lr_warmup_steps: expected a number, found long",
            "flip_aug = 1 | line 2: flip_aug: expected true or false",
            "optimizer_args = ['decay'] | line 2: optimizer_args: expected entries such as name=value, found decay"})
    void wrongValuesAreNamedWithTheirLine(String line, String message) {
        String module = line.startsWith("network_module") ? "\n" : "network_module = 'networks.lora'\n";
        String found = assertThrows(Failure.Unreadable.class, () -> read(module + line + "\n")).getMessage();
        assertTrue(found.contains(message), found);
    }
}
