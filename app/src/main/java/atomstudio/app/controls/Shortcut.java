package atomstudio.app.controls;

import static atomstudio.app.text.Texts.text;

import javafx.scene.input.KeyCombination;
import javafx.scene.input.KeyEvent;

/// The window's keyboard shortcuts: handlers, tooltips and the overview read this table.
public enum Shortcut {
    GENERATE(ShortcutGroup.GENERATE, "Shortcut+Enter", "controls.shortcut.generate"),
    CANCEL(ShortcutGroup.GENERATE, "Esc", "controls.shortcut.cancel"),
    WEIGHT_UP(ShortcutGroup.PROMPT, "Shortcut+Up", "controls.shortcut.weight-up"),
    WEIGHT_DOWN(ShortcutGroup.PROMPT, "Shortcut+Down", "controls.shortcut.weight-down"),
    COMPLETE(ShortcutGroup.PROMPT, "Tab", "controls.shortcut.complete"),
    OLDER_PROMPT(ShortcutGroup.PROMPT, "Up", "controls.shortcut.older-prompt"),
    NEWER_PROMPT(ShortcutGroup.PROMPT, "Down", "controls.shortcut.newer-prompt"),
    PAGE_1(ShortcutGroup.WINDOW, "Shortcut+1", "controls.shortcut.page-1"),
    PAGE_2(ShortcutGroup.WINDOW, "Shortcut+2", "controls.shortcut.page-2"),
    PAGE_3(ShortcutGroup.WINDOW, "Shortcut+3", "controls.shortcut.page-3"),
    PAGE_4(ShortcutGroup.WINDOW, "Shortcut+4", "controls.shortcut.page-4"),
    PAGE_5(ShortcutGroup.WINDOW, "Shortcut+5", "controls.shortcut.page-5"),
    NEW_SUBJECT(ShortcutGroup.WINDOW, "Shortcut+N", "controls.shortcut.new-subject"),
    FULL_SCREEN(ShortcutGroup.WINDOW, "F11", "controls.shortcut.full-screen"),
    UNDO(ShortcutGroup.WINDOW, "Shortcut+Z", "controls.shortcut.undo"),
    OVERVIEW(ShortcutGroup.WINDOW, "F1", "controls.shortcut.overview"),
    NEXT_IMAGE(ShortcutGroup.IMAGE, "Right", "controls.shortcut.next-image"),
    PREVIOUS_IMAGE(ShortcutGroup.IMAGE, "Left", "controls.shortcut.previous-image"),
    OTHER_ROW(ShortcutGroup.IMAGE, "Down", "controls.shortcut.other-row"),
    BLINK(ShortcutGroup.IMAGE, "Space", "controls.shortcut.blink"),
    WIPE(ShortcutGroup.IMAGE, "W", "controls.shortcut.wipe"),
    FIT(ShortcutGroup.IMAGE, "F", "controls.shortcut.fit"),
    ACTUAL_SIZE(ShortcutGroup.IMAGE, "1", "controls.shortcut.actual-size"),
    STAR(ShortcutGroup.IMAGE, "S", "controls.shortcut.star"),
    COPY(ShortcutGroup.IMAGE, "Shortcut+C", "controls.shortcut.copy"),
    DELETE(ShortcutGroup.IMAGE, "Delete", "controls.shortcut.delete"),
    UNDO_STROKE(ShortcutGroup.MASK, "Shortcut+Z", "controls.shortcut.undo-stroke"),
    REDO_STROKE(ShortcutGroup.MASK, "Shortcut+Shift+Z", "controls.shortcut.redo-stroke");

    /// Where a shortcut works.
    public enum ShortcutGroup {
        WINDOW("controls.shortcuts.window"),
        GENERATE("controls.shortcuts.generate"),
        PROMPT("controls.shortcuts.prompt"),
        IMAGE("controls.shortcuts.image"),
        MASK("controls.shortcuts.mask");

        private final String key;

        ShortcutGroup(String key) {
            this.key = key;
        }

        public String title() {
            return text(key);
        }
    }

    private final ShortcutGroup group;
    private final KeyCombination combination;
    private final String key;
    private final String titleKey;

    Shortcut(ShortcutGroup group, String keys, String titleKey) {
        this.group = group;
        this.titleKey = titleKey;
        key = keys.substring(keys.lastIndexOf('+') + 1);
        combination = KeyCombination.valueOf(keys);
    }

    public ShortcutGroup group() {
        return group;
    }

    public boolean matches(KeyEvent key) {
        return combination.match(key);
    }

    /// `Ctrl+Enter`; the display text of JavaFX has symbols for some keys.
    public String keys() {
        String modifiers = combination.getDisplayText();
        return modifiers.substring(0, modifiers.lastIndexOf('+') + 1) + key;
    }

    /// What it does.
    public String title() {
        return text(titleKey);
    }

    /// `Random seed (Ctrl+R)`.
    public String tip(String description) {
        return description + " (" + keys() + ")";
    }
}
