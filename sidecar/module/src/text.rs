//! Names that a module chose, made fit for a sentence.

/// Longest part of a name that a sentence repeats.
const SHOWN: usize = 80;

/// A name of the module, on one line, without control characters, cut when it is long. An ordinary name is shown as it is.
pub(crate) fn shown(name: &str) -> String {
    let mut text: String = name.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if name.chars().nth(SHOWN).is_some() {
        text.push('…');
    }
    text
}
