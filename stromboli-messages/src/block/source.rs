//! Where a picture or a document is.

use crate::{
    Unknown,
    wire::{record, tagged},
};

tagged! {
    /// Where a picture or a document is.
    pub enum Source by type_name = "type" {
        /// Here, in base64.
        Base64(Base64Source) = "base64",
        /// At a URL.
        Url(UrlSource) = "url",
        /// In a file that the API has.
        File(FileSource) = "file",
        /// Here, as plain text.
        Text(TextSource) = "text",
    } else
    /// A source of a type that this version does not know.
    Unknown(Unknown)
}

record! {
    /// Data in base64.
    pub struct Base64Source ["type" = "base64"] {
        /// The media type.
        media_type: String;
        /// The data.
        data: String, hidden;
    }
}

record! {
    /// A URL.
    pub struct UrlSource ["type" = "url"] {
        /// The URL, which may hold a signature.
        url: String, hidden;
    }
}

record! {
    /// A file that the API has.
    pub struct FileSource ["type" = "file"] {
        /// Its id.
        file_id: String;
    }
}

record! {
    /// Plain text.
    pub struct TextSource ["type" = "text"] {
        /// The media type.
        media_type: String;
        /// The text.
        data: String, hidden;
    }
}
