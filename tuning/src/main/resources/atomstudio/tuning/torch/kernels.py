# PyTorch functions that DJL does not have, in TorchScript. TorchKernels loads this file as a module and calls its
# methods by name; autograd records them like PyTorch's own functions. Calls that autograd records take only tensors,
# so a number is a tensor without axes.
#
# x input, y output or its gradient, w weight, b bias, m kernel transform (LayerWeights). Shapes: B batch, Ci and Co
# input and output channels, H and W pixels, S tokens, k kernel size.


class Kernels(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool

  # Elementwise functions and norms

  def silu(self, x: Tensor) -> Tensor:
    return torch.silu(x)

  # x · sigmoid(1.702 x). Source: Hendrycks & Gimpel 2016, "Gaussian Error Linear Units (GELUs)", section 2.
  def quick_gelu(self, x: Tensor) -> Tensor:
    return x * torch.sigmoid(x * 1.702)

  def scale(self, x: Tensor, factor: Tensor) -> Tensor:
    return x * float(factor)

  def group_norm(self, x: Tensor, w: Tensor, b: Tensor, groups: Tensor, epsilon: Tensor) -> Tensor:
    return torch.group_norm(x, int(groups), w, b, float(epsilon), True)

  # By fixed statistics, as in inference.
  def batch_norm(self, x: Tensor, w: Tensor, b: Tensor, mean: Tensor, variance: Tensor, epsilon: Tensor) -> Tensor:
    return torch.batch_norm(x, w, b, mean, variance, False, 0., float(epsilon), False)

  def max_pool(self, x: Tensor, size: Tensor, stride: Tensor, padding: Tensor) -> Tensor:
    n, s, p = int(size), int(stride), int(padding)
    return torch.max_pool2d(x, [n, n], [s, s], [p, p], [1, 1], False)

  def mean_over_pixels(self, x: Tensor) -> Tensor:
    return torch.mean(x, [2, 3], False)

  # 1 / norm of each row, without gradient. Norms are clamped from below, so that zero over zero is zero.
  def reciprocal_row_norms(self, x: Tensor) -> Tensor:
    squares = torch.pow(torch.detach(x), 2)
    return torch.reciprocal(torch.clamp_min(torch.sqrt(torch.sum(squares, [1], True)), 1e-12))

  # Mean of weight · squared error.
  def loss(self, predicted: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    return torch.mean(torch.pow(predicted - target, 2) * weights)

  # Mean over the rows of -sum(target · log softmax(logits)).
  def cross_entropy(self, logits: Tensor, target: Tensor) -> Tensor:
    return torch.neg(torch.mean(torch.sum(target * torch.log_softmax(logits, 1), [1], False)))

  # Dtypes: DJL does not have bfloat16 (15); float32 is 6.

  # On the CPU images and kernels in bfloat16 are channels-last (memory format 2): oneDNN's convolutions have the
  # channels of a pixel side by side, and would reorder others at every call. PyTorch's operations keep the format.
  def is_channels_last(self, x: Tensor) -> bool:
    return torch.dim(x) == 4 and not x.is_cuda

  def to_bf16(self, x: Tensor) -> Tensor:
    if self.is_channels_last(x):
      return torch.to(x, 15, False, False, 2)
    return torch.to(x, 15)

  # Of a kernel that is used as a matrix.
  def to_contiguous_bf16(self, x: Tensor) -> Tensor:
    return torch.to(x, 15)

  # Without holes, in the memory format of its dtype.
  def dense(self, x: Tensor) -> Tensor:
    if x.dtype == 15 and self.is_channels_last(x):
      return torch.contiguous(x, memory_format=2)
    return torch.contiguous(x)

  def to_float32(self, x: Tensor) -> Tensor:
    return torch.to(x, 6)

  # Matrices

  # Skew-symmetric matrices (N, side, side) of strict upper triangles (N, side · (side - 1) / 2).
  def skew(self, triangles: Tensor, side: Tensor) -> Tensor:
    n = int(side)
    above = torch.gt(torch.triu(torch.new_ones(triangles, [n, n]), 1), 0)
    upper = torch.masked_scatter(torch.new_zeros(triangles, [torch.size(triangles, 0), n, n]), above, triangles)
    return upper - torch.transpose(upper, 1, 2)

  def inverse(self, x: Tensor) -> Tensor:
    return torch.inverse(x)

  # Matrices (N, rows, columns), each divided by its Frobenius norm.
  def divide_by_norms(self, x: Tensor, epsilon: Tensor) -> Tensor:
    return torch.div(x, torch.sqrt(torch.sum(torch.pow(x, 2), [1, 2], True)) + float(epsilon))

  # Newton-Schulz iteration toward the nearest orthogonal matrices, from matrices (N, rows, columns) of norm 1; tall
  # ones are transposed, so that the products are small. The polynomial is a x + b x³ + c x⁵.
  # Source: Jordan et al. 2024, "Muon".
  def orthogonalize(self, x: Tensor, iterations: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    tall = torch.size(x, 1) > torch.size(x, 2)
    y = x
    if tall:
      y = torch.contiguous(torch.transpose(x, 1, 2))
    for i in range(int(iterations)):
      gram = torch.bmm(y, torch.transpose(y, 1, 2))
      polynomial = torch.baddbmm(gram, gram, gram, beta=float(b), alpha=float(c))
      y = torch.baddbmm(y, polynomial, y, beta=float(a))
    if tall:
      y = torch.contiguous(torch.transpose(y, 1, 2))
    return y

  # Attention

  # (B, S, heads · width) -> (B, heads, S, width).
  def split_heads(self, x: Tensor, heads: int) -> Tensor:
    return torch.transpose(torch.reshape(x, [torch.size(x, 0), -1, heads, torch.size(x, 2) // heads]), 1, 2)

  def merge_heads(self, x: Tensor) -> Tensor:
    return torch.reshape(torch.transpose(x, 1, 2), [torch.size(x, 0), -1, torch.size(x, 1) * torch.size(x, 3)])

  # The attention matrix (S, S') never exists as a whole.
  def attention(self, q: Tensor, k: Tensor, v: Tensor, heads: Tensor, causal: Tensor) -> Tensor:
    n = int(heads)
    return self.merge_heads(torch.scaled_dot_product_attention(
        self.split_heads(q, n), self.split_heads(k, n), self.split_heads(v, n), None, 0., bool(causal)))

  # Two products and a softmax, with the attention matrix in memory.
  def unfused_attention(self, q: Tensor, k: Tensor, v: Tensor, heads: Tensor) -> Tensor:
    n = int(heads)
    scaled = self.split_heads(q, n) * (1. / torch.sqrt(torch.size(q, 2) // n))
    weights = torch.softmax(torch.matmul(scaled, torch.transpose(self.split_heads(k, n), -2, -1)), -1)
    return self.merge_heads(torch.matmul(weights, self.split_heads(v, n)))

  # Gradients of layers

  def linear_weight_gradient(self, y: Tensor, x: Tensor) -> Tensor:
    rows = torch.reshape(y, [-1, torch.size(y, -1)])
    return torch.matmul(torch.transpose(rows, 0, 1), torch.reshape(x, [-1, torch.size(x, -1)]))

  def linear_bias_gradient(self, y: Tensor) -> Tensor:
    return torch.sum(torch.reshape(y, [-1, torch.size(y, -1)]), [0], False)

  # By x and w; the first is empty unless `by_input`.
  def convolution_gradients(self, y: Tensor, x: Tensor, w: Tensor, stride: Tensor, padding: Tensor, by_input: Tensor,
                            groups: Tensor) -> Tuple[Tensor, Tensor]:
    s, p, wanted = int(stride), int(padding), bool(by_input)
    by_x, by_w, by_b = torch.convolution_backward(
        y, x, w, None, [s, s], [p, p], [1, 1], False, [0, 0], int(groups), [wanted, True, False])
    return by_x, by_w

  # By x (B, Ci, height, width), of which only the size matters.
  def convolution_input_gradient(self, y: Tensor, w: Tensor, stride: Tensor, padding: Tensor, height: Tensor,
                                 width: Tensor, groups: Tensor) -> Tensor:
    s, p, n = int(stride), int(padding), int(groups)
    x = torch.expand(torch.new_zeros(y, [1]), [torch.size(y, 0), torch.size(w, 1) * n, int(height), int(width)])
    by_x, by_w, by_b = torch.convolution_backward(
        y, x, w, None, [s, s], [p, p], [1, 1], False, [0, 0], n, [True, False, False])
    return by_x

  # A bfloat16 kernel in oneDNN's own layout, which its convolution would otherwise make at every call.
  def reordered_kernel(self, w: Tensor) -> Tensor:
    return ops.mkldnn._reorder_convolution_weight(w, [1, 1], [1, 1], [1, 1], 1, None)

  def reordered_convolution(self, x: Tensor, w: Tensor, b: Tensor, stride: Tensor, padding: Tensor) -> Tensor:
    s, p = int(stride), int(padding)
    return ops.mkldnn._convolution_pointwise(
        x, w, b, [p, p], [s, s], [1, 1], 1, "none", annotate(List[Optional[number]], []), "")

  def convolution_bias_gradient(self, y: Tensor) -> Tensor:
    return torch.sum(y, [0, 2, 3], False)

  # Filter atoms on activations (AtomConvolution): each channel's k² taps are transformed by m, (k², k²) or
  # (Ci, k², k²), and multiplied with the base weight as one matrix.

  # The taps (B·Ci, k², pixels) of an input.
  def taps(self, x: Tensor, k: int, stride: int, padding: int) -> Tensor:
    columns = torch.im2col(x, [k, k], [1, 1], [padding, padding], [stride, stride])
    return torch.reshape(columns, [torch.size(x, 0) * torch.size(x, 1), k * k, -1])

  # m for each channel of each sample.
  def expanded_transform(self, batch: int, channels: int, m: Tensor) -> Tensor:
    taps = torch.size(m, -1)
    return torch.reshape(torch.expand(m, [batch, channels, taps, taps]), [batch * channels, taps, taps])

  # (Co, Ci·k²) for each sample.
  def expanded_weight(self, w: Tensor, batch: int) -> Tensor:
    return torch.expand(torch.reshape(w, [1, torch.size(w, 0), -1]), [batch, -1, -1])

  def atom_convolution(self, x: Tensor, w: Tensor, m: Tensor, stride: Tensor, padding: Tensor) -> Tensor:
    batch, k, s, p = torch.size(x, 0), torch.size(w, 2), int(stride), int(padding)
    taps = self.taps(x, k, s, p)
    transformed = torch.reshape(torch.baddbmm(taps, self.expanded_transform(batch, torch.size(x, 1), m), taps),
                                [batch, -1, torch.size(taps, 2)])
    height = (torch.size(x, 2) + 2 * p - k) // s + 1
    return self.dense(torch.reshape(torch.bmm(self.expanded_weight(w, batch), transformed),
                                    [batch, torch.size(w, 0), height, -1]))

  # The gradient of the transformed taps, (B·Ci, k², pixels).
  def atom_tap_gradient(self, y: Tensor, w: Tensor) -> Tensor:
    batch = torch.size(y, 0)
    product = torch.bmm(torch.transpose(self.expanded_weight(w, batch), 1, 2),
                        torch.reshape(y, [batch, torch.size(w, 0), -1]))
    return torch.reshape(product, [batch * torch.size(w, 1), torch.size(w, 2) * torch.size(w, 3), -1])

  # By x (batch, Ci, height, width); u is the gradient of the transformed taps.
  def atom_input_gradient(self, u: Tensor, w: Tensor, m: Tensor, stride: Tensor, padding: Tensor, batch: Tensor,
                          height: Tensor, width: Tensor) -> Tensor:
    k, s, p, n = torch.size(w, 2), int(stride), int(padding), int(batch)
    transposed = torch.transpose(self.expanded_transform(n, torch.size(w, 1), m), 1, 2)
    columns = torch.reshape(torch.baddbmm(u, transposed, u), [n, -1, torch.size(u, 2)])
    return self.dense(torch.col2im(columns, [int(height), int(width)], [k, k], [1, 1], [p, p], [s, s]))

  # By m.
  def atom_transform_gradient(
      self, x: Tensor, u: Tensor, w: Tensor, m: Tensor, stride: Tensor, padding: Tensor) -> Tensor:
    k = torch.size(w, 2)
    products = torch.bmm(u, torch.transpose(self.taps(x, k, int(stride), int(padding)), 1, 2))
    products = torch.reshape(products, [torch.size(x, 0), torch.size(x, 1), k * k, k * k])
    if torch.dim(m) == 2:
      return torch.sum(products, [0, 1], False)
    return torch.sum(products, [0], False)

  # Channel atoms (ChannelAtomLinear): linear layers and 1×1 convolutions, whose blocks of side × side weights are
  # transformed by m (side², side²). The effective weight exists one chunk of output channels at a time.

  # Blocks (rows, side, columns, side) as columns of a matrix (as rows it would be several times slower).
  def block_columns(self, blocks: Tensor) -> Tensor:
    return torch.reshape(torch.permute(blocks, [1, 3, 0, 2]), [torch.size(blocks, 1) * torch.size(blocks, 3), -1])

  def blocks(self, w: Tensor, side: int) -> Tensor:
    return torch.reshape(w, [torch.size(w, 0) // side, side, torch.size(w, 1) // side, side])

  # The effective weight (n, Ci) of a chunk of n output channels.
  def transformed_blocks(self, blocks: Tensor, m: Tensor) -> Tensor:
    rows, side, columns = torch.size(blocks, 0), torch.size(blocks, 1), torch.size(blocks, 2)
    product = torch.mm(torch.t(m), self.block_columns(blocks))
    delta = torch.permute(torch.reshape(product, [side, side, rows, columns]), [2, 0, 3, 1])
    return torch.reshape(blocks + delta, [rows * side, columns * side])

  def channel_atoms(self, x: Tensor, w: Tensor, b: Optional[Tensor], m: Tensor, side: int, chunk: int) -> Tensor:
    outputs, inputs = torch.size(w, 0), torch.size(w, 1)
    convolution = torch.dim(w) == 4
    pixels = x
    if convolution:
      pixels = torch.reshape(x, [torch.size(x, 0), inputs, -1])
    parts = annotate(List[Tensor], [])
    for start in range(0, outputs, chunk):
      end = min(outputs, start + chunk)
      weight = self.transformed_blocks(self.blocks(w[start:end], side), m)
      bias = b
      if bias is not None:
        bias = bias[start:end]
      if convolution:
        part = torch.matmul(weight, pixels)
        if bias is not None:
          part = part + torch.reshape(bias, [-1, 1])
      else:
        part = torch.linear(x, weight, bias)
      parts.append(part)
    axis = -1
    if convolution:
      axis = 1
    y = parts[0]
    if len(parts) > 1:
      y = torch.cat(parts, axis)
    if convolution:
      y = torch.reshape(y, [torch.size(x, 0), outputs, torch.size(x, 2), torch.size(x, 3)])
    return y

  def channel_atom_linear(self, x: Tensor, w: Tensor, m: Tensor, side: Tensor, chunk: Tensor) -> Tensor:
    return self.channel_atoms(x, w, None, m, int(side), int(chunk))

  def biased_channel_atom_linear(
      self, x: Tensor, w: Tensor, b: Tensor, m: Tensor, side: Tensor, chunk: Tensor) -> Tensor:
    return self.channel_atoms(x, w, b, m, int(side), int(chunk))

  # By m and, if `by_input`, by x (else an empty tensor).
  def channel_atom_gradients(self, y: Tensor, x: Tensor, w: Tensor, m: Tensor, side: Tensor, chunk: Tensor,
                             by_input: Tensor) -> Tuple[Tensor, Tensor]:
    outputs, inputs, n = torch.size(w, 0), torch.size(w, 1), int(side)
    convolution = torch.dim(w) == 4
    if convolution:
      pixels = torch.reshape(x, [torch.size(x, 0), inputs, -1])
      gradient = torch.reshape(y, [torch.size(x, 0), outputs, -1])
    else:
      pixels = torch.reshape(x, [-1, inputs])
      gradient = torch.reshape(y, [-1, outputs])
    by_x = torch.new_zeros(x, [0])
    by_m = torch.zeros_like(m)
    for start in range(0, outputs, int(chunk)):
      end = min(outputs, start + int(chunk))
      blocks = self.blocks(w[start:end], n)
      part = gradient[:, start:end]
      if bool(by_input):
        weight = self.transformed_blocks(blocks, m)
        if convolution:
          product = torch.matmul(torch.t(weight), part)
          if start == 0:
            by_x = product
          else:
            by_x = torch.add_(by_x, product)
        elif start == 0:
          by_x = torch.mm(part, weight)
        else:
          by_x = torch.addmm_(by_x, part, weight)
      if convolution:
        by_weight = torch.sum(torch.bmm(part, torch.transpose(pixels, 1, 2)), [0], False)
      else:
        by_weight = torch.mm(torch.t(part), pixels)
      columns = self.block_columns(self.blocks(by_weight, n))
      by_m = torch.addmm_(by_m, self.block_columns(blocks), torch.t(columns))
    if bool(by_input):
      by_x = torch.reshape(by_x, torch.size(x))
    return by_m, by_x

  # Winograd's F(4×4, 3×3) (WinogradConvolution), with the transforms of Winograd.java: `input` (36, 1, 6, 6) and
  # `output` (36, 1, 4, 4) as kernels, `filter` (36, 9). Kernels are transformed in chunks of output channels: all at
  # once would allocate four times the weights in every call, which costs more than the arithmetic.
  # Source: Lavin & Gray 2016, "Fast Algorithms for Convolutional Neural Networks", section 4.1.

  # The filter transform of kernels g (I + M), which is G (I + M)ᵀ.
  def winograd_filter(self, filter: Tensor, m: Tensor) -> Tensor:
    return filter + torch.mm(filter, torch.t(m))

  # Images (B, C, H, W) as transformed patches (36, C, tiles).
  def winograd_points(self, images: Tensor, input: Tensor) -> Tensor:
    batch, channels = torch.size(images, 0), torch.size(images, 1)
    single = torch.reshape(images, [batch * channels, 1, torch.size(images, 2), torch.size(images, 3)])
    patches = torch.conv2d(single, input, None, [4, 4], [1, 1], [1, 1], 1)
    patches = torch.reshape(patches, [batch, channels, 36, torch.size(patches, 2) * torch.size(patches, 3)])
    return torch.reshape(torch.permute(patches, [2, 1, 0, 3]), [36, channels, -1])

  # Kernels (n, Ci, 3, 3) as (36, n, Ci).
  def winograd_kernels(self, w: Tensor, filter: Tensor) -> Tensor:
    return torch.reshape(torch.mm(filter, torch.t(torch.reshape(w, [-1, 9]))),
                         [36, torch.size(w, 0), torch.size(w, 1)])

  # Products (36, C, tiles) as tiles (16, C·tiles) of pixels.
  def winograd_tiles(self, products: Tensor, output: Tensor) -> Tensor:
    return torch.mm(torch.t(torch.reshape(output, [36, 16])), torch.reshape(products, [36, -1]))

  # Tiles as images of the batch and size of `like`.
  def winograd_pixels(self, tiles: Tensor, channels: int, like: Tensor) -> Tensor:
    batch, height, width = torch.size(like, 0), torch.size(like, 2), torch.size(like, 3)
    split = torch.reshape(tiles, [4, 4, channels, batch, height // 4, width // 4])
    return torch.reshape(torch.permute(split, [3, 2, 4, 0, 5, 1]), [batch, channels, height, width])

  def winograd_convolution(
      self, x: Tensor, w: Tensor, input: Tensor, filter: Tensor, output: Tensor, chunk: Tensor) -> Tensor:
    outputs, n = torch.size(w, 0), int(chunk)
    points = self.winograd_points(x, input)
    parts = annotate(List[Tensor], [])
    for start in range(0, outputs, n):
      products = torch.bmm(self.winograd_kernels(w[start:start + n], filter), points)
      parts.append(torch.reshape(self.winograd_tiles(products, output), [16, n, -1]))
    return self.winograd_pixels(torch.cat(parts, 1), outputs, x)

  # By x, with the filter transform of rotated kernels.
  def winograd_input_gradient(
      self, y: Tensor, w: Tensor, input: Tensor, filter: Tensor, output: Tensor, chunk: Tensor) -> Tensor:
    n = int(chunk)
    points = self.winograd_points(y, input)
    sums = torch.new_zeros(y, [0])
    for start in range(0, torch.size(w, 0), n):
      kernels = torch.transpose(self.winograd_kernels(w[start:start + n], filter), 1, 2)
      if start == 0:
        sums = torch.bmm(kernels, points[:, :n])
      else:
        sums = torch.baddbmm_(sums, kernels, points[:, start:start + n])
    return self.winograd_pixels(self.winograd_tiles(sums, output), torch.size(w, 1), y)

  # By m, (9, 9).
  def winograd_transform_gradient(self, x: Tensor, y: Tensor, w: Tensor, input: Tensor, filter: Tensor,
                                  output: Tensor, chunk: Tensor) -> Tensor:
    batch, outputs, rows, columns = torch.size(y, 0), torch.size(y, 1), torch.size(y, 2) // 4, torch.size(y, 3) // 4
    n = int(chunk)
    points = torch.transpose(self.winograd_points(x, input), 1, 2)
    tiles = torch.permute(torch.reshape(y, [batch, outputs, rows, 4, columns, 4]), [3, 5, 1, 0, 2, 4])
    by_products = torch.reshape(torch.mm(torch.reshape(output, [36, 16]), torch.reshape(tiles, [16, -1])),
                                [36, outputs, batch * rows * columns])
    sums = torch.new_zeros(x, [0])
    for start in range(0, outputs, n):
      products = torch.reshape(torch.bmm(by_products[:, start:start + n], points), [36, -1])
      taps = torch.reshape(w[start:start + n], [-1, 9])
      part = torch.mm(torch.t(taps), torch.t(products))  # transposed, the product takes twice the time
      if start == 0:
        sums = part
      else:
        sums = sums + part
    return torch.mm(sums, filter)

  # Gradients of other operations (EagerGradientOps): the kernels that autograd calls. Forward functions also return
  # what the gradients need.

  def silu_gradient(self, g: Tensor, x: Tensor) -> Tensor:
    return torch.silu_backward(g, x)

  def gelu_gradient(self, g: Tensor, x: Tensor) -> Tensor:
    return torch.gelu_backward(g, x, approximate="none")

  def quick_gelu_gradient(self, g: Tensor, x: Tensor) -> Tensor:
    s = torch.sigmoid(x * 1.702)
    return g * s + torch.sigmoid_backward(g * x, s) * 1.702

  def relu_gradient(self, g: Tensor, x: Tensor) -> Tensor:
    return torch.threshold_backward(g, x, 0)

  def tanh_gradient(self, g: Tensor, x: Tensor) -> Tensor:
    return torch.tanh_backward(g, torch.tanh(x))

  def group_norm_forward(
      self, x: Tensor, w: Tensor, b: Tensor, groups: Tensor, epsilon: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
    batch, channels = torch.size(x, 0), torch.size(x, 1)
    return torch.native_group_norm(
        self.dense(x), w, b, batch, channels, torch.numel(x) // (batch * channels), int(groups), float(epsilon))

  def group_norm_gradients(self, g: Tensor, x: Tensor, mean: Tensor, rstd: Tensor, w: Tensor, groups: Tensor,
                           parameters: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
    batch, channels, p = torch.size(x, 0), torch.size(x, 1), bool(parameters)
    return torch.native_group_norm_backward(self.dense(g), self.dense(x), mean, rstd, w, batch, channels,
        torch.numel(x) // (batch * channels), int(groups), [True, p, p])

  def layer_norm_forward(self, x: Tensor, w: Tensor, b: Tensor, epsilon: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
    return torch.native_layer_norm(x, torch.size(w), w, b, float(epsilon))

  def layer_norm_gradients(self, g: Tensor, x: Tensor, mean: Tensor, rstd: Tensor, w: Tensor, parameters: Tensor
                           ) -> Tuple[Tensor, Tensor, Tensor]:
    p = bool(parameters)
    return torch.native_layer_norm_backward(g, x, torch.size(w), mean, rstd, w, w, [True, p, p])

  def batch_norm_gradients(self, g: Tensor, x: Tensor, w: Tensor, mean: Tensor, variance: Tensor, epsilon: Tensor,
                           parameters: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
    p = bool(parameters)
    return torch.native_batch_norm_backward(
        g, x, w, mean, variance, None, None, False, float(epsilon), [True, p, p])

  def max_pool_forward(self, x: Tensor, size: Tensor, stride: Tensor, padding: Tensor) -> Tuple[Tensor, Tensor]:
    n, s, p = int(size), int(stride), int(padding)
    return torch.max_pool2d_with_indices(x, [n, n], [s, s], [p, p], [1, 1], False)

  def max_pool_gradient(self, g: Tensor, x: Tensor, indices: Tensor, size: Tensor, stride: Tensor, padding: Tensor
                        ) -> Tensor:
    n, s, p = int(size), int(stride), int(padding)
    return torch.max_pool2d_with_indices_backward(g, x, [n, n], [s, s], [p, p], [1, 1], False, indices)

  def mean_over_pixels_gradient(self, g: Tensor, height: Tensor, width: Tensor) -> Tensor:
    h, w = int(height), int(width)
    each = torch.reshape(g * (1. / (h * w)), [torch.size(g, 0), torch.size(g, 1), 1, 1])
    return torch.clone(torch.expand(each, [torch.size(g, 0), torch.size(g, 1), h, w]))

  def attention_forward(self, q: Tensor, k: Tensor, v: Tensor, heads: Tensor, causal: Tensor
                        ) -> Tuple[Tensor, Tensor, Tensor]:
    n = int(heads)
    y, logsumexp = torch._scaled_dot_product_flash_attention_for_cpu(
        self.split_heads(q, n), self.split_heads(k, n), self.split_heads(v, n), 0., bool(causal))
    return self.merge_heads(y), y, logsumexp

  def attention_gradients(self, g: Tensor, q: Tensor, k: Tensor, v: Tensor, y: Tensor, logsumexp: Tensor,
                          heads: Tensor, causal: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
    n = int(heads)
    by_q, by_k, by_v = torch._scaled_dot_product_flash_attention_for_cpu_backward(
        self.split_heads(g, n), self.split_heads(q, n), self.split_heads(k, n), self.split_heads(v, n), y, logsumexp,
        0., bool(causal))
    return self.merge_heads(by_q), self.merge_heads(by_k), self.merge_heads(by_v)

  # By autograd, which must be on.
  def recorded_attention_gradients(self, g: Tensor, q: Tensor, k: Tensor, v: Tensor, heads: Tensor, causal: Tensor
                                   ) -> Tuple[Tensor, Tensor, Tensor]:
    q, k, v = torch.detach(q), torch.detach(k), torch.detach(v)
    inputs = [torch.requires_grad_(q, True), torch.requires_grad_(k, True), torch.requires_grad_(v, True)]
    y = self.attention(inputs[0], inputs[1], inputs[2], heads, causal)
    gradients = torch.grad([y], inputs, annotate(List[Optional[Tensor]], [g]))
    return (unchecked_cast(Tensor, gradients[0]), unchecked_cast(Tensor, gradients[1]),
            unchecked_cast(Tensor, gradients[2]))

  def unfused_attention_forward(self, q: Tensor, k: Tensor, v: Tensor, heads: Tensor) -> Tuple[Tensor, Tensor]:
    n = int(heads)
    scaled = self.split_heads(q, n) * (1. / torch.sqrt(torch.size(q, 2) // n))
    weights = torch.softmax(torch.matmul(scaled, torch.transpose(self.split_heads(k, n), -2, -1)), -1)
    return self.merge_heads(torch.matmul(weights, self.split_heads(v, n))), weights

  def unfused_attention_gradients(self, g: Tensor, q: Tensor, k: Tensor, v: Tensor, weights: Tensor, heads: Tensor
                                  ) -> Tuple[Tensor, Tensor, Tensor]:
    n = int(heads)
    scale = 1. / torch.sqrt(torch.size(q, 2) // n)
    split = self.split_heads(g, n)
    by_v = torch.matmul(torch.transpose(weights, -2, -1), split)
    by_weights = torch.matmul(split, torch.transpose(self.split_heads(v, n), -2, -1))
    by_scores = torch._softmax_backward_data(by_weights, weights, -1, weights.dtype)
    by_q = torch.matmul(by_scores, self.split_heads(k, n)) * scale
    by_k = torch.matmul(torch.transpose(by_scores, -2, -1), self.split_heads(q, n) * scale)
    return self.merge_heads(by_q), self.merge_heads(by_k), self.merge_heads(by_v)

  def embedding_gradient(self, g: Tensor, ids: Tensor, rows: Tensor) -> Tensor:
    return torch.embedding_dense_backward(g, ids, int(rows), -1, False)

  def upsample_gradient(self, g: Tensor, height: Tensor, width: Tensor, batch: Tensor, channels: Tensor) -> Tensor:
    return torch.upsample_nearest2d_backward(g, [torch.size(g, 2), torch.size(g, 3)],
                                             [int(batch), int(channels), int(height), int(width)], None, None)

  def skew_gradient(self, g: Tensor, side: Tensor) -> Tensor:
    n = int(side)
    above = torch.gt(torch.triu(torch.new_ones(g, [n, n]), 1), 0)
    return torch.reshape(torch.masked_select(g - torch.transpose(g, 1, 2), above), [torch.size(g, 0), -1])

  # Rows of the target sum to 1.
  def cross_entropy_gradient(self, logits: Tensor, target: Tensor) -> Tensor:
    return (torch.softmax(logits, 1) - target) * (1. / torch.size(logits, 0))

  # Of the loss by the prediction.
  def loss_gradient(self, predicted: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    return (predicted - target) * weights * (2. / torch.numel(predicted))
