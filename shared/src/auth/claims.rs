//! Reads the claims of an access token. API Gateway passes every claim as a string, and an array as
//! `[a b]`.

use std::collections::HashMap;

use crate::model::value::TenantId;

/// Claims that can contain the tenant, in order of precedence. If `TENANT_CLAIM` is set, that claim
/// is used instead.
const TENANT_CLAIMS: [&str; 2] = ["custom:tenant_id", "tenant_id"];

/// The claims of a verified token that this service uses.
#[derive(Clone, Debug)]
pub struct Claims {
    /// The tenant, or `None` if it is missing or malformed.
    pub tenant: Option<TenantId>,
    /// Names of the claims that can contain the tenant, joined by `or`. The error for a missing
    /// tenant quotes this text.
    pub tenant_claim: String,
    /// The permissions in the claims `permissions`, `scope` and `cognito:groups`.
    pub permissions: Vec<String>,
    /// The first of `sub`, `client_id` and `username` that is present, or `unknown`.
    pub actor: String,
}

impl Claims {
    /// Reads claims. `tenant_claim` is the configured name of the claim that contains the tenant.
    /// If it is `None`, `custom:tenant_id` and `tenant_id` are tried.
    pub fn read(claims: &HashMap<String, String>, tenant_claim: Option<&str>) -> Claims {
        let text =
            |name: &str| claims.get(name).map(String::as_str).filter(|text| !text.is_empty());
        let names = match tenant_claim {
            Some(configured) => vec![configured],
            None => TENANT_CLAIMS.to_vec(),
        };
        // Only the first claim that is present is used. If its value is malformed, there is no
        // tenant, even if the next claim is valid.
        let tenant =
            names.iter().find_map(|name| text(name)).and_then(|tenant| tenant.parse().ok());
        let mut permissions = Vec::new();
        for claim in ["permissions", "scope", "cognito:groups"] {
            permissions.extend(list(text(claim).unwrap_or_default()).map(permission));
        }
        let actor = text("sub").or(text("client_id")).or(text("username")).unwrap_or("unknown");
        Claims { tenant, tenant_claim: names.join("` or `"), permissions, actor: actor.to_owned() }
    }
}

/// Splits `[a b]`, `a b`, `a,b` or `["a","b"]` into `a` and `b`.
fn list(text: &str) -> impl Iterator<Item = &str> {
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    inner.split([' ', ',']).map(|word| word.trim_matches('"')).filter(|word| !word.is_empty())
}

/// Returns the permission `kyc:read` for `kyc/read`, the scope of a Cognito resource server. Any
/// other word is returned unchanged.
fn permission(word: &str) -> String {
    match word.strip_prefix("kyc/") {
        Some(action) => format!("kyc:{action}"),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(pairs: &[(&str, &str)], tenant_claim: Option<&str>) -> Claims {
        let map = pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Claims::read(&map, tenant_claim)
    }

    #[test]
    fn permissions_of_all_claims_and_forms_add_up() {
        let read = claims(
            &[
                ("permissions", "[kyc:create kyc:update]"),
                ("scope", "openid kyc/read"),
                ("cognito:groups", "[kyc:delete]"),
            ],
            None,
        );
        let expected = ["kyc:create", "kyc:update", "openid", "kyc:read", "kyc:delete"];
        assert_eq!(read.permissions, expected);
        assert_eq!(claims(&[("permissions", r#"["a","b"]"#)], None).permissions, ["a", "b"]);
        assert!(claims(&[("permissions", "[]"), ("scope", "")], None).permissions.is_empty());
    }

    #[test]
    fn only_the_configured_claim_names_the_tenant() {
        let both = [("custom:tenant_id", "cognito"), ("tenant_id", "plain"), ("org", "other")];
        assert_eq!(claims(&both, None).tenant.unwrap().to_string(), "cognito");
        assert_eq!(claims(&both[1..], None).tenant.unwrap().to_string(), "plain");
        assert_eq!(claims(&both, Some("org")).tenant.unwrap().to_string(), "other");
        assert!(claims(&both, Some("absent")).tenant.is_none());
        assert!(
            claims(&[("custom:tenant_id", "a#b"), ("tenant_id", "plain")], None).tenant.is_none()
        );
    }
}
