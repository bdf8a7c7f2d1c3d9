//! Writing JSON straight into a line: a record has the same names each time, which need no escape.

/// An object that is being written.
pub(super) struct Object<'o> {
    out: &'o mut Vec<u8>,
    first: bool,
}

impl Object<'_> {
    /// Appends an object; `fields` gives it its fields.
    pub(super) fn write(out: &mut Vec<u8>, fields: impl FnOnce(&mut Object<'_>)) {
        out.push(b'{');
        fields(&mut Object { out, first: true });
        out.push(b'}');
    }

    fn name(&mut self, name: &'static str) -> &mut Vec<u8> {
        self.out.extend_from_slice(if std::mem::take(&mut self.first) { b"\"" } else { b",\"" });
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    pub(super) fn text(&mut self, name: &'static str, text: &str) {
        push_text(self.name(name), text);
    }

    /// A text, or null.
    pub(super) fn maybe_text(&mut self, name: &'static str, text: Option<&str>) {
        match text {
            Some(text) => self.text(name, text),
            None => self.null(name),
        }
    }

    /// A text, or nothing at all.
    pub(super) fn text_if_any(&mut self, name: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    pub(super) fn null(&mut self, name: &'static str) {
        self.name(name).extend_from_slice(b"null");
    }

    pub(super) fn flag(&mut self, name: &'static str, flag: bool) {
        self.name(name).extend_from_slice(if flag { b"true" } else { b"false" });
    }

    pub(super) fn number(&mut self, name: &'static str, number: impl itoa::Integer) {
        self.name(name).extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    }

    pub(super) fn seconds(&mut self, name: &'static str, seconds: f64) {
        push_value(self.name(name), &seconds);
    }

    /// A list, each element of which `element` appends.
    pub(super) fn list<T>(
        &mut self,
        name: &'static str,
        elements: &[T],
        mut element: impl FnMut(&mut Vec<u8>, &T),
    ) {
        let out = self.name(name);
        out.push(b'[');
        for (place, one) in elements.iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            element(out, one);
        }
        out.push(b']');
    }
}

/// Appends a text.
pub(super) fn push_text(out: &mut Vec<u8>, text: &str) {
    let plain = |byte: u8| (byte >= b' ') & (byte != b'"') & (byte != b'\\');
    if text.bytes().fold(true, |all, byte| all & plain(byte)) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        push_value(out, text);
    }
}

fn push_value(out: &mut Vec<u8>, value: &(impl serde::Serialize + ?Sized)) {
    // Neither a text nor a number can fail, nor can writing to a Vec.
    let _ = serde_json::to_writer(out, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped_where_they_must_be() {
        for text in ["", "sip:a@example.com", "\"A\" <sip:a@example.com>", "a\\b", "a\u{1}\n\u{7f}\u{e9}"] {
            let mut out = Vec::new();
            push_text(&mut out, text);
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }

    #[test]
    fn fields_are_separated_and_lists_too() {
        let mut out = Vec::new();
        Object::write(&mut out, |object| {
            object.maybe_text("a", None);
            object.text_if_any("b", None);
            object.list("c", &["x", "y"], |out, text| push_text(out, text));
            object.flag("d", true);
            object.number("e", -7i64);
            object.seconds("f", 1.5);
        });
        assert_eq!(out, br#"{"a":null,"c":["x","y"],"d":true,"e":-7,"f":1.5}"#);
    }
}
