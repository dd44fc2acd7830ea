package atomstudio.diffusion.engine;

public enum Device { CPU, CUDA }
