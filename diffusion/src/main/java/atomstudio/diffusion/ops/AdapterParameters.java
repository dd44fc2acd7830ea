package atomstudio.diffusion.ops;

/// The numbers that an adapter brings for one layer, by slot name.
@FunctionalInterface
public interface AdapterParameters<T> {
    T get(String name);
}
