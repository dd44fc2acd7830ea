package atomstudio.diffusion.ops;

/// The numbers that an adapter brings for one layer, by slot name.
@FunctionalInterface
public interface Slots<T> {
    T get(String slot);
}
