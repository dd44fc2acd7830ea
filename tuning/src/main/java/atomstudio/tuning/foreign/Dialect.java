package atomstudio.tuning.foreign;

import atomstudio.diffusion.model.FromDiffusers;
import atomstudio.diffusion.model.ModelComponent;
import atomstudio.diffusion.ops.Layer;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/// How programs name a model's layers in adapter files: a scheme, a separator, and prefixes for the UNet and the text encoder, the first of
/// which is the usual one. Each row gives a layer of ours its names, so that the same row reads a file (the names looked up among a model's
/// layers) and can write one.
///
/// The tensors of a layer have names of their own ([TensorName]): files of every dialect occur with the tensor names of every other.
/// Source: the writers named at each row; docs/interop.md has the table with how each was checked.
public enum Dialect {
    /// sd-scripts, LyCORIS, OneTrainer and this program's export; `lora_te1_` by diffusers' `convert_state_dict_to_kohya`.
    KOHYA(Scheme.PATH, '_', List.of("lora_unet_"), List.of("lora_te_", "lora_te1_")),
    /// The original code's blocks by sd-scripts' prefix: files converted for, or merged by, ComfyUI and sgm code.
    KOHYA_ORIGINAL(Scheme.ORIGINAL, '_', List.of("lora_unet_"), List.of()),
    /// LyCORIS' own wrapper around any module, SimpleTuner.
    LYCORIS(Scheme.PATH, '_', List.of("lycoris_"), List.of("lycoris_")),
    /// diffusers' `save_lora_weights`.
    DIFFUSERS(Scheme.PATH, '.', List.of("unet."), List.of("text_encoder.")),
    /// peft's `save_pretrained` and its raw state, alone or within a component.
    PEFT(Scheme.PATH, '.', List.of("base_model.model.", "unet.base_model.model.", "base_model.model.unet."),
            List.of("base_model.model.", "text_encoder.base_model.model.", "base_model.model.text_encoder.")),
    /// diffusers' `save_lora_adapter`: one component's paths alone.
    COMPONENT(Scheme.PATH, '.', List.of(""), List.of("")),
    /// diffusers before 0.20: attention processors hold what the four layers of an attention add.
    PROCESSORS(Scheme.PROCESSORS, '.', List.of("", "unet."), List.of("text_encoder.", "")),
    /// ComfyUI's nodes that save and train LoRA.
    COMFYUI(Scheme.ORIGINAL, '.', List.of("diffusion_model.", "model.diffusion_model."),
            List.of("text_encoders.clip_l.transformer.", "text_encoders.clip_h.transformer.", "cond_stage_model.transformer.")),
    /// OneTrainer's form for other programs (OMI).
    ONETRAINER(Scheme.ORIGINAL, '.', List.of("unet."), List.of("clip_l.")),
    /// cloneofsimo's lora: the attention's linear layers are counted.
    COUNTED(Scheme.COUNTED, '.', List.of("unet:"), List.of("text_encoder:"));

    private final Scheme scheme;
    private final char separator;
    private final Map<ModelComponent, List<String>> prefixes;

    Dialect(Scheme scheme, char separator, List<String> unet, List<String> text) {
        this.scheme = scheme;
        this.separator = separator;
        this.prefixes = Map.of(ModelComponent.UNET, unet, ModelComponent.TEXT_ENCODER, text);
    }

    /// All names that files of this dialect have for a model's layers.
    /// @param model the layers of the UNet and the text encoder
    Map<String, Layer> names(List<Layer> model) {
        Map<String, Layer> names = new HashMap<>();
        scheme.names(model).forEach((layer, own) -> {
            for (String prefix : prefixes.get(ModelComponent.ofLayer(layer.name()))) {
                for (String name : own) names.putIfAbsent(prefix + name.replace('.', separator), layer);
            }
        });
        return names;
    }

    /// What a layer is called behind the prefix, in paths; the usual name first.
    private enum Scheme {
        /// As diffusers and transformers name modules; the text encoder with and without `text_model.`, which transformers 5 leaves out.
        PATH {
            @Override Map<Layer, Set<String>> names(List<Layer> model) {
                return each(model, layer -> paths(layer.name()));
            }
        },
        /// As the original code names the UNet's blocks; text encoders have one name in both.
        ORIGINAL {
            @Override Map<Layer, Set<String>> names(List<Layer> model) {
                FromDiffusers original = new FromDiffusers(model.stream().map(Layer::name).toList());
                return each(model, layer -> switch (ModelComponent.ofLayer(layer.name())) {
                    case TEXT_ENCODER -> paths(layer.name());
                    case UNET, VAE -> Set.of(original.ldmKey(layer.name()));
                });
            }
        },
        /// An attention's layers behind the attention's processor, or behind the attention itself, as `to_q`, `to_k`, `to_v`, `to_out`.
        PROCESSORS {
            @Override Map<Layer, Set<String>> names(List<Layer> model) {
                return each(model, layer -> {
                    Set<String> names = new LinkedHashSet<>();
                    for (String path : paths(layer.name())) {
                        String module = path.replaceFirst("\\.to_out\\.0$", ".to_out").replaceFirst("\\.self_attn\\.(q|k|v|out)_proj$", ".self_attn.to_$1");
                        int dot = module.lastIndexOf('.');
                        if (!module.startsWith("to_", dot + 1)) continue;
                        names.add(module.substring(0, dot) + ".processor" + module.substring(dot));
                        names.add(module);
                    }
                    return names;
                });
            }
        },
        /// By the place among the layers that those programs count.
        COUNTED {
            @Override Map<Layer, Set<String>> names(List<Layer> model) {
                Map<Layer, Set<String>> names = new HashMap<>();
                for (ModelComponent part : List.of(ModelComponent.UNET, ModelComponent.TEXT_ENCODER)) {
                    List<Layer> counted = CountedLayers.of(model.stream().filter(layer -> ModelComponent.ofLayer(layer.name()) == part).toList());
                    for (int i = 0; i < counted.size(); i++) names.put(counted.get(i), Set.of(Integer.toString(i)));
                }
                return names;
            }
        };

        abstract Map<Layer, Set<String>> names(List<Layer> model);

        private static Map<Layer, Set<String>> each(List<Layer> model, Function<Layer, Set<String>> names) {
            Map<Layer, Set<String>> all = new HashMap<>();
            for (Layer layer : model) all.put(layer, names.apply(layer));
            return all;
        }

        private static Set<String> paths(String name) {
            Set<String> paths = new LinkedHashSet<>();
            paths.add(name);
            paths.add(name.replaceFirst("^text_model\\.", ""));
            return paths;
        }
    }
}
