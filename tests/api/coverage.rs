//! What exists in one place exists in all: routes of the template, function crates, paths of the
//! OpenAPI document, rows of the matrix, lines of the README.

use std::collections::BTreeSet;
use std::path::Path;

use api_tests::{Api, Persona};
use local::openapi;
use local::template::{LOCAL_PARAMETERS, Template};

use crate::matrix::ROWS;

fn file(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
}

fn routes() -> BTreeSet<String> {
    Template::embedded().unwrap().routes().map(|(_, route)| route.key()).collect()
}

#[test]
fn every_route_has_a_row_in_the_matrix() {
    let rows: BTreeSet<String> = ROWS.iter().map(|row| row.route.to_owned()).collect();
    assert_eq!(rows, routes());
    assert_eq!(rows.len(), ROWS.len(), "a row is written twice");
}

#[test]
fn every_function_crate_is_in_the_template() {
    let crates =
        std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions")).unwrap();
    let crates: BTreeSet<String> =
        crates.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let functions = Template::embedded().unwrap().functions;
    assert_eq!(crates, functions.iter().map(|function| function.name.clone()).collect());
}

/// `sam build` builds a binary in the folder the function's `CodeUri` names.
#[test]
fn every_function_is_built_where_its_binary_is() {
    let template = file("template.yaml");
    for function in Template::embedded().unwrap().functions {
        let name = function.name;
        assert!(template.contains(&format!("CodeUri: functions/{name}\n")), "{name}");
        assert!(
            file(&format!("functions/{name}/Cargo.toml"))
                .contains(&format!("[[bin]]\nname = \"{name}\""))
        );
    }
}

#[tokio::test]
async fn every_route_is_in_the_openapi_document() {
    let api = Api::start().await;
    let document = api.get(&Persona::anonymous(), "/openapi.json").await.body;
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            described.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    assert_eq!(described, routes());
    assert_eq!(document["openapi"], "3.1.0");
}

#[test]
fn the_checked_in_openapi_document_is_fresh() {
    let fresh = openapi::yaml(&Template::embedded().unwrap()).unwrap();
    assert!(
        fresh == file("infra/openapi.yaml"),
        "infra/openapi.yaml is stale: cargo run -- openapi > infra/openapi.yaml"
    );
}

#[test]
fn every_reference_of_the_openapi_document_leads_somewhere() {
    let document = openapi::document(&Template::embedded().unwrap()).unwrap();
    let json = document.to_json().unwrap();
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    let references: BTreeSet<&str> =
        json.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(references.len() > 10);
    for reference in references {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
}

#[test]
fn the_route_table_of_the_readme_is_the_templates() {
    let readme = file("README.md");
    let lines = readme.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let listed: BTreeSet<String> =
        lines.filter(|cell| cell.contains(" /")).map(str::to_owned).collect();
    assert_eq!(listed, routes());
}

#[test]
fn the_local_parameters_are_the_templates() {
    let template = file("template.yaml");
    for (parameter, _) in LOCAL_PARAMETERS {
        assert!(template.contains(&format!("\n  {parameter}:\n    Type:")), "{parameter}");
    }
}

#[test]
fn every_alarm_is_explained() {
    let template = file("template.yaml");
    let named = template.split(":\n    Type: AWS::CloudWatch::Alarm\n");
    let mut written: BTreeSet<&str> = named.filter_map(|text| text.rsplit('\n').next()).collect();
    written.retain(|name| name.ends_with("Alarm"));
    let written: BTreeSet<&str> = written.into_iter().map(str::trim).collect();
    let document = file("docs/operations.md");
    let rows = document.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.filter_map(|line| line.split('|').nth(1));
    let names = cells.flat_map(|cell| cell.split('`')).filter(|name| name.ends_with("Alarm"));
    assert_eq!(names.collect::<BTreeSet<_>>(), written);
    assert!(written.len() > 10);
}

#[test]
fn the_routes_of_cargo_lambda_watch_are_the_templates() {
    let manifest = file("Cargo.toml");
    let lines = manifest.lines().filter_map(|line| line.trim().strip_prefix("{ path = \""));
    let watched: BTreeSet<String> = lines
        .map(|line| {
            let parts: Vec<&str> = line.split('"').collect();
            format!("{} {} {}", parts[2], parts[0], parts[4])
        })
        .collect();
    let template = Template::embedded().unwrap();
    let routes = template.routes();
    let routes = routes.map(|(f, route)| format!("{} {} {}", route.method, route.path, f.name));
    assert_eq!(watched, routes.collect());
}

/// What CloudFormation calls to make a resource of the template, as far as we know: a new kind of
/// resource is not forgotten, but only a deployment shows whether the list is complete.
fn makers(kind: &str) -> &'static [&'static str] {
    match kind {
        "AWS::CloudWatch::Alarm" => &["cloudwatch:PutMetricAlarm"],
        "AWS::CloudWatch::Dashboard" => &["cloudwatch:PutDashboard"],
        "AWS::Cognito::UserPool" => &["cognito-idp:CreateUserPool"],
        "AWS::Cognito::UserPoolClient" => &["cognito-idp:CreateUserPoolClient"],
        "AWS::Cognito::UserPoolDomain" => &["cognito-idp:CreateUserPoolDomain"],
        "AWS::Cognito::UserPoolGroup" => &["cognito-idp:CreateGroup"],
        "AWS::Cognito::UserPoolResourceServer" => &["cognito-idp:CreateResourceServer"],
        "AWS::DynamoDB::Table" => &["dynamodb:CreateTable", "dynamodb:UpdateContinuousBackups"],
        "AWS::Events::Archive" => &["events:CreateArchive", "events:PutRule", "events:PutTargets"],
        "AWS::Events::EventBus" => &["events:CreateEventBus"],
        "AWS::IAM::Role" => &["iam:CreateRole", "iam:PutRolePolicy", "iam:PassRole"],
        "AWS::KMS::Key" => &["kms:CreateKey", "kms:EnableKeyRotation"],
        "AWS::Lambda::Permission" => &["lambda:AddPermission"],
        "AWS::Logs::LogGroup" => &["logs:CreateLogGroup", "logs:AssociateKmsKey"],
        "AWS::Logs::MetricFilter" => &["logs:PutMetricFilter"],
        "AWS::Pipes::Pipe" => &["pipes:CreatePipe", "logs:CreateLogDelivery"],
        "AWS::S3::Bucket" => &["s3:CreateBucket", "s3:PutBucketVersioning"],
        "AWS::S3::BucketPolicy" => &["s3:PutBucketPolicy"],
        "AWS::SQS::Queue" => &["sqs:CreateQueue"],
        "AWS::Serverless::Function" => &[
            "lambda:CreateFunction",
            "lambda:PublishVersion",
            "iam:CreateRole",
            "codedeploy:CreateDeploymentGroup",
            "scheduler:CreateSchedule",
        ],
        "AWS::Serverless::HttpApi" => &["apigateway:POST", "logs:CreateLogDelivery"],
        _ => panic!("say here which actions make a {kind}, and give them to the StackRole"),
    }
}

fn resources(path: &str) -> yaml_serde::Mapping {
    let document: yaml_serde::Value = yaml_serde::from_str(&file(path)).unwrap();
    document["Resources"].as_mapping().unwrap().clone()
}

/// No scanner sees it, and the first deployment would be the first to know.
#[test]
fn the_pipelines_role_may_make_every_resource_of_the_template() {
    let role = &resources("infra/deploy/deploy-role.yaml")["StackRole"];
    let statements = &role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"];
    let mut allowed = BTreeSet::new();
    for statement in statements.as_sequence().unwrap() {
        match &statement["Action"] {
            yaml_serde::Value::String(action) => _ = allowed.insert(action.clone()),
            actions => allowed.extend(
                actions.as_sequence().unwrap().iter().map(|a| a.as_str().unwrap().to_owned()),
            ),
        }
    }
    let mut missing = BTreeSet::new();
    for resource in resources("template.yaml").values() {
        for action in makers(resource["Type"].as_str().unwrap()) {
            let allows = |allowed: &String| match allowed.strip_suffix('*') {
                Some(prefix) => action.starts_with(prefix),
                None => allowed == action,
            };
            if !allowed.iter().any(allows) {
                missing.insert(*action);
            }
        }
    }
    assert_eq!(missing, BTreeSet::new());
}

/// An event bus takes no more from a Pipe at once.
#[test]
fn a_batch_of_the_pipe_is_one_call_to_the_bus() {
    let pipe = &resources("template.yaml")["Events"]["Properties"];
    let stream = &pipe["SourceParameters"]["DynamoDBStreamParameters"];
    assert!(stream["BatchSize"].as_u64().unwrap() <= 10);
}

#[test]
fn the_dashboard_is_json_and_shows_every_alarm() {
    let yaml_serde::Value::Tagged(body) =
        resources("template.yaml")["Dashboard"]["Properties"]["DashboardBody"].clone()
    else {
        panic!("the body of the dashboard is not a !Sub")
    };
    let [text, variables] = body.value.as_sequence().unwrap().as_slice() else {
        panic!("the !Sub has no variables")
    };
    let yaml_serde::Value::Tagged(own) = &variables["OfTheUserPool"] else { panic!("no !If") };
    let yaml_serde::Value::Tagged(more) = &own.value[1] else { panic!("no !Sub") };
    for more in [more.value.as_str().unwrap(), ""] {
        let filled = text.as_str().unwrap().replace("${OfTheUserPool}", more);
        let dashboard: serde_json::Value = serde_json::from_str(&filled).unwrap();
        let shown = &dashboard["widgets"][0]["properties"]["alarms"];
        let shown: BTreeSet<&str> =
            shown.as_array().unwrap().iter().map(|alarm| alarm.as_str().unwrap()).collect();
        let alarms = resources("template.yaml");
        let alarms = alarms.iter().filter(|(_, resource)| {
            resource["Type"] == "AWS::CloudWatch::Alarm"
                && (resource.get("Condition").is_none() || !more.is_empty())
        });
        let alarms: Vec<String> =
            alarms.map(|(name, _)| format!("${{{}.Arn}}", name.as_str().unwrap())).collect();
        assert_eq!(shown, alarms.iter().map(String::as_str).collect());
    }
}

#[test]
fn throttled_reads_and_writes_of_every_index_are_an_alarm() {
    let text = file("template.yaml");
    for index in Template::embedded().unwrap().table.indexes.keys() {
        let dimension = format!("{{ Name: GlobalSecondaryIndexName, Value: {index} }}");
        assert_eq!(text.matches(&dimension).count(), 2, "{index}");
    }
}
