"""Expands AWS::Serverless::HttpApi and its events to plain API Gateway resources, and checks that the
rest of the template is unchanged.

The emulator creates an AWS::Serverless::HttpApi without its routes, because it does not read the
definition that SAM generates for them. The emulator transforms all other resources of SAM.
Resources that the emulator cannot create are left out, and printed with the reason.
"""

import argparse
import copy
import json
import pathlib
import sys

from samcli.yamlhelper import yaml_parse

FUNCTION = "AWS::Serverless::Function"
HTTP_API = "AWS::Serverless::HttpApi"

# Properties of AWS::Serverless::HttpApi that its stage has under the same name.
STAGE_PROPERTIES = ["AccessLogSettings", "DefaultRouteSettings", "RouteSettings", "StageVariables"]
# Properties that the plain API has with the same name.
API_PROPERTIES = ["CorsConfiguration", "Description", "DisableExecuteApiEndpoint"]


class ExpansionError(Exception):
    """The template cannot be expanded, or the result is not equivalent to it."""


def of_type(document, kind):
    return {
        name: resource
        for name, resource in document["Resources"].items()
        if resource.get("Type") == kind
    }


def check_known(where, properties, known):
    unknown = sorted(set(properties) - set(known))
    if unknown:
        raise ExpansionError(f"{where}: {', '.join(unknown)} is not supported")


def routes(document):
    """Returns a sorted tuple for each HttpApi event: API, method, path, function, authorizer, scopes and
    timeout."""
    apis = of_type(document, HTTP_API)
    result = []
    for name, function in of_type(document, FUNCTION).items():
        for event in function["Properties"].get("Events", {}).values():
            if event["Type"] != "HttpApi":
                continue
            properties = event["Properties"]
            where = f"{name}'s HttpApi event"
            check_known(where, properties, ["ApiId", "Auth", "Method", "Path", "TimeoutInMillis"])
            api = properties["ApiId"].get("Ref") if isinstance(properties["ApiId"], dict) else None
            if api not in apis:
                raise ExpansionError(f"{where} must refer to an API of this template")
            auth = properties.get("Auth", {})
            check_known(where, auth, ["Authorizer", "AuthorizationScopes"])
            default = apis[api]["Properties"].get("Auth", {}).get("DefaultAuthorizer")
            authorizer = auth.get("Authorizer", default)
            authorizer = None if authorizer == "NONE" else authorizer
            scopes = tuple(auth.get("AuthorizationScopes", []))
            timeout = properties.get("TimeoutInMillis")
            method = properties["Method"].upper()
            result.append((api, method, properties["Path"], name, authorizer, scopes, timeout))
    return sorted(result, key=str)


def capitalised(value):
    """Converts a JwtConfiguration to the property names of CloudFormation. The value may be an `Fn::If`."""
    if "Fn::If" in value:
        condition, *branches = value["Fn::If"]
        return {"Fn::If": [condition, *map(capitalised, branches)]}
    check_known("JwtConfiguration", value, ["issuer", "audience"])
    return {"Issuer": value["issuer"], "Audience": value["audience"]}


def alias_of(document, function):
    everywhere = document.get("Globals", {}).get("Function", {}).get("AutoPublishAlias")
    return function["Properties"].get("AutoPublishAlias", everywhere)


def authorizer_id(api, authorizer):
    return f"{api}{authorizer}Authorizer"


def expand_api(document, name, resource):
    properties = resource["Properties"]
    known = ["Auth", "FailOnWarnings", "Name", *API_PROPERTIES, *STAGE_PROPERTIES]
    check_known(name, properties, known)
    auth = properties.get("Auth", {})
    check_known(f"{name}'s Auth", auth, ["Authorizers", "DefaultAuthorizer"])
    plain = {key: properties[key] for key in API_PROPERTIES if key in properties}
    api = {
        "Type": "AWS::ApiGatewayV2::Api",
        "Properties": {
            "Name": properties.get("Name", {"Ref": "AWS::StackName"}),
            "ProtocolType": "HTTP",
            **plain,
        },
    }
    # The API keeps its condition and its policies.
    api.update({key: value for key, value in resource.items() if key not in api})
    settings = {key: properties[key] for key in STAGE_PROPERTIES if key in properties}
    added = {
        # SAM gives the stage the same name.
        f"{name}ApiGatewayDefaultStage": {
            "Type": "AWS::ApiGatewayV2::Stage",
            "Properties": {
                "ApiId": {"Ref": name},
                "StageName": "$default",
                "AutoDeploy": True,
                **settings,
            },
        }
    }
    for authorizer, spec in auth.get("Authorizers", {}).items():
        check_known(authorizer, spec, ["IdentitySource", "JwtConfiguration"])
        added[authorizer_id(name, authorizer)] = {
            "Type": "AWS::ApiGatewayV2::Authorizer",
            "Properties": {
                "ApiId": {"Ref": name},
                "AuthorizerType": "JWT",
                "IdentitySource": [spec["IdentitySource"]],
                "JwtConfiguration": capitalised(spec["JwtConfiguration"]),
                "Name": authorizer,
            },
        }
    document["Resources"][name] = api
    return added


def expand_route(document, index, route):
    api, method, path, name, authorizer, scopes, timeout = route
    alias = alias_of(document, document["Resources"][name])
    invoked = "${%s.Alias}" % name if alias else "${%s.Arn}" % name
    uri = (
        "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/"
        f"{invoked}/invocations"
    )
    source = (
        "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:"
        + "${%s}/*/%s%s" % (api, method, "".join(stars(path)))
    )
    base = f"{api}{name}{index}"
    authorized = {"AuthorizationType": "NONE"}
    if authorizer:
        reference = {"Ref": authorizer_id(api, authorizer)}
        authorized = {"AuthorizationType": "JWT", "AuthorizerId": reference}
    if scopes:
        authorized["AuthorizationScopes"] = list(scopes)
    return {
        f"{base}Integration": {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {
                "ApiId": {"Ref": api},
                "IntegrationType": "AWS_PROXY",
                "IntegrationMethod": "POST",
                "IntegrationUri": {"Fn::Sub": uri},
                "PayloadFormatVersion": "2.0",
                **({"TimeoutInMillis": timeout} if timeout else {}),
            },
        },
        f"{base}Route": {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                "ApiId": {"Ref": api},
                "RouteKey": f"{method} {path}",
                "Target": {"Fn::Sub": "integrations/${%sIntegration}" % base},
                **authorized,
            },
        },
        f"{base}Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Ref": f"{name}.Alias" if alias else name},
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": {"Fn::Sub": source},
            },
        },
    }


def stars(path):
    for part in path.split("/")[1:]:
        yield "/*" if part.startswith("{") else f"/{part}"


def refers(value, name):
    """Returns whether a value refers to the resource."""
    if isinstance(value, dict):
        if value.get("Ref") == name or value.get("DependsOn") == name:
            return True
        attribute = value.get("Fn::GetAtt")
        if attribute is not None:
            target = attribute if isinstance(attribute, str) else attribute[0]
            if target.split(".")[0] == name:
                return True
        return any(refers(part, name) for part in value.values())
    if isinstance(value, list):
        return any(refers(part, name) for part in value)
    return isinstance(value, str) and ("${%s}" % name in value or "${%s." % name in value)


def leave_out(document, known_types, left_out):
    """Removes what the emulator cannot create. Adds the reasons to `left_out`."""
    globals_ = document.get("Globals", {}).get("Function", {})
    locations = [("Globals.Function", globals_)]
    locations += [
        (name, resource["Properties"]) for name, resource in of_type(document, FUNCTION).items()
    ]
    for where, properties in locations:
        if properties.pop("DeploymentPreference", None) is not None:
            left_out[f"{where}.DeploymentPreference"] = "the emulator has no CodeDeploy"
    for name, resource in list(document["Resources"].items()):
        kind = resource["Type"]
        if kind in known_types or kind.startswith("AWS::Serverless::"):
            continue
        del document["Resources"][name]
        if refers(document, name):
            raise ExpansionError(f"{name} cannot be left out, because another resource refers to it")
        left_out[name] = f"the emulator has no {kind}"


def replace_expression_alarms(document, left_out):
    """Removes alarms on an expression, which the emulator does not support. Returns alarms on the first
    metric of each expression."""
    replacements = {}
    for name, alarm in of_type(document, "AWS::CloudWatch::Alarm").items():
        if "Metrics" not in alarm["Properties"]:
            continue
        resource = document["Resources"].pop(name)
        properties = resource["Properties"]
        stat = next(m["MetricStat"] for m in properties.pop("Metrics") if "MetricStat" in m)
        properties |= {**stat["Metric"], "Period": stat["Period"], "Statistic": stat["Stat"]}
        replacements[name] = {**resource, "Properties": properties}
        left_out[name] = "the emulator has no metric math; the alarm is on the first metric instead"
    return replacements


def expand(before, known_types):
    """Returns the expanded template, the added resources, and what was left out with the reasons."""
    document = copy.deepcopy(before)
    left_out = {}
    leave_out(document, known_types, left_out)
    added = replace_expression_alarms(document, left_out)
    for name, resource in of_type(before, HTTP_API).items():
        if "FailOnWarnings" in resource["Properties"]:
            left_out[f"{name}.FailOnWarnings"] = "it affects imported definitions, and the template has none"
        added.update(expand_api(document, name, resource))
    all_routes = routes(before)
    for index, route in enumerate(all_routes):
        added.update(expand_route(document, index, route))
    for function in of_type(document, FUNCTION).values():
        properties = function["Properties"]
        events = properties.get("Events", {})
        rest = {key: event for key, event in events.items() if event["Type"] != "HttpApi"}
        if rest:
            properties["Events"] = rest
        else:
            properties.pop("Events", None)
    taken = set(added) & set(document["Resources"])
    if taken:
        raise ExpansionError(f"the template already has resources named {', '.join(sorted(taken))}")
    document["Resources"].update(added)
    return document, added, left_out


def expanded_routes(document):
    """Returns the same tuples as `routes`, read from plain API Gateway resources."""
    resources = document["Resources"]
    result = []
    for route in of_type(document, "AWS::ApiGatewayV2::Route").values():
        properties = route["Properties"]
        method, path = properties["RouteKey"].split(" ", 1)
        target = properties["Target"]["Fn::Sub"]
        integration = resources[target.removeprefix("integrations/${").removesuffix("}")]
        uri = integration["Properties"]["IntegrationUri"]["Fn::Sub"]
        function = uri.split("/functions/${")[1].split(".")[0]
        authorizer = properties.get("AuthorizerId", {}).get("Ref")
        if authorizer:
            authorizer = resources[authorizer]["Properties"]["Name"]
        scopes = tuple(properties.get("AuthorizationScopes", []))
        timeout = integration["Properties"].get("TimeoutInMillis")
        api = properties["ApiId"]["Ref"]
        if {"Ref": api} != integration["Properties"]["ApiId"]:
            raise ExpansionError(f"{properties['RouteKey']} and its integration belong to different APIs")
        result.append((api, method, path, function, authorizer, scopes, timeout))
    return sorted(result, key=str)


def without(document, paths):
    """Returns the document without the given paths, such as `Api.FailOnWarnings`. A path omits
    `Properties`."""
    document = copy.deepcopy(document)
    for path in paths:
        *parents, last = path.split(".")
        if parents[:1] == ["Globals"]:
            parent = document
        elif parents:
            parent = document["Resources"]
            parents = [parents[0], "Properties", *parents[1:]]
        else:
            parent = document["Resources"]
        for key in parents:
            parent = parent[key]
        del parent[last]
    return document


def check(before, after, added, left_out):
    """Checks that two documents are equivalent. Does not use the code that expanded the first document.
    Returns the number of routes and of unchanged resources."""
    expected, actual = routes(before), expanded_routes(after)
    if expected != actual:
        raise ExpansionError(f"the routes differ: {expected} and {actual}")
    if len({(api, method, path) for api, method, path, *_ in expected}) != len(expected):
        raise ExpansionError("two events have the same route")
    before = without(before, left_out)
    for section in sorted(set(before) | set(after)):
        if section != "Resources" and before.get(section) != after.get(section):
            raise ExpansionError(f"section {section} differs")
    apis = of_type(before, HTTP_API)
    kept = set(after["Resources"]) - set(added)
    if kept != set(before["Resources"]):
        raise ExpansionError(f"{kept ^ set(before['Resources'])} must be in both documents")
    for name in sorted(kept - set(apis)):
        original = copy.deepcopy(before["Resources"][name])
        if original["Type"] == FUNCTION:
            events = original["Properties"].get("Events", {})
            events = {key: event for key, event in events.items() if event["Type"] != "HttpApi"}
            original["Properties"].pop("Events", None)
            if events:
                original["Properties"]["Events"] = events
        if original != after["Resources"][name]:
            raise ExpansionError(f"{name} differs")
    for name, original in apis.items():
        api = after["Resources"][name]
        stage = after["Resources"][f"{name}ApiGatewayDefaultStage"]["Properties"]
        for key, value in original["Properties"].items():
            if key == "Auth":
                continue
            if api["Properties"].get(key) != value and stage.get(key) != value:
                raise ExpansionError(f"{name}.{key} is in neither the API nor its stage")
        for authorizer, spec in original["Properties"].get("Auth", {}).get("Authorizers", {}).items():
            properties = after["Resources"][authorizer_id(name, authorizer)]["Properties"]
            if properties["JwtConfiguration"] != capitalised(spec["JwtConfiguration"]):
                raise ExpansionError(f"{authorizer} differs")
            if properties["IdentitySource"] != [spec["IdentitySource"]]:
                raise ExpansionError(f"{authorizer} has a different IdentitySource")
    return len(expected), len(kept - set(apis))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("template", type=pathlib.Path)
    parser.add_argument("--types", type=pathlib.Path, help="file with the resource types of the emulator, one per line")
    parser.add_argument("--output", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    before = yaml_parse(arguments.template.read_text())
    known_types = set(arguments.types.read_text().split())
    try:
        after, added, left_out = expand(before, known_types)
        count, same = check(before, after, added, left_out)
    except ExpansionError as error:
        sys.exit(f"{arguments.template}: {error}")
    arguments.output.write_text(json.dumps(after, indent=1))
    print(f"{count} HttpApi events became {count} routes with the same method, path and function.")
    print(f"{same} other resources, and all parameters, conditions and outputs, are unchanged.")
    for name, reason in left_out.items():
        print(f"left out: {name} ({reason})")


if __name__ == "__main__":
    main()
