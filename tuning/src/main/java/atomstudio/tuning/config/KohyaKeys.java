package atomstudio.tuning.config;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The keys of a configuration of kohya's sd-scripts with their values, and which of them were converted. The others
/// are listed in notes, so that no key is ignored silently.
/// Source: kohya-ss/sd-scripts (2026), `library/train_util.py`, `library/config_util.py`, `train_network.py`.
final class KohyaKeys {
    /// Saving, logging, speed and memory: no effect on what is trained.
    private static final Set<String> WITHOUT_EFFECT = words("""
            output_name save_model_as save_precision save_every_n_epochs save_every_n_steps save_n_epoch_ratio
            save_last_n_epochs save_last_n_epochs_state save_last_n_steps save_last_n_steps_state save_state
            save_state_on_train_end save_state_to_huggingface no_metadata training_comment logging_dir log_with
            log_prefix log_tracker_name log_tracker_config wandb_run_name wandb_api_key log_config output_config
            config_file huggingface_repo_id huggingface_repo_type huggingface_path_in_repo huggingface_token
            huggingface_repo_visibility async_upload sample_prompts sample_sampler sample_every_n_epochs
            sample_at_first xformers sdpa mem_eff_attn torch_compile dynamo_backend max_data_loader_n_workers
            persistent_data_loader_workers cache_latents cache_latents_to_disk skip_cache_check vae_batch_size
            cache_text_encoder_outputs cache_text_encoder_outputs_to_disk text_encoder_batch_size cache_info lowram
            highvram ddp_timeout ddp_gradient_as_bucket_view ddp_static_graph no_half_vae debug_dataset
            tokenizer_cache_dir disable_mmap_load_safetensors use_safetensors console_log_level console_log_file
            console_log_simple min_bucket_reso max_bucket_reso bucket_reso_steps bucket_no_upscale
            cpu_offload_checkpointing blocks_to_swap v2 metadata_author metadata_description metadata_license
            metadata_tags metadata_title metadata_trigger_phrase metadata_usage_hint metadata_merged_from
            metadata_preprocessor metadata_thumbnail metadata_is_negative_embedding deepspeed zero_stage
            offload_optimizer_device offload_optimizer_nvme_path offload_param_device offload_param_nvme_path
            zero3_init_flag zero3_save_16bit_model""");
    /// Keys that change the result when they have another value than the one that stands for "off".
    private static final Set<String> CHANGES_RESULT = words("""
            network_dropout scale_weight_norms network_weights dim_from_weights base_weights
            base_weights_multiplier network_train_text_encoder_only lr_scheduler_type lr_scheduler_args
            lr_decay_steps lr_scheduler_power lr_scheduler_timescale lr_scheduler_min_lr_ratio fused_backward_pass
            full_fp16 full_bf16 fp8_base fp8_base_unet noise_offset_random_strength multires_noise_iterations
            multires_noise_discount ip_noise_gamma ip_noise_gamma_random_strength adaptive_noise_scale
            zero_terminal_snr min_timestep max_timestep loss_type huber_schedule huber_c huber_scale weighted_captions
            scale_v_pred_loss_like_noise_pred v_pred_like_loss debiased_estimation_loss v_parameterization
            shuffle_caption keep_tokens keep_tokens_separator secondary_separator enable_wildcard caption_prefix
            caption_suffix color_aug face_crop_aug_range token_warmup_min token_warmup_step caption_dropout_rate
            caption_dropout_every_n_epochs caption_tag_dropout_rate max_token_length in_json dataset_class
            metadata_file network_multiplier resize_interpolation resume initial_epoch initial_step
            skip_until_initial_step vae conditioning_data_dir caption_separator validation_seed validation_split
            validate_every_n_steps validate_every_n_epochs max_validation_steps""");
    /// Values that are sd-scripts' defaults of keys without a counterpart, besides false, 0 and empty.
    private static final Map<String, String> DEFAULTS = Map.of("lr_scheduler_power", "1", "loss_type", "l2",
            "huber_schedule", "snr", "huber_c", "0.1", "huber_scale", "1", "token_warmup_min", "1",
            "network_multiplier", "1", "multires_noise_discount", "0.3", "max_token_length", "75",
            "caption_separator", ",");
    private static final Set<String> CONVERTED = words("""
            pretrained_model_name_or_path train_data_dir reg_data_dir output_dir dataset_config network_module
            network_dim network_alpha network_args network_train_unet_only learning_rate unet_lr text_encoder_lr
            lr_scheduler lr_scheduler_num_cycles lr_warmup_steps max_train_steps max_train_epochs train_batch_size
            gradient_accumulation_steps gradient_checkpointing max_grad_norm resolution mixed_precision
            optimizer_type optimizer_args use_8bit_adam use_lion_optimizer min_snr_gamma noise_offset
            prior_loss_weight clip_skip caption_extension caption_extention flip_aug random_crop enable_bucket
            masked_loss alpha_mask sample_every_n_steps image_dir num_repeats dataset_repeats class_tokens batch_size
            is_reg""");

    private final Path file;
    private final Map<String, TomlFile.Entry> keys = new LinkedHashMap<>();
    private final Set<String> used = new HashSet<>();
    private final List<String> changing = new ArrayList<>();
    private final List<TomlFile.Entry> classImages = new ArrayList<>();

    private KohyaKeys(Path file) {
        this.file = file;
    }

    private static Set<String> words(String text) {
        return Set.of(text.strip().split("\\s+"));
    }

    /// Whether a file has tables of a dataset configuration, or a key of sd-scripts with an underscore, which no
    /// setting of this program has.
    static boolean isOne(TomlFile toml) {
        Predicate<String> isKey = key -> key.contains("_")
                && Stream.of(CONVERTED, CHANGES_RESULT, WITHOUT_EFFECT).anyMatch(set -> set.contains(key));
        return toml.entries()
                .stream()
                .anyMatch(entry -> entry.key().equals("datasets") || isKey.test(entry.key())
                        || entry.nested().stream().anyMatch(nested -> isKey.test(nested.key())));
    }

    static KohyaKeys of(TomlFile toml) throws Failure.Unreadable {
        KohyaKeys keys = new KohyaKeys(toml.file());
        keys.flatten(toml);
        return keys;
    }

    Path file() {
        return file;
    }

    /// The entry of a key, for messages; null: not in the file.
    TomlFile.@Nullable Entry entry(String key) {
        return keys.get(key);
    }

    /// Folders of class images in a dataset configuration.
    List<TomlFile.Entry> classImages() {
        return List.copyOf(classImages);
    }

    /// Notes that something has no counterpart and the result differs.
    void differs(String what) {
        changing.add(what);
    }

    /// Sections are combined, as in sd-scripts. The first dataset's first subset that is no class images is the photos.
    private void flatten(TomlFile toml) throws Failure.Unreadable {
        for (TomlFile.Entry entry : toml.entries()) {
            if (entry.key().equals("datasets")) continue;
            if (!entry.value().isJsonObject()) keys.put(entry.key(), entry);
            else entry.nested().forEach(nested -> keys.put(nested.key(), nested));
        }
        for (TomlFile.Entry entry : toml.entries()) if (entry.key().equals("datasets")) flattenDatasets(entry);
        if (isGiven("dataset_config") && toml.file().equals(file))
            flatten(TomlFile.read(Path.of(text("dataset_config"))));
    }

    private void flattenDatasets(TomlFile.Entry entry) throws Failure.Unreadable {
        List<Json> datasets = entry.json().objects(entry.key());
        for (int i = 0; i < datasets.size(); i++) {
            putAll(entry, datasets.get(i).object(), i == 0);
            List<Json> subsets = datasets.get(i).has("subsets") ? datasets.get(i).objects("subsets") : List.of();
            boolean taken = i > 0;
            for (Json subset : subsets) {
                if (isClassImages(subset)) {
                    if (subset.has("image_dir"))
                        classImages.add(new TomlFile.Entry(entry.source(), "image_dir",
                                subset.object().get("image_dir"),
                                List.of()));
                    continue;
                }
                putAll(entry, subset.object(), !taken);
                if (taken)
                    changing.add("[[datasets.subsets]] " + (subset.has("image_dir") ? subset.string("image_dir")
                            : "") + " (only the first subset is used; put the folders into one)");
                taken = true;
            }
        }
    }

    private static boolean isClassImages(Json subset) throws Failure.Unreadable {
        return subset.has("is_reg") && subset.get("is_reg", "true or false", Json::bool);
    }

    private void putAll(TomlFile.Entry table, JsonObject object, boolean isUsed) {
        if (!isUsed) return;
        object.entrySet().forEach(each -> {
            if (!each.getKey().equals("subsets"))
                keys.put(each.getKey(), new TomlFile.Entry(table.source(), each.getKey(), each.getValue(), List.of()));
        });
    }

    List<String> notes() {
        List<String> unused = new ArrayList<>(), unknown = new ArrayList<>();
        keys.forEach((key, entry) -> {
            if (used.contains(key) || isOff(entry)) return;
            if (CHANGES_RESULT.contains(key) || CONVERTED.contains(key)) {
                if (!text(entry).equals(DEFAULTS.get(key))) changing.add(key + " = " + text(entry));
            } else if (WITHOUT_EFFECT.contains(key)) unused.add(key);
            else unknown.add(key);
        });
        List<String> notes = new ArrayList<>();
        String source = file + ": sd-scripts configuration; ";
        if (!changing.isEmpty())
            notes.add(source + "without a counterpart, the result differs: " + String.join("; ", changing));
        if (!unknown.isEmpty()) notes.add(source + "keys that are not known here: " + String.join(", ", unknown));
        if (!unused.isEmpty())
            notes.add(source + "without a counterpart and without effect on the result: " + String.join(", ", unused));
        return notes;
    }

    /// Entries such as `"weight_decay=0.01"`.
    Map<String, String> arguments(String key) throws Failure.Unreadable {
        Map<String, String> arguments = new LinkedHashMap<>();
        if (!isGiven(key)) return arguments;
        TomlFile.Entry entry = keys.get(key);
        List<String> items = entry.value().isJsonArray() ? entry.json().strings(key)
                : List.of(entry.json().string(key).split("\\s+"));
        for (String item : items) {
            String[] pair = item.split("=", 2);
            if (pair.length < 2) throw entry.invalid("entries such as name=value", item);
            arguments.put(pair[0].strip(), pair[1].strip());
        }
        return arguments;
    }

    boolean isOn(String key) throws Failure.Unreadable {
        return isGiven(key) && keys.get(key).json().get(key, "true or false", Json::bool);
    }

    /// Whether a key has a value other than false, an empty text or an empty list.
    boolean isGiven(String key) {
        used.add(key);
        return keys.containsKey(key) && !isEmpty(keys.get(key).value());
    }

    private static boolean isEmpty(JsonElement value) {
        return value instanceof JsonArray list ? list.isEmpty()
                : value instanceof JsonPrimitive primitive
                        && (primitive.isString() ? primitive.getAsString().isBlank()
                                : primitive.isBoolean() && !primitive.getAsBoolean());
    }

    /// Empty, false or 0.
    private static boolean isOff(TomlFile.Entry entry) {
        return isEmpty(entry.value()) || entry.value() instanceof JsonPrimitive primitive && primitive.isNumber()
                && primitive.getAsDouble() == 0;
    }

    double decimal(String key) throws Failure.Unreadable {
        TomlFile.Entry entry = keys.get(key);
        try {
            return Double.parseDouble(text(key));
        } catch (NumberFormatException e) {
            throw entry.invalid("a number", text(entry));
        }
    }

    /// A text or number; of a list the first.
    String text(String key) throws Failure.Unreadable {
        TomlFile.Entry entry = keys.get(key);
        JsonElement value = entry.value() instanceof JsonArray list && !list.isEmpty() ? list.get(0) : entry.value();
        if (!value.isJsonPrimitive()) throw entry.invalid("a text or a number", value);
        return value.getAsString();
    }

    private static String text(TomlFile.Entry entry) {
        String text = entry.value().isJsonPrimitive() ? entry.value().getAsString() : entry.value().toString();
        return text.endsWith(".0") ? text.substring(0, text.length() - 2) : text;
    }
}
