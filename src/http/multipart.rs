//! Bodies of type `multipart/form-data` (RFC 7578).

/// A form under way.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    boundary: String,
    body: Vec<u8>,
}

impl Form {
    /// An empty form. The boundary must not be guessed by those who write what is in it: a digest of something secret.
    pub(crate) fn new(boundary: String) -> Self {
        Self { boundary, body: Vec::new() }
    }

    /// The header's value.
    pub(crate) fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }

    /// Adds a plain field. Without a file name: with one, even an empty one, Freshdesk was seen to overlook the field.
    pub(crate) fn text(&mut self, name: &str, value: &str) {
        let head = format!("--{}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n", self.boundary, quoted(name));
        self.body.extend_from_slice(head.as_bytes());
        self.body.extend_from_slice(value.as_bytes());
        self.body.extend_from_slice(b"\r\n");
    }

    /// Adds a file.
    pub(crate) fn file(&mut self, name: &str, file_name: &str, media_type: &str, content: &[u8]) {
        self.begin_file(name, file_name, media_type);
        self.body.extend_from_slice(content);
        self.body.extend_from_slice(b"\r\n");
    }

    /// Adds the head of a file whose content follows elsewhere.
    pub(crate) fn begin_file(&mut self, name: &str, file_name: &str, media_type: &str) {
        let (name, file_name) = (quoted(name), quoted(file_name));
        let is_type = |byte: u8| byte.is_ascii_alphanumeric() || b"/.+-;= ".contains(&byte);
        let is_fit = media_type.contains('/') && media_type.bytes().all(is_type);
        let media_type = if is_fit { media_type } else { "application/octet-stream" };
        let head = format!(
            "--{}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\nContent-Type: {media_type}\r\n\r\n",
            self.boundary
        );
        self.body.extend_from_slice(head.as_bytes());
    }

    /// What is there so far, and what ends the form behind a file's content.
    pub(crate) fn around(self) -> (Vec<u8>, Vec<u8>) {
        let end = format!("\r\n--{}--\r\n", self.boundary).into_bytes();
        (self.body, end)
    }

    /// The complete body.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.body.extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        self.body
    }
}

/// A value between quotation marks, as browsers write it: nobody's file name ends the header.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("%22"),
            letter if letter.is_control() => quoted.push('_'),
            letter => quoted.push(letter),
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_holds_fields_and_files() {
        let mut form = Form::new("b".into());
        form.text("tags[]", "x");
        form.file("attachments[]", "a\"\r\nb.txt", "text/plain", b"hi");
        assert_eq!(form.content_type(), "multipart/form-data; boundary=b");
        let expected = "--b\r\nContent-Disposition: form-data; name=\"tags[]\"\r\n\r\nx\r\n\
             --b\r\nContent-Disposition: form-data; name=\"attachments[]\"; filename=\"a%22__b.txt\"\r\n\
             Content-Type: text/plain\r\n\r\nhi\r\n--b--\r\n";
        assert_eq!(String::from_utf8(form.finish()).unwrap(), expected);
    }

    #[test]
    fn a_content_that_comes_later_fits_in_between() {
        let mut form = Form::new("b".into());
        form.begin_file("image", "a.png", "evil\r\nX: y");
        let (before, after) = form.around();
        let before = String::from_utf8(before).unwrap();
        assert!(before.ends_with("Content-Type: application/octet-stream\r\n\r\n"), "{before}");
        assert_eq!(after, b"\r\n--b--\r\n");
    }
}
