package atomstudio.diffusion.image;

import java.io.IOException;
import javax.imageio.IIOException;
import javax.imageio.ImageReader;
import javax.imageio.metadata.IIOMetadata;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/// Where a GIF's first frame lies on the file's canvas, which is transparent around it.
/// Source: CompuServe, GIF89a specification, 18 and 20.
record GifCanvas(int width, int height, int left, int top) {
    /// As large as the frame needs where that sticks out.
    static GifCanvas of(ImageReader reader) throws IOException {
        Element screen = child(reader.getStreamMetadata(), "LogicalScreenDescriptor");
        Element frame = child(reader.getImageMetadata(0), "ImageDescriptor");
        int left = intAttribute(frame, "imageLeftPosition");
        int top = intAttribute(frame, "imageTopPosition");
        int width = Math.max(intAttribute(screen, "logicalScreenWidth"), left + reader.getWidth(0));
        return new GifCanvas(width, Math.max(intAttribute(screen, "logicalScreenHeight"), top + reader.getHeight(0)),
                left, top);
    }

    RgbImage compose(RgbImage frame) {
        return width == frame.width() && height == frame.height() ? frame
                : frame.pasteOnCanvas(width, height, left, top);
    }

    private static Element child(IIOMetadata metadata, String name) throws IIOException {
        NodeList found = ((Element) metadata.getAsTree(metadata.getNativeMetadataFormatName()))
                .getElementsByTagName(name);
        if (found.getLength() == 0) throw new IIOException("there is no " + name + " in it");
        return (Element) found.item(0);
    }

    private static int intAttribute(Element element, String attribute) {
        String value = element.getAttribute(attribute);
        return value.isEmpty() ? 0 : Integer.parseInt(value);
    }
}
