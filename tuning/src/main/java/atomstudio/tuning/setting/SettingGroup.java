package atomstudio.tuning.setting;

/// A group of settings in the window and in the documentation, in this order.
public enum SettingGroup {
    METHOD("Method"), SCHEDULE("Schedule"), PHOTOS("Photos"), PRIOR_PRESERVATION("Prior preservation"),
    OPTIMIZATION("Optimizer"), PREVIEWS("Previews and validation"), PERFORMANCE("Performance");

    private final String title;

    SettingGroup(String title) {
        this.title = title;
    }

    public String title() {
        return title;
    }
}
