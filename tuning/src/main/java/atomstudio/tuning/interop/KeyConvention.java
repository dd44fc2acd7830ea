package atomstudio.tuning.interop;

import atomstudio.diffusion.model.LdmKeys;
import atomstudio.diffusion.model.ModelComponent;
import atomstudio.diffusion.ops.Layer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;

/// How programs name a model's layers in adapter files: a scheme, a separator, and prefixes for the UNet and the text
/// encoder, the first of which is the usual one. Each row gives a layer of ours its names, so that the same row reads
/// a file (the names looked up among a model's layers) and can write one.
///
/// The tensors of a layer have names of their own ([AdapterTensorKey]): files of every dialect occur with the tensor
/// names of every other.
/// Source: the writers named at each row; docs/interop.md has the table with how each was checked.
public enum KeyConvention {
    /// sd-scripts, LyCORIS, OneTrainer and this program's export; `lora_te1_` by diffusers'
    /// `convert_state_dict_to_kohya`.
    KOHYA(PathStyle.PATH, '_', List.of("lora_unet_"), List.of("lora_te_", "lora_te1_")),
    /// The original code's blocks by sd-scripts' prefix: files converted for, or merged by, ComfyUI and sgm code.
    KOHYA_ORIGINAL(PathStyle.ORIGINAL, '_', List.of("lora_unet_"), List.of()),
    /// LyCORIS' own wrapper around any module, SimpleTuner.
    LYCORIS(PathStyle.PATH, '_', List.of("lycoris_"), List.of("lycoris_")),
    /// diffusers' `save_lora_weights`.
    DIFFUSERS(PathStyle.PATH, '.', List.of("unet."), List.of("text_encoder.")),
    /// peft's `save_pretrained` and its raw state, alone or within a component.
    PEFT(PathStyle.PATH, '.', List.of("base_model.model.", "unet.base_model.model.", "base_model.model.unet."),
            List.of("base_model.model.", "text_encoder.base_model.model.", "base_model.model.text_encoder.")),
    /// diffusers' `save_lora_adapter`: one component's paths alone.
    COMPONENT(PathStyle.PATH, '.', List.of(""), List.of("")),
    /// diffusers before 0.20: attention processors hold what the four layers of an attention add.
    PROCESSORS(PathStyle.PROCESSORS, '.', List.of("", "unet."), List.of("text_encoder.", "")),
    /// ComfyUI's nodes that save and train LoRA.
    COMFYUI(PathStyle.ORIGINAL, '.', List.of("diffusion_model.", "model.diffusion_model."),
            List.of("text_encoders.clip_l.transformer.", "text_encoders.clip_h.transformer.", "cond_stage_model.transformer.")),
    /// OneTrainer's form for other programs (OMI).
    ONETRAINER(PathStyle.ORIGINAL, '.', List.of("unet."), List.of("clip_l.")),
    /// cloneofsimo's lora: the attention's linear layers are counted.
    INDEXED(PathStyle.INDEXED, '.', List.of("unet:"), List.of("text_encoder:"));

    private final PathStyle pathStyle;
    private final char separator;
    private final Map<ModelComponent, List<String>> prefixes;

    KeyConvention(PathStyle scheme, char separator, List<String> unet, List<String> text) {
        this.pathStyle = scheme;
        this.separator = separator;
        this.prefixes = Map.of(ModelComponent.UNET, unet, ModelComponent.TEXT_ENCODER, text);
    }

    /// All names that files of this dialect have for a model's layers.
    /// @param layers the layers of the UNet and the text encoder
    Map<String, Layer> layersByName(List<Layer> layers) {
        Map<String, Layer> names = new HashMap<>();
        pathStyle.pathsByLayer(layers).forEach((layer, paths) -> {
            for (String prefix : prefixes.get(ModelComponent.ofLayer(layer.name()))) {
                for (String name : paths) names.putIfAbsent(prefix + name.replace('.', separator), layer);
            }
        });
        return names;
    }

    /// What a layer is called behind the prefix, in paths; the usual name first.
    private enum PathStyle {
        /// As diffusers and transformers name modules; the text encoder with and without `text_model.`, which
        /// transformers 5 leaves out.
        PATH {
            @Override Map<Layer, Set<String>> pathsByLayer(List<Layer> layers) {
                return forEachLayer(layers, layer -> paths(layer.name()));
            }
        },
        /// As the original code names the UNet's blocks; text encoders have one name in both.
        ORIGINAL {
            @Override Map<Layer, Set<String>> pathsByLayer(List<Layer> layers) {
                LdmKeys.FromDiffusers original = new LdmKeys.FromDiffusers(layers.stream().map(Layer::name).toList());
                return forEachLayer(layers, layer -> switch (ModelComponent.ofLayer(layer.name())) {
                    case TEXT_ENCODER -> paths(layer.name());
                    case UNET, VAE -> Set.of(original.ldmKey(layer.name()));
                });
            }
        },
        /// An attention's layers behind the attention's processor, or behind the attention itself, as `to_q`, `to_k`,
        /// `to_v`, `to_out`.
        PROCESSORS {
            @Override Map<Layer, Set<String>> pathsByLayer(List<Layer> layers) {
                return forEachLayer(layers, layer -> {
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
        INDEXED {
            @Override Map<Layer, Set<String>> pathsByLayer(List<Layer> layers) {
                Map<Layer, Set<String>> names = new HashMap<>();
                for (ModelComponent part : List.of(ModelComponent.UNET, ModelComponent.TEXT_ENCODER)) {
                    List<Layer> counted = IndexedLayers.of(layers.stream().filter(layer -> ModelComponent.ofLayer(layer.name()) == part).toList());
                    for (int i = 0; i < counted.size(); i++) names.put(counted.get(i), Set.of(Integer.toString(i)));
                }
                return names;
            }
        };

        abstract Map<Layer, Set<String>> pathsByLayer(List<Layer> layers);

        private static Map<Layer, Set<String>> forEachLayer(List<Layer> layers, Function<Layer, Set<String>> names) {
            Map<Layer, Set<String>> all = new HashMap<>();
            for (Layer layer : layers) all.put(layer, names.apply(layer));
            return all;
        }

        private static Set<String> paths(String name) {
            Set<String> paths = new LinkedHashSet<>();
            paths.add(name);
            paths.add(name.replaceFirst("^text_model\\.", ""));
            return paths;
        }
    }

    /// The linear layers of a model's attention in the order in which cloneofsimo's lora counts them.
    static final class IndexedLayers {
        /// Of a transformer block and of a text encoder's block.
        private static final List<String> LAYER_SUFFIXES = List.of("attn1.to_q", "attn1.to_k", "attn1.to_v", "attn1.to_out.0", "ff.net.0.proj", "attn2.to_q", "attn2.to_k", "attn2.to_v", "attn2.to_out.0",
                "self_attn.k_proj", "self_attn.v_proj", "self_attn.q_proj", "self_attn.out_proj");
        private static final List<String> UNET_SECTIONS = List.of("down_blocks.", "up_blocks.", "mid_block.");

        private IndexedLayers() {}

        /// @param layers the layers of one part, in the network's order
        static List<Layer> of(List<Layer> layers) {
            List<Layer> indexed = new ArrayList<>(layers.stream().filter(layer -> indexInBlock(layer).isPresent()).toList());
            List<String> order = indexed.stream().map(IndexedLayers::block).distinct().toList();
            indexed.sort(Comparator.comparingInt(IndexedLayers::section).thenComparingInt(layer -> order.indexOf(block(layer))).thenComparingInt(layer -> indexInBlock(layer).orElseThrow()));
            return List.copyOf(indexed);
        }

        private static Optional<Integer> indexInBlock(Layer layer) {
            return IntStream.range(0, LAYER_SUFFIXES.size()).filter(i -> layer.name().endsWith("." + LAYER_SUFFIXES.get(i))).boxed().findFirst();
        }

        private static String block(Layer layer) {
            return layer.name().substring(0, layer.name().length() - LAYER_SUFFIXES.get(indexInBlock(layer).orElseThrow()).length());
        }

        /// The half of the UNet; these programs met the middle last.
        private static int section(Layer layer) {
            return IntStream.range(0, UNET_SECTIONS.size()).filter(i -> layer.name().startsWith(UNET_SECTIONS.get(i))).findFirst().orElse(0);
        }
    }

    /// A model's layers by the names that other programs have for them, in all dialects.
    public static final class LayerIndex {
        private final Map<String, Layer> byName = new HashMap<>();

        /// @param layers of the UNet and the text encoder
        public LayerIndex(List<Layer> layers) {
            for (KeyConvention dialect : KeyConvention.values()) dialect.layersByName(layers).forEach(byName::putIfAbsent);
        }

        /// The layer that is meant, where the model has it.
        /// @param name as the file has it, with the dialect's prefix ([AdapterTensorKey#layer])
        public Optional<Layer> find(String name) {
            return Optional.ofNullable(byName.get(name));
        }
    }
}
