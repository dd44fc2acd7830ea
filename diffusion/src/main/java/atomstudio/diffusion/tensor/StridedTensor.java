package atomstudio.diffusion.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// A tensor whose elements do not lie in its own order, as PyTorch saves transposed ones: they are put in order when first asked for.
/// @param info   the tensor; its offset lies behind the end of the file
/// @param sourceOffset offset in the file of its first element
/// @param strides elements from one to the next along each axis
record StridedTensor(TensorInfo info, long sourceOffset, List<Long> strides) {
    /// @param file the bytes of the file
    MemorySegment toContiguous(MemorySegment file, Arena arena) {
        MemorySegment contiguous = arena.allocate(info.byteLength(), Long.BYTES);
        int elementBytes = info.dtype().bytes();
        long[] sizes = info.shape().sizes();
        long[] at = new long[sizes.length];
        long element = 0;
        for (long i = 0; i < info.shape().elements(); i++) {
            MemorySegment.copy(file, sourceOffset + element * elementBytes, contiguous, i * elementBytes, elementBytes);
            for (int axis = sizes.length - 1; axis >= 0; axis--) {
                element += strides.get(axis);
                if (++at[axis] < sizes[axis]) break;
                element -= at[axis] * strides.get(axis);
                at[axis] = 0;
            }
        }
        return contiguous;
    }
}
