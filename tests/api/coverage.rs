//! Checks that all places that repeat the same information agree: the routes, parameters, alarms
//! and resources of the template, the function crates, the OpenAPI document, the matrix, the README
//! and other documents.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use api_tests::{Api, Persona};
use local::openapi;
use local::template::{LOCAL_PARAMETERS, Template};

use crate::matrix::ROWS;

/// Reads a file of the repository.
fn file(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
}

fn routes() -> BTreeSet<String> {
    Template::embedded().unwrap().routes().map(|(_, route)| route.key()).collect()
}

#[test]
fn every_route_has_a_row_in_the_matrix() {
    let rows: BTreeSet<String> = ROWS.iter().map(|row| row.route.to_owned()).collect();
    let template = Template::embedded().unwrap();
    let routes = template.routes().filter(|(_, route)| !route.is_public);
    assert_eq!(rows, routes.map(|(_, route)| route.key()).collect());
    assert_eq!(rows.len(), ROWS.len(), "the matrix contains a route twice");
}

#[test]
fn every_function_crate_is_in_the_template() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions");
    let crates: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let functions = Template::embedded().unwrap().functions;
    assert_eq!(crates, functions.iter().map(|function| function.name.clone()).collect());
}

/// `sam build` builds the binary of the crate in the function's `CodeUri`, so both must have the
/// same name.
#[test]
fn the_code_uri_of_every_function_is_the_crate_of_its_binary() {
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
fn the_committed_openapi_document_is_up_to_date() {
    let fresh = openapi::yaml(&Template::embedded().unwrap()).unwrap();
    assert!(
        fresh == file("infra/openapi.yaml"),
        "infra/openapi.yaml is stale. Run: cargo run -- openapi > infra/openapi.yaml"
    );
}

#[test]
fn every_reference_of_the_openapi_document_resolves() {
    let json = openapi::document(&Template::embedded().unwrap()).unwrap().to_json().unwrap();
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    let references: BTreeSet<&str> =
        json.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(references.len() > 10);
    for reference in references {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
}

#[test]
fn the_route_table_of_the_readme_matches_the_template() {
    let readme = file("README.md");
    let lines = readme.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let listed: BTreeSet<String> =
        lines.filter(|cell| cell.contains(" /")).map(str::to_owned).collect();
    assert_eq!(listed, routes());
}

#[test]
fn every_local_parameter_is_a_parameter_of_the_template() {
    let template = file("template.yaml");
    for (parameter, _) in LOCAL_PARAMETERS {
        assert!(template.contains(&format!("\n  {parameter}:\n    Type:")), "{parameter}");
    }
}

#[test]
fn every_alarm_is_documented() {
    let template = file("template.yaml");
    let alarms: BTreeSet<&str> = template
        .split(":\n    Type: AWS::CloudWatch::Alarm\n")
        .filter_map(|text| text.rsplit('\n').next())
        .filter(|name| name.ends_with("Alarm"))
        .map(str::trim)
        .collect();
    let document = file("docs/operations.md");
    let rows = document.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.filter_map(|line| line.split('|').nth(1));
    let names = cells.flat_map(|cell| cell.split('`')).filter(|name| name.ends_with("Alarm"));
    assert_eq!(names.collect::<BTreeSet<_>>(), alarms);
    assert!(alarms.len() > 10);
}

#[test]
fn the_routes_of_cargo_lambda_watch_match_the_template() {
    let manifest = file("Cargo.toml");
    let lines = manifest.lines().filter_map(|line| line.trim().strip_prefix("{ path = \""));
    let watch_routes: BTreeSet<String> = lines
        .map(|line| {
            let parts: Vec<&str> = line.split('"').collect();
            let methods = parts[2..parts.len() - 2].iter().filter(|part| !part.contains(' '));
            let methods: Vec<&str> = methods.filter(|part| !part.is_empty()).copied().collect();
            format!("{} {} {}", methods.join(","), parts[0], parts[parts.len() - 2])
        })
        .collect();
    let template_routes: BTreeSet<String> = Template::embedded()
        .unwrap()
        .routes()
        .map(|(function, route)| {
            let methods = if route.method == "GET" { "GET,HEAD" } else { &route.method };
            format!("{methods} {} {}", route.path, function.name)
        })
        .collect();
    assert_eq!(watch_routes, template_routes);
}

fn resources(path: &str) -> yaml_serde::Mapping {
    let document: yaml_serde::Value = yaml_serde::from_str(&file(path)).unwrap();
    document["Resources"].as_mapping().unwrap().clone()
}

/// Adds the paths of all Rust files below a folder.
fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// A publisher's server must not be able to redirect a deployed function to the function's own
/// machine. Neither a setting nor any code in a function allows such connections.
#[test]
fn only_the_local_server_allows_lists_from_its_own_machine() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for folder in ["functions", "shared", "infra"] {
        rust_files(&root.join(folder), &mut files);
    }
    files.retain(|file| std::fs::read_to_string(file).unwrap().contains("LocalServers::Allowed"));
    files.retain(|file| !file.ends_with("shared/src/monitoring/source.rs"));
    let files: Vec<&Path> = files.iter().map(|file| file.strip_prefix(&root).unwrap()).collect();
    assert_eq!(files, [Path::new("infra/local/src/server.rs")]);
}

/// A refresh refuses lists that do not fit into the memory that the template passes to it.
#[test]
fn a_refresh_knows_the_memory_of_every_function_that_opens_lists() {
    let template: yaml_serde::Value = yaml_serde::from_str(&file("template.yaml")).unwrap();
    let default = &template["Globals"]["Function"]["MemorySize"];
    let resources = template["Resources"].as_mapping().unwrap();
    let settings = &resources["RefreshWatchlists"]["Properties"]["Environment"]["Variables"];
    let mut opening = 0;
    for (name, resource) in resources {
        let properties = &resource["Properties"];
        let text = yaml_serde::to_string(&properties["Policies"]).unwrap();
        if resource["Type"] != "AWS::Serverless::Function" || !text.contains("${Lists.Arn}/lists/")
        {
            continue;
        }
        opening += 1;
        let memory = properties.get("MemorySize").unwrap_or(default);
        let passed = [&settings["MEMORY_SIZE"], &settings["RESCREEN_MEMORY_SIZE"]];
        assert!(passed.contains(&memory), "{name:?} has the memory {memory:?}");
    }
    assert!(opening >= 4);
}

/// A Pipe can send at most 10 events to a bus in one call.
#[test]
fn a_batch_of_the_pipe_fits_into_one_call_to_the_bus() {
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
    // Each variable adds alarms that exist only under a condition.
    let variables = [("OfTheJobs", "JobsRun"), ("OfTheUserPool", "OwnUserPool")]
        .map(|(variable, condition)| (variable, conditional_text(&variables[variable]), condition));
    for holds in [[true, true], [true, false], [false, true], [false, false]] {
        let mut filled = text.as_str().unwrap().to_owned();
        let mut conditions = BTreeSet::new();
        for ((variable, text, condition), holds) in variables.iter().zip(holds) {
            filled = filled.replace(&format!("${{{variable}}}"), if holds { text } else { "" });
            conditions.extend(holds.then_some(*condition));
        }
        let dashboard: serde_json::Value = serde_json::from_str(&filled).unwrap();
        let alarms = &dashboard["widgets"][0]["properties"]["alarms"];
        let displayed: BTreeSet<&str> =
            alarms.as_array().unwrap().iter().map(|alarm| alarm.as_str().unwrap()).collect();
        let exists = |resource: &yaml_serde::Value| {
            let condition = resource.get("Condition").map(|name| name.as_str().unwrap());
            condition.is_none_or(|name| conditions.contains(name))
        };
        let expected: Vec<String> = resources("template.yaml")
            .iter()
            .filter(|(_, resource)| {
                resource["Type"] == "AWS::CloudWatch::Alarm" && exists(resource)
            })
            .map(|(name, _)| format!("${{{}.Arn}}", name.as_str().unwrap()))
            .collect();
        assert_eq!(displayed, expected.iter().map(String::as_str).collect());
    }
}

/// Returns the text of the `!Sub` that an `!If` selects when its condition is true.
fn conditional_text(value: &yaml_serde::Value) -> &str {
    let yaml_serde::Value::Tagged(condition) = value else { panic!("{value:?} is not an !If") };
    let yaml_serde::Value::Tagged(text) = &condition.value[1] else {
        panic!("the !If contains no !Sub")
    };
    text.value.as_str().unwrap()
}

#[test]
fn every_index_has_alarms_for_throttled_reads_and_writes() {
    let text = file("template.yaml");
    for index in Template::embedded().unwrap().table.indexes.keys() {
        let dimension = format!("{{ Name: GlobalSecondaryIndexName, Value: {index} }}");
        assert_eq!(text.matches(&dimension).count(), 2, "{index}");
    }
}
