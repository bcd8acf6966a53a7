//! CEL rules and their sentences.
//!
//! * A sentence names the field, its value and the way out. `{self.x}` in it is a CEL expression of type string whose
//!   value is shown; the API server itself prints only the type of what it refuses.
//! * A value with a line break can't be shown (the server drops such a message), so each rule also carries the sentence
//!   with an ellipsis in its place.
//! * Rules that compute with durations or sizes hold when the text is none: the field's own rule says so, and nobody
//!   sees two complaints about one mistake.

use serde_json::{Value, json};

/// GEP-2257.
const DURATION: &str = "^([0-9]{1,5}(h|m|s|ms)){1,4}$";
/// A Kubernetes quantity without fractions and exponents.
const SIZE: &str = "^[0-9]{1,12}(Ki|Mi|Gi|k|M|G)?$";

/// A rule with its sentence.
pub(crate) fn rule(expression: &str, sentence: &str) -> Value {
    let (plain, shown) = render(sentence);
    let mut rule = json!({ "rule": expression, "message": plain, "reason": "FieldValueInvalid" });
    if let (Some(shown), Some(map)) = (shown, rule.as_object_mut()) {
        map.insert("messageExpression".into(), shown.into());
    }
    rule
}

/// A rule of an object that complains about one of its fields.
pub(crate) fn at(field: &str, expression: &str, sentence: &str) -> Value {
    let mut rule = rule(expression, sentence);
    if let Some(map) = rule.as_object_mut() {
        map.insert("fieldPath".into(), format!(".{field}").into());
    }
    rule
}

/// The text is a duration.
pub(crate) fn duration(field: &str) -> Value {
    rule(
        &format!("self.matches('{DURATION}')"),
        &format!("{field} {{self}} is not a duration: write whole numbers with h, m, s or ms, as in 1m30s or 100ms"),
    )
}

/// The text or number is a size.
pub(crate) fn size(field: &str) -> Value {
    rule(
        &format!("string(self).matches('{SIZE}')"),
        &format!(
            "{field} {{string(self)}} is not a size: write a whole number of bytes, or with Ki, Mi, Gi, k, M or G, as in 64Mi"
        ),
    )
}

/// A field of this object is a duration within bounds.
pub(crate) fn duration_within(owner: &str, field: &str, least: &str, most: &str) -> Value {
    at(
        field,
        &durations(
            &[&format!("self.{field}")],
            &format!("duration(self.{field}) >= duration('{least}') && duration(self.{field}) <= duration('{most}')"),
        ),
        &format!("{owner}.{field} {{self.{field}}} is out of bounds: choose between {least} and {most}"),
    )
}

/// A field of this object is a size within bounds.
pub(crate) fn size_within(owner: &str, field: &str, least: &str, most: &str) -> Value {
    let quantity = format!("quantity(string(self.{field}))");
    at(
        field,
        &sizes(
            &[&format!("self.{field}")],
            &format!("{quantity}.compareTo(quantity('{least}')) >= 0 && {quantity}.compareTo(quantity('{most}')) <= 0"),
        ),
        &format!("{owner}.{field} {{string(self.{field})}} is out of bounds: choose between {least} and {most}"),
    )
}

/// `expression`, asked only when all `fields` are durations.
pub(crate) fn durations(fields: &[&str], expression: &str) -> String {
    guarded(fields.iter().map(|field| format!("{field}.matches('{DURATION}')")), expression)
}

/// `expression`, asked only when all `fields` are sizes.
pub(crate) fn sizes(fields: &[&str], expression: &str) -> String {
    guarded(fields.iter().map(|field| format!("string({field}).matches('{SIZE}')")), expression)
}

fn guarded(guards: impl Iterator<Item = String>, expression: &str) -> String {
    let guards: Vec<String> = guards.collect();
    format!("!({}) || ({expression})", guards.join(" && "))
}

/// The sentence with ellipses, and the CEL expression that puts them in.
fn render(sentence: &str) -> (String, Option<String>) {
    let (mut plain, mut terms, mut rest) = (String::new(), Vec::new(), sentence);
    let literal = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
    while let Some((before, after)) = rest.split_once('{') {
        let (expression, tail) = after.split_once('}').unwrap_or((after, ""));
        plain.push_str(before);
        plain.push('…');
        terms.push(literal(before));
        terms.push(if expression.contains('?') { format!("({expression})") } else { expression.to_owned() });
        rest = tail;
    }
    plain.push_str(rest);
    let shown = (!terms.is_empty()).then(|| {
        terms.push(literal(rest));
        terms.join(" + ")
    });
    (plain, shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_becomes_text_with_ellipses_and_an_expression_with_values() {
        let rule = rule("false", "port {self.port} isn't there: use {string(self.n)} or none");
        assert_eq!(rule["message"], "port … isn't there: use … or none");
        assert_eq!(
            rule["messageExpression"],
            r"'port ' + self.port + ' isn\'t there: use ' + string(self.n) + ' or none'"
        );
    }

    #[test]
    fn a_sentence_without_values_needs_no_expression() {
        assert_eq!(rule("false", "remove it").get("messageExpression"), None);
    }

    #[test]
    fn a_computation_waits_for_readable_text() {
        let text = durations(&["self.a"], "duration(self.a) > duration('1s')");
        assert_eq!(text, format!("!(self.a.matches('{DURATION}')) || (duration(self.a) > duration('1s'))"));
    }
}
