//! Reads the claims of an access token. API Gateway passes every claim as a string, and an array as
//! `[a b]`.

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Permission, grant};
use crate::model::value::TenantId;

/// Claims that can contain the tenant, in order of precedence. If `TENANT_CLAIM` is set, that claim
/// is used instead.
const TENANT_CLAIMS: [&str; 2] = ["custom:tenant_id", "tenant_id"];

/// Claims that can contain permissions. If `PERMISSIONS_CLAIM` is set, only that claim is used.
const PERMISSION_CLAIMS: [&str; 5] = ["permissions", "scope", "scp", "cognito:groups", "roles"];

/// Maximum length in bytes of an application's id in a log line.
const MAX_APPLICATION_ID: usize = 128;

/// Number of hexadecimal digits of an actor's pseudonym.
const PSEUDONYM_DIGITS: usize = 32;

/// The configured names of claims and the configured prefix of scopes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimNames {
    /// Claim with the tenant. `None` selects `custom:tenant_id` or, if the token lacks it,
    /// `tenant_id`.
    pub tenant: Option<String>,
    /// Claim with the permissions. `None` selects all of `permissions`, `scope`, `scp`,
    /// `cognito:groups` and `roles`.
    pub permissions: Option<String>,
    /// Text that is removed from the front of a word in a permission claim, such as
    /// `https://api.bank.example/`.
    pub scope_prefix: Option<String>,
}

/// The claims of a verified token that this service uses.
#[derive(Clone, Debug)]
pub struct Claims {
    /// The tenant, or `None` if it is missing or malformed.
    pub tenant: Option<TenantId>,
    /// Names of the claims that can contain the tenant, joined by `or`. The error for a missing
    /// tenant quotes this text.
    pub tenant_claim: String,
    /// The permissions in all claims that can contain permissions.
    pub permissions: Vec<Permission>,
    /// The first of `sub`, `client_id` and `username` that is present, or `unknown`.
    pub actor: String,
    /// The actor in the form that a log line may contain. See [`log_name`].
    pub actor_in_logs: String,
    /// Whether `token_use` is absent or `access`. An ID token has the `token_use` `id`.
    pub is_access_token: bool,
}

impl Claims {
    /// Reads claims.
    pub fn read(claims: &HashMap<String, String>, names: &ClaimNames) -> Claims {
        let text =
            |name: &str| claims.get(name).map(String::as_str).filter(|text| !text.is_empty());
        let configured = |name: &'_ Option<String>, default: &[&'static str]| match name {
            Some(name) => vec![name.clone()],
            None => default.iter().map(ToString::to_string).collect(),
        };
        let tenant_claims = configured(&names.tenant, &TENANT_CLAIMS);
        // Only the first claim that is present is used. If its value is malformed, there is no
        // tenant, even if the next claim is valid.
        let tenant_text = tenant_claims.iter().find_map(|name| text(name));
        let prefix = names.scope_prefix.as_deref();
        let permission_claims = configured(&names.permissions, &PERMISSION_CLAIMS);
        let words = permission_claims.iter().filter_map(|name| text(name)).flat_map(words);
        let client_id = text("client_id");
        let actor = text("sub").or(client_id).or(text("username")).unwrap_or("unknown");
        Claims {
            tenant: tenant_text.and_then(|tenant| tenant.parse().ok()),
            tenant_claim: tenant_claims.join("` or `"),
            permissions: words.filter_map(|word| permission(word, prefix)).collect(),
            actor: actor.to_owned(),
            actor_in_logs: log_name(actor, client_id, tenant_text.unwrap_or_default()),
            is_access_token: claims.get("token_use").is_none_or(|token_use| token_use == "access"),
        }
    }

    /// Returns whether the caller may read. If not, the answer to a change contains only ids, the
    /// version and the status.
    pub fn may_read(&self) -> bool {
        grant(&self.permissions, &[Permission::Read])
    }
}

/// Splits `[a b]` or `a b` into `a` and `b`. Only spaces separate words: a comma or a quote can be
/// part of the name of a group, and must not turn the rest of that name into a permission.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    inner.split(' ')
}

/// Returns the permission that a word of a claim grants. The word is `kyc:read`, or `kyc/read`, the
/// scope of a Cognito resource server. After the configured prefix, it may also be `read`.
fn permission(word: &str, prefix: Option<&str>) -> Option<Permission> {
    let after_prefix = prefix.and_then(|prefix| word.strip_prefix(prefix));
    let word = after_prefix.unwrap_or(word);
    let action = match word.strip_prefix("kyc:").or_else(|| word.strip_prefix("kyc/")) {
        Some(action) => action,
        None => after_prefix?,
    };
    format!("kyc:{action}").parse().ok()
}

/// Returns the name of an actor for log lines, which must not contain an e-mail address or another
/// name of a person.
///
/// A UUID, such as the `sub` of a Cognito user, and the id of an application stay as they are.
/// Other actors can be names: some issuers put an e-mail address into `sub`. They are replaced by
/// `sha256:` and the first half of SHA-256 over the tenant, a line feed and the actor. An operator
/// who knows the actor can calculate this pseudonym and find the lines.
fn log_name(actor: &str, client_id: Option<&str>, tenant: &str) -> String {
    let is_plain = |text: &str| {
        text.len() <= MAX_APPLICATION_ID
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte))
    };
    let is_application = client_id == Some(actor) && is_plain(actor);
    if is_application || actor == "unknown" || Uuid::try_parse(actor).is_ok() {
        return actor.to_owned();
    }
    let digest = Sha256::new_with_prefix(tenant).chain_update("\n").chain_update(actor).finalize();
    let mut digits = hex::encode(digest);
    digits.truncate(PSEUDONYM_DIGITS);
    format!("sha256:{digits}")
}

#[cfg(test)]
mod tests {
    use super::Permission::{All, Create, Delete, Export, Manage, Read, Review, Update};
    use super::*;

    fn claims(pairs: &[(&str, &str)], names: &ClaimNames) -> Claims {
        let map = pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Claims::read(&map, names)
    }

    fn permissions(pairs: &[(&str, &str)]) -> Vec<Permission> {
        claims(pairs, &ClaimNames::default()).permissions
    }

    #[test]
    fn permissions_of_all_claims_and_forms_add_up() {
        let all = [
            ("permissions", "[kyc:create kyc:update]"),
            ("scope", "openid kyc/read"),
            ("scp", "[kyc:export]"),
            ("cognito:groups", "[staff kyc:delete]"),
            ("roles", "kyc:review"),
            ("groups", "[kyc:*]"),
        ];
        assert_eq!(permissions(&all), [Create, Update, Read, Export, Delete, Review]);
        assert_eq!(permissions(&[("permissions", "[]"), ("scope", "")]), []);
    }

    #[test]
    fn only_a_whole_word_is_a_permission() {
        for useless in [
            "[x,kyc:*]",
            "x,kyc:*",
            r#"["kyc:*"]"#,
            r#"["kyc:*","kyc:read"]"#,
            "[[kyc:*]]",
            "kyc:*,",
            "kyc:*\tkyc:read",
            "KYC:READ",
            "kyc:reader",
            "kyc:",
            "kyc/",
            "kyc:kyc:read",
            "kyc/kyc:read",
            "read",
            "*",
        ] {
            assert_eq!(permissions(&[("cognito:groups", useless)]), [], "{useless}");
        }
        assert_eq!(permissions(&[("cognito:groups", "[x,kyc:*  kyc:read]")]), [Read]);
        assert_eq!(permissions(&[("scope", "kyc/*")]), [All]);
    }

    #[test]
    fn the_configured_claim_replaces_all_permission_claims() {
        let names =
            ClaimNames { permissions: Some("https://acme/may".to_owned()), ..Default::default() };
        let pairs = [("permissions", "[kyc:*]"), ("https://acme/may", "[kyc:manage]")];
        assert_eq!(claims(&pairs, &names).permissions, [Manage]);
        assert_eq!(claims(&pairs[..1], &names).permissions, []);
    }

    #[test]
    fn the_configured_prefix_is_removed() {
        let with = |prefix: &str, word: &str| {
            let names = ClaimNames { scope_prefix: Some(prefix.to_owned()), ..Default::default() };
            claims(&[("scope", word)], &names).permissions
        };
        let url = "https://api.bank.example/";
        assert_eq!(with(url, "https://api.bank.example/kyc/read"), [Read]);
        assert_eq!(with(url, "https://api.bank.example/kyc:read"), [Read]);
        assert_eq!(
            with("https://api.bank.example/kyc/", "https://api.bank.example/kyc/read"),
            [Read]
        );
        // Words without the prefix, such as those of groups, still count.
        assert_eq!(with(url, "kyc/read kyc:create"), [Read, Create]);
        assert_eq!(with(url, "https://other.example/kyc/read"), []);
        assert_eq!(with(url, "read"), []);
        assert_eq!(permissions(&[("scope", "https://api.bank.example/kyc/read")]), []);
    }

    #[test]
    fn only_the_configured_claim_names_the_tenant() {
        let both = [("custom:tenant_id", "cognito"), ("tenant_id", "plain"), ("org", "other")];
        let tenant = |pairs: &[(&str, &str)], name: Option<&str>| {
            let names = ClaimNames { tenant: name.map(str::to_owned), ..Default::default() };
            claims(pairs, &names).tenant.map(|tenant| tenant.to_string())
        };
        assert_eq!(tenant(&both, None).unwrap(), "cognito");
        assert_eq!(tenant(&both[1..], None).unwrap(), "plain");
        assert_eq!(tenant(&both, Some("org")).unwrap(), "other");
        assert!(tenant(&both, Some("absent")).is_none());
        assert!(tenant(&[("custom:tenant_id", "a#b"), ("tenant_id", "plain")], None).is_none());
    }

    #[test]
    fn only_an_access_token_is_accepted() {
        for (token_use, is_accepted) in [(None, true), (Some("access"), true)]
            .into_iter()
            .chain(["id", "", "refresh", "Access"].map(|other| (Some(other), false)))
        {
            let pairs: Vec<_> = token_use.map(|text| ("token_use", text)).into_iter().collect();
            let read = claims(&pairs, &ClaimNames::default());
            assert_eq!(read.is_access_token, is_accepted, "{token_use:?}");
        }
    }

    #[test]
    fn a_log_line_names_a_user_by_a_uuid_or_a_pseudonym() {
        let logged = |pairs: &[(&str, &str)]| claims(pairs, &ClaimNames::default()).actor_in_logs;
        let uuid = "3f2b8c1e-0a5d-4c55-9a53-6d1f1f2a9b10";
        assert_eq!(logged(&[("sub", uuid), ("client_id", "app")]), uuid);
        assert_eq!(logged(&[("sub", "1h57kf5cpq"), ("client_id", "1h57kf5cpq")]), "1h57kf5cpq");
        assert_eq!(logged(&[("client_id", "payments-backend")]), "payments-backend");
        assert_eq!(logged(&[]), "unknown");
        for person in [
            [("tenant_id", "acme"), ("sub", "ada@bank.example"), ("client_id", "app")],
            [("tenant_id", "acme"), ("username", "ada.lovelace"), ("x", "")],
            [("tenant_id", "acme"), ("sub", "Ada Lovelace"), ("client_id", "Ada Lovelace")],
            [("tenant_id", "acme"), ("client_id", "ada@bank.example"), ("x", "")],
        ] {
            let name = logged(&person);
            assert_eq!((name.len(), &name[..7]), (39, "sha256:"), "{person:?}");
            // The pseudonym differs between tenants and between actors.
            let elsewhere = [&person[1..], &[("tenant_id", "other")]].concat();
            assert_ne!(name, logged(&elsewhere));
        }
        // printf '%s\n%s' acme ada@bank.example | sha256sum | cut -c1-32
        let expected = "sha256:14c1841c004ad4f831da1fca47b413f1";
        assert_eq!(logged(&[("tenant_id", "acme"), ("sub", "ada@bank.example")]), expected);
    }
}
