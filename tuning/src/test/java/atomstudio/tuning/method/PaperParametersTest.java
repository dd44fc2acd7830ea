package atomstudio.tuning.method;

import static org.junit.jupiter.api.Assertions.assertEquals;

import atomstudio.diffusion.net.Classifier;
import atomstudio.diffusion.net.ConvNext;
import atomstudio.diffusion.net.ResNet;
import atomstudio.diffusion.net.VisionTransformer;
import atomstudio.diffusion.ops.Layer;
import atomstudio.tuning.classify.ClassifierTraining;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// Parameters of every method on the true shapes of the paper's networks, which docs/paper.md lists beside the
/// published numbers.
class PaperParametersTest {
    private static final Path PAGE = Path.of("../docs/paper.md");

    private static final Classifier RESNET_50 = new ResNet(3, 64,
            List.of(new ResNet.Stage(3, 64, 256, 1), new ResNet.Stage(4, 128, 512, 1),
                    new ResNet.Stage(6, 256, 1024, 1), new ResNet.Stage(3, 512, 2048, 1)),
            ResNet.Block.BOTTLENECK, 1000);
    private static final Classifier CONVNEXT_T = convNext(List.of(3, 3, 9, 3), 96);
    private static final Classifier CONVNEXT_B = convNext(List.of(3, 3, 27, 3), 128);
    private static final Classifier VIT_B16 = new VisionTransformer(3, 224, 16,
            new VisionTransformer.Encoder(768, 3072, 12, 12, 1e-6), 1000);

    private static ConvNext convNext(List<Integer> depths, int width) {
        List<ConvNext.Stage> stages = new ArrayList<>();
        for (int i = 0; i < depths.size(); i++)
            stages.add(new ConvNext.Stage(depths.get(i), width << i, 4 * (width << i)));
        return new ConvNext(3, 4, stages, 1000);
    }

    @Test
    void networksHaveTheirPublishedSizes() {
        assertEquals(25_557_032, Layer.parameterCount(RESNET_50.layers()));
        assertEquals(28_589_128, Layer.parameterCount(CONVNEXT_T.layers()));
        assertEquals(88_591_464, Layer.parameterCount(CONVNEXT_B.layers()));
        assertEquals(86_567_656, Layer.parameterCount(VIT_B16.layers()));
    }

    private static List<Layer> backbone(Classifier network) {
        return network.layers().stream().filter(layer -> !layer.path().equals(network.head())).toList();
    }

    private static Map<String, List<Layer>> networks() {
        Map<String, List<Layer>> networks = new LinkedHashMap<>();
        networks.put("SD 1.5 UNet", MethodTest.stableDiffusion15().layers());
        networks.put("ResNet-50", backbone(RESNET_50));
        networks.put("ConvNeXt-T", backbone(CONVNEXT_T));
        networks.put("ViT-B/16", backbone(VIT_B16));
        return networks;
    }

    /// On the layers of a list.
    private static MethodSettings settings(MethodName method, String layers) {
        MethodSettings settings = MethodSettings.of(method);
        return settings.settings().contains(MethodSetting.LAYERS) ? settings.with(MethodSetting.LAYERS, layers)
                : settings;
    }

    private static long count(MethodSettings settings, List<Layer> layers) {
        return settings.method().parameterCount(layers);
    }

    @Test
    void thePageListsEveryMethod() throws Exception {
        Map<String, List<Layer>> networks = networks();
        StringBuilder table = new StringBuilder(
                "| method | " + String.join(" | ", networks.keySet()) + " |\n|---|" + "---:|".repeat(networks.size()));
        for (MethodName method : ClassifierTraining.methods()) {
            MethodSettings settings = settings(method, "*");
            if (method == MethodName.OFT) settings = settings.with(MethodSetting.BLOCK_SIZE, "8");
            MethodSettings chosen = settings;
            table.append("\n| ")
                    .append(method.option())
                    .append(networks.values()
                            .stream()
                            .map(layers -> String.format(Locale.ROOT, " | %,d", count(chosen, layers)))
                            .collect(Collectors.joining()))
                    .append(" |");
        }
        assertOnPage("counts", table.toString());
    }

    /// @param published as given by its source
    /// @param ours      the same choice here
    private record Row(String network, String what, String published, long ours, String verdict) {
        String line() {
            return String.format(Locale.ROOT, "%n| %s | %s | %s | %,d | %s |", network, what, published, ours, verdict)
                    .replace(System.lineSeparator(), "\n");
        }
    }

    private static List<Row> stableDiffusion() {
        List<Layer> layers = MethodTest.stableDiffusion15().layers();
        String network = "SD 1.5 UNet", oneAtom = "1×1: one atom here";
        List<Row> rows = new ArrayList<>();
        String[][] atoms = {{"4", "1,872", "2,056"}, {"6", "2,808", "3,084"}, {"9", "4,212", "4,626"}};
        for (String[] each : atoms) {
            MethodSettings settings = settings(MethodName.ATOMS, "conv3x3").with(MethodSetting.ATOMS, each[0]);
            rows.add(agreeing(network, "D, m = " + each[0] + ", 3×3", each[1], count(settings, layers)));
            rows.add(new Row(network, "D, m = " + each[0] + ", all convolutions", each[2],
                    count(settings.with(MethodSetting.LAYERS, "conv"), layers), oneAtom));
        }
        MethodSettings sparse = settings(MethodName.ATOMS, "conv3x3").with(MethodSetting.CODING, "sparse")
                .with(MethodSetting.ATOMS, "12");
        rows.add(agreeing(network, "D, m = 12, 3×3, sparse coding", "5,616", count(sparse, layers)));
        String[][] overcomplete = {{"9", "1", "505,368", "929,142"}, {"6", "3", "1,010,736", "1,858,284"},
                {"9", "3", "1,516,104", "2,787,426"}, {"9", "4", "2,021,472", "3,716,568"}};
        for (String[] each : overcomplete) {
            MethodSettings settings = settings(MethodName.OVERCOMPLETE, "conv3x3").with(MethodSetting.ATOMS, each[0])
                    .with(MethodSetting.INNER_ATOMS, each[1]);
            String what = "β, D1, m = " + each[0] + ", m1 = " + each[1];
            rows.add(agreeing(network, what + ", 3×3", each[2], count(settings, layers)));
            rows.add(new Row(network, what + ", all convolutions", each[3],
                    count(settings.with(MethodSetting.LAYERS, "conv"), layers), oneAtom));
        }
        rows.add(new Row(network, "D_c, k_c = 4, linear layers", "188,416",
                count(settings(MethodName.CHANNELS, "linear"), layers), "16 atoms here, 64 there"));
        rows.add(agreeing(network, "biases", "343,684", count(settings(MethodName.BITFIT, "*"), layers)));
        for (String[] each : new String[][] {{"4", "797,184"}, {"16", "3,188,736"}})
            rows.add(agreeing(network, "LoRA, r = " + each[0] + ", attention", each[1],
                    count(settings(MethodName.LORA, "attention").with(MethodSetting.RANK, each[0]), layers)));
        return rows;
    }

    private static List<Row> resNet() {
        List<Layer> layers = backbone(RESNET_50);
        String network = "ResNet-50", oneAtom = "1×1: one atom here";
        return List.of(
                new Row(network, "D, m = 9", "2,061", count(settings(MethodName.ATOMS, "*"), layers), oneAtom),
                new Row(network, "β, D1, m = 9, m1 = 3", "614,520",
                        count(settings(MethodName.OVERCOMPLETE, "*"), layers), oneAtom),
                new Row(network, "β, D1, m = 9, m1 = 4", "819,360",
                        count(settings(MethodName.OVERCOMPLETE, "*").with(MethodSetting.INNER_ATOMS, "4"), layers),
                        oneAtom),
                new Row(network, "D_c, k_c = 4", "421,776", count(settings(MethodName.CHANNELS, "*"), layers),
                        "1×1 only here, 16 atoms"),
                agreeing(network, "head of 100 classes", "204,900", RESNET_50.withClasses(100)
                        .layers()
                        .stream()
                        .filter(layer -> layer.path().equals("fc"))
                        .mapToLong(Layer::parameterCount)
                        .sum()));
    }

    private static List<Row> convNextAndVit() {
        List<Layer> base = backbone(CONVNEXT_B), vit = backbone(VIT_B16);
        String attention = "*attention.attention.query,*attention.attention.value";
        return List.of(
                new Row("ConvNeXt-B", "β, D1, D_c, m = 9, m1 = 3, k_c = 4", "1.2 M",
                        count(settings(MethodName.OVERCOMPLETE_AND_CHANNELS, "*"), base),
                        "size of the network and shapes not stated"),
                new Row("ConvNeXt-B", "LoRA, r = 64, all layers", "21 M",
                        count(settings(MethodName.LORA, "*").with(MethodSetting.RANK, "64"), base),
                        "rank and layers not stated"),
                agreeing("ViT-B/16", "biases", "0.10 M", count(settings(MethodName.BITFIT, "*"), vit)),
                agreeing("ViT-B/16", "LoRA, r = 8, query and value", "0.29 M",
                        count(settings(MethodName.LORA, attention).with(MethodSetting.RANK, "8"), vit)),
                new Row("ViT-B/16", "SSF", "0.21 M", count(settings(MethodName.SSF, "*"), vit),
                        "norms have their own scale and shift here"));
    }

    /// With a number that is the same here, exactly or as rounded.
    private static Row agreeing(String network, String what, String published, long ours) {
        String exact = String.format(Locale.ROOT, "%,d", ours),
                millions = String.format(Locale.ROOT, "%.2f M", ours / 1e6);
        assertEquals(published, published.endsWith("M") ? millions : exact, network + ", " + what);
        return new Row(network, what, published, ours, "agrees");
    }

    @Test
    void thePageListsThePublishedNumbers() throws Exception {
        List<Row> rows = new ArrayList<>(stableDiffusion());
        rows.addAll(resNet());
        rows.addAll(convNextAndVit());
        assertOnPage("published", "| network | trained | published | here | |\n|---|---|---:|---:|---|"
                + rows.stream().map(Row::line).collect(Collectors.joining()));
    }

    /// With `-Dguide.update=true` the table is written instead.
    private static void assertOnPage(String name, String table) throws Exception {
        String page = Files.readString(PAGE), start = "<!-- " + name + " -->\n", end = "<!-- end -->";
        int from = page.indexOf(start) + start.length(), to = page.indexOf(end, from);
        if (Boolean.getBoolean("guide.update"))
            Files.writeString(PAGE, page.substring(0, from) + table + "\n" + page.substring(to));
        else
            assertEquals(table + "\n", page.substring(from, to),
                    "docs/paper.md is not of this code: run this test with -Dguide.update=true");
    }
}
