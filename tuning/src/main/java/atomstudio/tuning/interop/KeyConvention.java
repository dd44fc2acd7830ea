package atomstudio.tuning.interop;

import atomstudio.diffusion.model.LdmKeys;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// How programs name a model's layers in adapter files: a path style, a separator, and prefixes for the UNet and the
/// text encoder, the most common first. Each convention maps a layer to its names, which serves reading and writing.
///
/// Parameter names ([AdapterTensorKey]) are independent: files combine any layer names with any parameter names.
/// Source: the programs named at each constant; docs/interop.md lists how each was checked.
public enum KeyConvention {
    /// sd-scripts, LyCORIS, OneTrainer and this program's export; `lora_te1_` by diffusers'
    /// `convert_state_dict_to_kohya`.
    KOHYA(PathStyle.PATH, '_', List.of("lora_unet_"), List.of("lora_te_", "lora_te1_")),
    /// LDM block names with sd-scripts' prefix: files converted for, or merged by, ComfyUI and sgm code.
    KOHYA_ORIGINAL(PathStyle.ORIGINAL, '_', List.of("lora_unet_"), List.of()),
    /// LyCORIS' wrapper around any module; SimpleTuner.
    LYCORIS(PathStyle.PATH, '_', List.of("lycoris_"), List.of("lycoris_")),
    /// diffusers' `save_lora_weights`.
    DIFFUSERS(PathStyle.PATH, '.', List.of("unet."), List.of("text_encoder.")),
    /// peft's `save_pretrained` and raw state dictionaries, with or without a component.
    PEFT(PathStyle.PATH, '.', List.of("base_model.model.", "unet.base_model.model.", "base_model.model.unet."),
            List.of("base_model.model.", "text_encoder.base_model.model.", "base_model.model.text_encoder.")),
    /// diffusers' `save_lora_adapter`: paths within one component.
    COMPONENT(PathStyle.PATH, '.', List.of(""), List.of("")),
    /// diffusers before 0.20: attention processors contain the LoRA of the four attention layers.
    PROCESSORS(PathStyle.PROCESSORS, '.', List.of("", "unet."), List.of("text_encoder.", "")),
    /// ComfyUI's nodes that save and train LoRA; OneTrainer's COMFY.
    COMFYUI(PathStyle.ORIGINAL, '.', List.of("diffusion_model.", "model.diffusion_model."),
            List.of("text_encoders.clip_l.transformer.", "text_encoders.clip_h.transformer.",
                    "cond_stage_model.transformer.")),
    /// OneTrainer's format for other programs (OMI), and its ORIGINAL, which has the UNet alone.
    ONETRAINER(PathStyle.ORIGINAL, '.', List.of("unet.", ""), List.of("clip_l.")),
    /// cloneofsimo's lora: linear layers of the attention by index.
    INDEXED(PathStyle.INDEXED, '.', List.of("unet:"), List.of("text_encoder:"));

    /// All prefixes of paths with `_` as separator, the longest first.
    private static final List<String> PREFIXES = Stream.of(values())
            .filter(convention -> convention != INDEXED)
            .flatMap(convention -> convention.prefixes.values().stream().flatMap(List::stream))
            .map(prefix -> prefix.replace('.', '_'))
            .distinct()
            .sorted(Comparator.comparingInt(String::length).reversed())
            .toList();

    private final PathStyle pathStyle;
    private final char separator;
    private final Map<Component, List<String>> prefixes;

    KeyConvention(PathStyle pathStyle, char separator, List<String> unet, List<String> text) {
        this.pathStyle = pathStyle;
        this.separator = separator;
        this.prefixes = Map.of(Component.UNET, unet, Component.TEXT_ENCODER, text);
    }

    /// A model's layers by all their names in this convention.
    /// @param layers the layers of the UNet and the text encoder
    Map<String, Layer> layersByName(List<Layer> layers) {
        Map<String, Layer> names = new HashMap<>();
        pathStyle.pathsByLayer(layers).forEach((layer, paths) -> {
            for (String prefix : prefixes.getOrDefault(layer.component(), List.of())) {
                for (String name : paths) names.putIfAbsent(prefix + name.replace('.', separator), layer);
            }
        });
        return names;
    }

    /// The most common name of a layer.
    public String name(Component component, String path) {
        return prefixes.get(component).getFirst() + path.replace('.', separator);
    }

    /// A layer's name without the convention's prefix and separator.
    static String canonicalName(String name) {
        String path = name.replace('.', '_');
        String prefix = PREFIXES.stream().filter(path::startsWith).findFirst().orElse("");
        return path.substring(prefix.length())
                .replaceFirst("^text_model_", "")
                .replace("_processor_to_", "_to_")
                .replaceFirst("_to_out_0$", "_to_out");
    }

    /// How a layer is named after the prefix; the most common name first.
    private enum PathStyle {
        /// Module paths of diffusers and transformers; the text encoder with and without `text_model.`, which
        /// transformers 5 omits.
        PATH {
            @Override
            Map<Layer, Set<String>> pathsByLayer(List<Layer> layers) {
                return forEachLayer(layers, layer -> paths(layer.path()));
            }
        },
        /// LDM block names for the UNet; text encoders have the same names as in transformers.
        ORIGINAL {
            @Override
            Map<Layer, Set<String>> pathsByLayer(List<Layer> layers) {
                LdmKeys.FromDiffusers original = new LdmKeys.FromDiffusers(layers.stream().map(Layer::path).toList());
                return forEachLayer(layers,
                        layer -> layer.component().equals(Component.UNET) ? Set.of(original.ldmKey(layer.path()))
                                : paths(layer.path()));
            }
        },
        /// `to_q`, `to_k`, `to_v`, `to_out` below the attention's processor, or below the attention itself.
        PROCESSORS {
            @Override
            Map<Layer, Set<String>> pathsByLayer(List<Layer> layers) {
                return forEachLayer(layers, layer -> {
                    Set<String> names = new LinkedHashSet<>();
                    for (String path : paths(layer.path())) {
                        String module = path.replaceFirst("\\.to_out\\.0$", ".to_out")
                                .replaceFirst("\\.self_attn\\.(q|k|v|out)_proj$", ".self_attn.to_$1");
                        int dot = module.lastIndexOf('.');
                        if (!module.startsWith("to_", dot + 1)) continue;
                        names.add(module.substring(0, dot) + ".processor" + module.substring(dot));
                        names.add(module);
                    }
                    return names;
                });
            }
        },
        /// The index among the [IndexedLayers].
        INDEXED {
            @Override
            Map<Layer, Set<String>> pathsByLayer(List<Layer> layers) {
                Map<Layer, Set<String>> names = new HashMap<>();
                for (Component component : List.of(Component.UNET, Component.TEXT_ENCODER)) {
                    List<Layer> indexed = IndexedLayers.of(layers.stream()
                            .filter(layer -> layer.component().equals(component))
                            .toList());
                    for (int i = 0; i < indexed.size(); i++) names.put(indexed.get(i), Set.of(Integer.toString(i)));
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

    /// The linear layers of a model's attention in the order of cloneofsimo's lora.
    static final class IndexedLayers {
        /// In a transformer block of the UNet, then in a block of the text encoder.
        private static final List<String> LAYER_SUFFIXES = List.of("attn1.to_q", "attn1.to_k", "attn1.to_v",
                "attn1.to_out.0", "ff.net.0.proj", "attn2.to_q", "attn2.to_k", "attn2.to_v", "attn2.to_out.0",
                "self_attn.k_proj", "self_attn.v_proj", "self_attn.q_proj", "self_attn.out_proj");
        /// These programs traverse the middle block last.
        private static final List<String> UNET_SECTIONS = List.of("down_blocks.", "up_blocks.", "mid_block.");

        private IndexedLayers() {}

        /// @param layers the layers of one component, in the network's order
        static List<Layer> of(List<Layer> layers) {
            List<Layer> indexed = layers.stream().filter(layer -> indexInBlock(layer) >= 0).toList();
            List<String> blocks = indexed.stream().map(IndexedLayers::block).distinct().toList();
            return indexed.stream()
                    .sorted(Comparator.comparingInt(IndexedLayers::section)
                            .thenComparingInt(layer -> blocks.indexOf(block(layer)))
                            .thenComparingInt(IndexedLayers::indexInBlock))
                    .toList();
        }

        private static int indexInBlock(Layer layer) {
            return IntStream.range(0, LAYER_SUFFIXES.size())
                    .filter(i -> layer.path().endsWith("." + LAYER_SUFFIXES.get(i)))
                    .findFirst()
                    .orElse(-1);
        }

        private static String block(Layer layer) {
            String suffix = LAYER_SUFFIXES.get(indexInBlock(layer));
            return layer.path().substring(0, layer.path().length() - suffix.length());
        }

        private static int section(Layer layer) {
            return IntStream.range(0, UNET_SECTIONS.size())
                    .filter(i -> layer.path().startsWith(UNET_SECTIONS.get(i)))
                    .findFirst()
                    .orElse(0);
        }
    }

    /// A model's layers by their names in all conventions.
    public static final class LayerIndex {
        private final Map<String, Layer> byName = new HashMap<>();

        /// @param layers of the UNet and the text encoder
        public LayerIndex(List<Layer> layers) {
            for (KeyConvention convention : KeyConvention.values())
                convention.layersByName(layers).forEach(byName::putIfAbsent);
        }

        /// The layer with this name, if the model has it.
        /// @param name with the convention's prefix ([AdapterTensorKey#layer])
        public Optional<Layer> find(String name) {
            return Optional.ofNullable(byName.get(name));
        }
    }
}
