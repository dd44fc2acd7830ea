package atomstudio.app.models;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.CardView;
import atomstudio.app.controls.LabeledFieldView;
import atomstudio.app.controls.MutedLabelView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.hub.HubProxy;
import javafx.scene.control.TextField;
import javafx.scene.layout.VBox;

/// The proxy of downloads, on the Settings page. Committed by Enter and when the field is left.
public final class ProxySettingView extends VBox {
    public ProxySettingView(HubSettingsViewModel model) {
        TextField address = new TextField();
        address.setId("proxy");
        address.setPrefColumnCount(26);
        address.setPromptText(text("models.proxy.prompt"));
        model.current()
                .subscribe(now -> address
                        .setText(now.proxy().map(HubProxy.ProxyAddress::toString).orElse("")));
        address.setOnAction(enter -> model.saveProxy(address.getText()));
        address.focusedProperty().subscribe(focused -> {
            String saved = model.current().get().proxy().map(HubProxy.ProxyAddress::toString).orElse("");
            if (!focused && !address.getText().strip().equals(saved)) model.saveProxy(address.getText());
        });
        CardView card = new CardView(text("models.downloads"));
        card.add(new LabeledFieldView(text("models.proxy"), address),
                new NoteView(NoteView.NoteKind.ERROR, model.proxyProblem()),
                new MutedLabelView(text("models.proxy.help")));
        getChildren().add(card);
    }
}
