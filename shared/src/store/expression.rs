//! Placeholders for the names and values of a DynamoDB expression. A name needs a placeholder
//! because it may be a reserved word, and a value because it must not become part of the
//! expression.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

#[derive(Default)]
pub(super) struct Expression {
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Expression {
    /// Returns the placeholder for an attribute, or the placeholders for a path such as
    /// `risk.level`.
    pub(super) fn name(&mut self, path: &str) -> String {
        let placeholders: Vec<String> = path.split('.').map(|name| self.part(name)).collect();
        placeholders.join(".")
    }

    /// Returns the placeholder for one name, which may contain any character.
    pub(super) fn part(&mut self, name: &str) -> String {
        if let Some((placeholder, _)) = self.names.iter().find(|(_, known)| *known == name) {
            return placeholder.clone();
        }
        let placeholder = format!("#n{}", self.names.len());
        self.names.insert(placeholder.clone(), name.to_owned());
        placeholder
    }

    pub(super) fn value(&mut self, value: AttributeValue) -> String {
        let placeholder = format!(":v{}", self.values.len());
        self.values.insert(placeholder.clone(), value);
        placeholder
    }

    pub(super) fn text(&mut self, value: impl Into<String>) -> String {
        self.value(AttributeValue::S(value.into()))
    }

    pub(super) fn number(&mut self, value: impl ToString) -> String {
        self.value(AttributeValue::N(value.to_string()))
    }

    /// Returns the key condition for all rows of a partition.
    pub(super) fn partition(&mut self, partition: String) -> String {
        format!("{} = {}", self.name("pk"), self.text(partition))
    }

    /// Returns the key condition for the rows of a partition whose sort keys begin with `prefix`.
    pub(super) fn begins_with(&mut self, partition: String, prefix: &str) -> String {
        let (pk, sk) = (self.name("pk"), self.name("sk"));
        let (partition, prefix) = (self.text(partition), self.text(prefix));
        format!("{pk} = {partition} AND begins_with({sk}, {prefix})")
    }

    /// Returns the names and the values for a request. Each is `None` when it is empty.
    #[allow(clippy::type_complexity, reason = "the SDK's own two types")]
    pub(super) fn into_parts(
        self,
    ) -> (Option<HashMap<String, String>>, Option<HashMap<String, AttributeValue>>) {
        (
            Some(self.names).filter(|names| !names.is_empty()),
            Some(self.values).filter(|values| !values.is_empty()),
        )
    }
}
