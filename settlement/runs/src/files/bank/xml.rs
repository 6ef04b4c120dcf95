//! XML on its way into a file: elements go in, in their order, and the text comes out as often as it is asked for.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

/// Each element on a line of its own, indented by two spaces.
pub(super) struct Xml {
    writer: Writer<Vec<u8>>,
    open: Vec<&'static str>,
}

impl Xml {
    /// A document of this ISO 20022 message.
    pub(super) fn begin(message: &str) -> Self {
        let mut xml = Self { writer: Writer::new_with_indent(Vec::new(), b' ', 2), open: Vec::new() };
        xml.write(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
        let namespace = format!("urn:iso:std:iso:20022:tech:xsd:{message}");
        xml.write(Event::Start(BytesStart::new("Document").with_attributes([("xmlns", namespace.as_str())])));
        xml.open.push("Document");
        xml
    }

    /// Begins an element that has others in it.
    pub(super) fn open(&mut self, name: &'static str) {
        self.write(Event::Start(BytesStart::new(name)));
        self.open.push(name);
    }

    /// Ends the element that was opened last.
    pub(super) fn close(&mut self) {
        let name = self.open.pop().expect("an element is closed after it was opened");
        self.write(Event::End(BytesEnd::new(name)));
    }

    /// An element that has nothing but text in it.
    pub(super) fn text(&mut self, name: &'static str, text: &str) {
        self.leaf(BytesStart::new(name), name, text);
    }

    /// An amount of money, with its currency.
    pub(super) fn amount(&mut self, name: &'static str, currency: &str, amount: &str) {
        self.leaf(BytesStart::new(name).with_attributes([("Ccy", currency)]), name, amount);
    }

    fn leaf(&mut self, start: BytesStart<'_>, name: &'static str, text: &str) {
        self.write(Event::Start(start));
        self.write(Event::Text(BytesText::new(text)));
        self.write(Event::End(BytesEnd::new(name)));
    }

    fn write(&mut self, event: Event<'_>) {
        self.writer.write_event(event).expect("memory takes any text");
    }

    /// Hands over what was written since it was asked for last.
    pub(super) fn hand_over(&mut self, text: &mut Vec<u8>) {
        text.append(self.writer.get_mut());
    }

    /// Ends all that is open and hands over the rest.
    pub(super) fn finish(mut self, text: &mut Vec<u8>) {
        while !self.open.is_empty() {
            self.close();
        }
        self.hand_over(text);
        text.push(b'\n');
    }
}
