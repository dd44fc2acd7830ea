package atomstudio.app.pipeline;

/// Whether the safety checker of a model that brings one is heeded: pictures that it takes for unsafe are black then.
public enum SafetyFilter { ON, OFF }
