//! What CloudFormation makes of the intrinsic functions of a template, with the parameters that a
//! laptop gives it.

use yaml_serde::{Mapping, Value};

use crate::Failure;
use crate::template::{LOCAL_PARAMETERS, at};

const ACCOUNT: &str = "000000000000";
const REGION: &str = "local";

/// A template, to look names up in.
#[derive(Clone, Copy)]
pub(crate) struct Intrinsics<'a>(pub(crate) &'a Value);

impl Intrinsics<'_> {
    /// The value with everything in it resolved, or why that is not known here.
    pub(crate) fn resolve(&self, value: &Value) -> Result<Value, Failure> {
        Ok(self.resolved(value)?.unwrap_or(Value::Null))
    }

    pub(crate) fn text(&self, value: &Value) -> Result<String, Failure> {
        match self.resolve(value)? {
            Value::String(text) => Ok(text),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(flag) => Ok(flag.to_string()),
            other => Err(format!("{other:?} is not a text")),
        }
    }

    /// `None` where the template says that there is nothing: `AWS::NoValue`.
    fn resolved(&self, value: &Value) -> Result<Option<Value>, Failure> {
        let tagged = match value {
            Value::Tagged(tagged) => tagged,
            Value::Sequence(values) => {
                let values = values.iter().filter_map(|value| self.resolved(value).transpose());
                return Ok(Some(Value::Sequence(values.collect::<Result<_, _>>()?)));
            }
            Value::Mapping(entries) => {
                let mut mapping = Mapping::new();
                for (name, value) in entries {
                    if let Some(value) = self.resolved(value)? {
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
            return self.referred(name);
        }
        if tagged.tag == "GetAtt" {
            return self.attribute(name).map(|text| Some(Value::from(text)));
        }
        if tagged.tag == "Sub" && !name.is_empty() {
            return self.substituted(name).map(|text| Some(Value::from(text)));
        }
        if tagged.tag == "If"
            && let Some([condition, then, otherwise]) = argument.as_sequence().map(Vec::as_slice)
        {
            let condition = condition.as_str().unwrap_or_default();
            let taken = if self.condition(condition)? { then } else { otherwise };
            return self.resolved(taken);
        }
        Err(format!("{} is not known here", tagged.tag))
    }

    /// `!Ref` of a parameter is its local value or its default; of a resource, its logical id.
    fn referred(&self, name: &str) -> Result<Option<Value>, Failure> {
        let pseudo = match name {
            "AWS::AccountId" => Some(ACCOUNT),
            "AWS::Region" => Some(REGION),
            "AWS::Partition" => Some("aws"),
            "AWS::StackName" => Some("local"),
            "AWS::NoValue" => return Ok(None),
            _ => None,
        };
        let local = LOCAL_PARAMETERS.iter().find(|(parameter, _)| *parameter == name);
        if let Some(value) = pseudo.or(local.map(|(_, value)| *value)) {
            return Ok(Some(Value::from(value)));
        }
        if let Ok(parameter) = at(self.0, &["Parameters", name]) {
            let default = parameter.get("Default").cloned();
            let missing = || format!("the parameter {name} has no default and no local value");
            return default.map(Some).ok_or_else(missing);
        }
        at(self.0, &["Resources", name]).map(|_| Some(Value::from(name)))
    }

    /// Only ARNs of what functions have permissions for.
    fn attribute(&self, name: &str) -> Result<String, Failure> {
        let unknown = || format!("GetAtt {name} is not known here");
        let resource = name.strip_suffix(".Arn").ok_or_else(unknown)?;
        match at(self.0, &["Resources", resource, "Type"])?.as_str() {
            Some("AWS::DynamoDB::Table") => Ok(table_arn(resource)),
            Some("AWS::S3::Bucket") => Ok(bucket_arn(resource)),
            _ => Err(unknown()),
        }
    }

    fn substituted(&self, text: &str) -> Result<String, Failure> {
        let mut parts = text.split("${");
        let mut filled = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').ok_or_else(|| format!("Sub {text}: no }}"))?;
            match name.contains('.') {
                true => filled.push_str(&self.attribute(name)?),
                false => {
                    let value = self.referred(name)?.unwrap_or_default();
                    filled.push_str(&self.text(&value)?);
                }
            }
            filled.push_str(rest);
        }
        Ok(filled)
    }

    pub(crate) fn condition(&self, name: &str) -> Result<bool, Failure> {
        self.holds(at(self.0, &["Conditions", name])?)
    }

    fn holds(&self, condition: &Value) -> Result<bool, Failure> {
        let Value::Tagged(tagged) = condition else {
            return Err(format!("the condition {condition:?} is not known here"));
        };
        if tagged.tag == "Condition" {
            return self.condition(tagged.value.as_str().unwrap_or_default());
        }
        let arguments = tagged.value.as_sequence().map(Vec::as_slice).unwrap_or_default();
        match arguments {
            [one, other] if tagged.tag == "Equals" => Ok(self.text(one)? == self.text(other)?),
            [one] if tagged.tag == "Not" => Ok(!self.holds(one)?),
            all if tagged.tag == "And" => {
                all.iter().try_fold(true, |held, one| Ok(held && self.holds(one)?))
            }
            any if tagged.tag == "Or" => {
                any.iter().try_fold(false, |held, one| Ok(held || self.holds(one)?))
            }
            _ => Err(format!("the condition {} is not known here", tagged.tag)),
        }
    }
}

pub(crate) fn table_arn(table: &str) -> String {
    format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}")
}

pub(crate) fn bucket_arn(bucket: &str) -> String {
    format!("arn:aws:s3:::{bucket}")
}
