//! Evaluates the intrinsic functions of a CloudFormation template, with the parameters of the local
//! server.

use yaml_serde::{Mapping, Value};

use crate::yaml::at;
use crate::{Failure, arn};

/// Values for the parameters that a deployment sets. The other parameters have their defaults.
pub const LOCAL_PARAMETERS: [(&str, &str); 2] =
    [("JwtIssuer", "https://kyc-customers.local"), ("JwtAudience", "kyc-customers")];

/// Evaluates the intrinsic functions of one template.
#[derive(Clone, Copy)]
pub(crate) struct Intrinsics<'a>(pub(crate) &'a Value);

impl Intrinsics<'_> {
    /// Evaluates all intrinsic functions in a value. Returns null for `AWS::NoValue`.
    ///
    /// # Errors
    /// Fails when a function is not supported or refers to something that does not exist.
    pub(crate) fn resolve(&self, value: &Value) -> Result<Value, Failure> {
        Ok(self.resolve_optional(value)?.unwrap_or(Value::Null))
    }

    /// Evaluates a value and returns the result as text. The result must be a text, a number or a
    /// Boolean.
    pub(crate) fn text(&self, value: &Value) -> Result<String, Failure> {
        match self.resolve(value)? {
            Value::String(text) => Ok(text),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(flag) => Ok(flag.to_string()),
            other => Err(format!("{other:?} is not a text")),
        }
    }

    pub(crate) fn condition(&self, name: &str) -> Result<bool, Failure> {
        self.evaluate_condition(at(self.0, &["Conditions", name])?)
    }

    /// Evaluates all intrinsic functions in a value. Returns `None` for `AWS::NoValue`, and omits
    /// the members of sequences and mappings that evaluate to it.
    fn resolve_optional(&self, value: &Value) -> Result<Option<Value>, Failure> {
        let tagged = match value {
            Value::Tagged(tagged) => tagged,
            Value::Sequence(values) => {
                let values =
                    values.iter().filter_map(|value| self.resolve_optional(value).transpose());
                return Ok(Some(Value::Sequence(values.collect::<Result<_, _>>()?)));
            }
            Value::Mapping(entries) => {
                let mut mapping = Mapping::new();
                for (name, value) in entries {
                    if let Some(value) = self.resolve_optional(value)? {
                        mapping.insert(name.clone(), value);
                    }
                }
                return Ok(Some(Value::Mapping(mapping)));
            }
            plain => return Ok(Some(plain.clone())),
        };
        let argument = &tagged.value;
        let name = argument.as_str().unwrap_or_default();
        if tagged.tag == "Ref" {
            return self.reference(name);
        }
        if tagged.tag == "GetAtt" {
            return self.attribute(name).map(|text| Some(Value::from(text)));
        }
        if tagged.tag == "Sub" && !name.is_empty() {
            return self.substitute(name).map(|text| Some(Value::from(text)));
        }
        if tagged.tag == "If"
            && let Some([condition, then, otherwise]) = argument.as_sequence().map(Vec::as_slice)
        {
            let condition = condition.as_str().unwrap_or_default();
            let branch = if self.condition(condition)? { then } else { otherwise };
            return self.resolve_optional(branch);
        }
        Err(format!("the intrinsic function {} is not supported", tagged.tag))
    }

    /// Evaluates `!Ref`. Returns the local value or the default of a parameter, or the logical id
    /// of a resource. Returns `None` for `AWS::NoValue`.
    fn reference(&self, name: &str) -> Result<Option<Value>, Failure> {
        let pseudo_parameter = match name {
            "AWS::AccountId" => Some(arn::ACCOUNT),
            "AWS::Region" => Some(arn::REGION),
            "AWS::Partition" => Some("aws"),
            "AWS::StackName" => Some("local"),
            "AWS::NoValue" => return Ok(None),
            _ => None,
        };
        let local = LOCAL_PARAMETERS.iter().find(|(parameter, _)| *parameter == name);
        if let Some(value) = pseudo_parameter.or(local.map(|(_, value)| *value)) {
            return Ok(Some(Value::from(value)));
        }
        if let Ok(parameter) = at(self.0, &["Parameters", name]) {
            let default = parameter.get("Default").cloned();
            return default
                .map(Some)
                .ok_or_else(|| format!("the parameter {name} has no default and no local value"));
        }
        at(self.0, &["Resources", name]).map(|_| Some(Value::from(name)))
    }

    /// Evaluates `!GetAtt`. Only the ARN of a table or of a bucket is supported.
    fn attribute(&self, name: &str) -> Result<String, Failure> {
        let unsupported = || format!("GetAtt {name} is not supported");
        let resource = name.strip_suffix(".Arn").ok_or_else(unsupported)?;
        match at(self.0, &["Resources", resource, "Type"])?.as_str() {
            Some("AWS::DynamoDB::Table") => Ok(arn::table(resource)),
            Some("AWS::S3::Bucket") => Ok(arn::bucket(resource)),
            _ => Err(unsupported()),
        }
    }

    /// Evaluates `!Sub` with a text: replaces each `${Name}` and `${Name.Arn}`.
    fn substitute(&self, text: &str) -> Result<String, Failure> {
        let mut parts = text.split("${");
        let mut result = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part
                .split_once('}')
                .ok_or_else(|| format!("Sub {text} must close each ${{ with a }}"))?;
            if name.contains('.') {
                result.push_str(&self.attribute(name)?);
            } else {
                let value = self.reference(name)?.unwrap_or_default();
                result.push_str(&self.text(&value)?);
            }
            result.push_str(rest);
        }
        Ok(result)
    }

    fn evaluate_condition(&self, condition: &Value) -> Result<bool, Failure> {
        let Value::Tagged(tagged) = condition else {
            return Err(format!("the condition {condition:?} is not supported"));
        };
        if tagged.tag == "Condition" {
            return self.condition(tagged.value.as_str().unwrap_or_default());
        }
        let arguments = tagged.value.as_sequence().map(Vec::as_slice).unwrap_or_default();
        match arguments {
            [one, other] if tagged.tag == "Equals" => Ok(self.text(one)? == self.text(other)?),
            [one] if tagged.tag == "Not" => Ok(!self.evaluate_condition(one)?),
            all if tagged.tag == "And" => {
                all.iter().try_fold(true, |holds, one| Ok(holds && self.evaluate_condition(one)?))
            }
            any if tagged.tag == "Or" => {
                any.iter().try_fold(false, |holds, one| Ok(holds || self.evaluate_condition(one)?))
            }
            _ => Err(format!("the condition function {} is not supported", tagged.tag)),
        }
    }
}
