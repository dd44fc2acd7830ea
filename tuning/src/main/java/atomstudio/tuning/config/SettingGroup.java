package atomstudio.tuning.config;

/// A group of training settings in the window, in this order.
public enum SettingGroup {
    SCHEDULE("Schedule"), PHOTOS("Photos"), PRIOR_PRESERVATION("Prior preservation"), OPTIMIZATION("Optimizer"),
    PREVIEWS("Previews and validation"), PERFORMANCE("Performance");

    private final String title;

    SettingGroup(String title) {
        this.title = title;
    }

    public String title() {
        return title;
    }
}
