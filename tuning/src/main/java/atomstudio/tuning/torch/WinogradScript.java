package atomstudio.tuning.torch;

import atomstudio.diffusion.ops.Winograd;
import java.util.ArrayList;
import java.util.List;

/// Winograd's convolution, and its gradients, as the text of functions of PyTorch: x (B,Ci,H,W) and y (B,Co,H,W) on the two sides of a layer, its weight w, the
/// maps of patches b, of kernels k and of tiles a, and the mixing m of a mixed layer. Kernels go to their points by some output channels at a time:
/// four times the weights at once would be new memory in every call, and its pages cost more than the arithmetic.
/// @param mixed whether the functions take m
record WinogradScript(Sides sides, boolean mixed) {
    /// Sizes of a layer: pictures, channels, and whole tiles.
    record Sides(long batch, long in, long out, long down, long across) {
        long tiles() {
            return batch * down * across;
        }
    }

    /// Numbers of the kernels' points that are held at a time.
    private static final long HELD = 1L << 21;

    /// x -> y, of the arguments x, w, b, k, a.
    String[] forward() {
        List<String> body = kernels("k");
        body.add(points("x", sides.in));
        List<String> parts = new ArrayList<>();
        for (long from = 0; from < sides.out; from += step()) {
            parts.add("t" + from);
            body.add("t" + from + " = torch.reshape(" + tiles("torch.bmm(" + points(from) + ", v)") + ", [16, " + step() + ", -1])");
        }
        body.add(pixels("torch.cat([" + String.join(", ", parts) + "], 1)", sides.out));
        return body.toArray(String[]::new);
    }

    /// The gradient by x of y's, of the arguments y, w, b, k (kernels turned round), a.
    String[] byInput() {
        List<String> body = kernels("k");
        body.add(points("y", sides.out));
        for (long from = 0; from < sides.out; from += step()) {
            String factors = "torch.transpose(" + points(from) + ", 1, 2), " + slice("v", 1, from);
            body.add(from == 0 ? "z = torch.bmm(" + factors + ")" : "z = torch.baddbmm_(z, " + factors + ")");
        }
        body.add(pixels(tiles("z"), sides.in));
        return body.toArray(String[]::new);
    }

    /// The gradient (9,9) by the mixing, of the arguments x, y, w, b, k, a.
    String[] byMixing() {
        List<String> body = new ArrayList<>(List.of("p = torch.reshape(w, [-1, 9])", points("x", sides.in), "t = torch.transpose(v, 1, 2)"));
        body.add("c = torch.permute(torch.reshape(y, " + List.of(sides.batch, sides.out, sides.down, 4, sides.across, 4) + "), [3, 5, 1, 0, 2, 4])");
        body.add("d = torch.reshape(torch.mm(torch.reshape(a, [36, 16]), torch.reshape(c, [16, -1])), " + List.of(Winograd.POINTS, sides.out, sides.tiles()) + ")");
        for (long from = 0; from < sides.out; from += step()) {
            String products = "torch.reshape(torch.bmm(" + slice("d", 1, from) + ", t), [36, -1])";
            String part = "torch.mm(torch.t(" + rows(from) + "), torch.t(" + products + "))";       // turned round it takes twice the time
            body.add(from == 0 ? "s = " + part : "s = torch.add(s, " + part + ")");
        }
        body.add("return torch.mm(s, k)");
        return body.toArray(String[]::new);
    }

    private List<String> kernels(String map) {
        return new ArrayList<>(List.of("p = torch.reshape(w, [-1, 9])", mixed ? "g = torch.add(" + map + ", torch.mm(" + map + ", torch.t(m)))" : "g = " + map));
    }

    /// Pictures at their points: v (36,C,tiles).
    private String points(String pictures, long channels) {
        String single = "torch.reshape(" + pictures + ", " + List.of(sides.batch * channels, 1, sides.down * Winograd.TILE_SIZE, sides.across * Winograd.TILE_SIZE) + ")";
        String patches = "torch.reshape(torch.conv2d(" + single + ", b, None, [4, 4], [1, 1], [1, 1], 1), " + List.of(sides.batch, channels, Winograd.POINTS, sides.down * sides.across) + ")";
        return "v = torch.reshape(torch.permute(" + patches + ", [2, 1, 0, 3]), " + List.of(Winograd.POINTS, channels, sides.tiles()) + ")";
    }

    /// Kernels of some output channels at their points, (36,n,Ci).
    private String points(long from) {
        return "torch.reshape(torch.mm(g, torch.t(" + rows(from) + ")), " + List.of(Winograd.POINTS, step(), sides.in) + ")";
    }

    private String rows(long from) {
        return "torch.slice(p, 0, " + from * sides.in + ", " + (from + step()) * sides.in + ", 1)";
    }

    private String slice(String name, int axis, long from) {
        return "torch.slice(" + name + ", " + axis + ", " + from + ", " + (from + step()) + ", 1)";
    }

    /// Products (36,C,tiles) as tiles of 16 pixels.
    private static String tiles(String products) {
        return "torch.mm(torch.t(torch.reshape(a, [36, 16])), torch.reshape(" + products + ", [36, -1]))";
    }

    /// Tiles as pictures.
    private String pixels(String tiles, long channels) {
        return "return torch.reshape(torch.permute(torch.reshape(" + tiles + ", " + List.of(4, 4, channels, sides.batch, sides.down, sides.across) + "), [3, 2, 4, 0, 5, 1]), "
                + List.of(sides.batch, channels, sides.down * Winograd.TILE_SIZE, sides.across * Winograd.TILE_SIZE) + ")";
    }

    private long step() {
        long step = sides.out;
        while (step % 2 == 0 && Winograd.POINTS * step * sides.in > HELD) step /= 2;
        return step;
    }
}
