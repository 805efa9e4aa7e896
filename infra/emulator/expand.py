"""Writes out what AWS::Serverless::HttpApi and its events stand for, as plain API Gateway resources,
and proves that nothing else of the template changed.

The emulator creates an AWS::Serverless::HttpApi without its routes, because it does not read the
definition that SAM makes of them. Everything else of SAM is left to the emulator's own transform.
What the emulator cannot create is left out. Each thing that is left out is printed with the reason.
"""

import argparse
import copy
import json
import pathlib
import sys

from samcli.yamlhelper import yaml_parse

FUNCTION = "AWS::Serverless::Function"
HTTP_API = "AWS::Serverless::HttpApi"

# Properties of AWS::Serverless::HttpApi that a stage has under the same name.
OF_THE_STAGE = ["AccessLogSettings", "DefaultRouteSettings", "RouteSettings", "StageVariables"]


class Refused(Exception):
    """The template says something this program does not know how to write out."""


def of_type(document, kind):
    return {
        name: resource
        for name, resource in document["Resources"].items()
        if resource.get("Type") == kind
    }


def only_known(where, properties, known):
    unknown = sorted(set(properties) - set(known))
    if unknown:
        raise Refused(f"{where}: {', '.join(unknown)} is not known here")


def routes(document):
    """(API, method, path, function, authorizer, scopes) of every HttpApi event."""
    apis = of_type(document, HTTP_API)
    found = []
    for name, function in of_type(document, FUNCTION).items():
        for event in function["Properties"].get("Events", {}).values():
            if event["Type"] != "HttpApi":
                continue
            properties = event["Properties"]
            where = f"{name}'s HttpApi event"
            only_known(where, properties, ["ApiId", "Auth", "Method", "Path", "TimeoutInMillis"])
            api = properties["ApiId"].get("Ref") if isinstance(properties["ApiId"], dict) else None
            if api not in apis:
                raise Refused(f"{where}: its API is not in this template")
            auth = properties.get("Auth", {})
            only_known(where, auth, ["Authorizer", "AuthorizationScopes"])
            default = apis[api]["Properties"].get("Auth", {}).get("DefaultAuthorizer")
            authorizer = auth.get("Authorizer", default)
            authorizer = None if authorizer == "NONE" else authorizer
            scopes = tuple(auth.get("AuthorizationScopes", []))
            timeout = properties.get("TimeoutInMillis")
            method = properties["Method"].upper()
            found.append((api, method, properties["Path"], name, authorizer, scopes, timeout))
    return sorted(found, key=str)


def capitalised(value):
    """A JwtConfiguration as CloudFormation spells it, whichever branch of a condition it is in."""
    if "Fn::If" in value:
        condition, *branches = value["Fn::If"]
        return {"Fn::If": [condition, *map(capitalised, branches)]}
    only_known("JwtConfiguration", value, ["issuer", "audience"])
    return {"Issuer": value["issuer"], "Audience": value["audience"]}


def alias_of(document, function):
    everywhere = document.get("Globals", {}).get("Function", {}).get("AutoPublishAlias")
    return function["Properties"].get("AutoPublishAlias", everywhere)


def authorizer_id(api, authorizer):
    return f"{api}{authorizer}Authorizer"


def expand_api(document, name, resource):
    properties = resource["Properties"]
    known = ["Auth", "Description", "FailOnWarnings", "Name", *OF_THE_STAGE]
    only_known(name, properties, known)
    auth = properties.get("Auth", {})
    only_known(f"{name}'s Auth", auth, ["Authorizers", "DefaultAuthorizer"])
    plain = {key: properties[key] for key in ["Description"] if key in properties}
    api = {
        "Type": "AWS::ApiGatewayV2::Api",
        "Properties": {
            "Name": properties.get("Name", {"Ref": "AWS::StackName"}),
            "ProtocolType": "HTTP",
            **plain,
        },
    }
    # Conditions and policies stay with the API.
    api.update({key: value for key, value in resource.items() if key not in api})
    settings = {key: properties[key] for key in OF_THE_STAGE if key in properties}
    added = {
        # The name SAM gives it.
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
        only_known(authorizer, spec, ["IdentitySource", "JwtConfiguration"])
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
    """Whether something in this value refers to the resource."""
    if isinstance(value, dict):
        if value.get("Ref") == name or value.get("DependsOn") == name:
            return True
        got = value.get("Fn::GetAtt")
        if got is not None and (got if isinstance(got, str) else got[0]).split(".")[0] == name:
            return True
        return any(refers(part, name) for part in value.values())
    if isinstance(value, list):
        return any(refers(part, name) for part in value)
    return isinstance(value, str) and ("${%s}" % name in value or "${%s." % name in value)


def leave_out(document, known_types, left_out):
    globals_ = document.get("Globals", {}).get("Function", {})
    places = [("Globals.Function", globals_)]
    places += [
        (name, resource["Properties"]) for name, resource in of_type(document, FUNCTION).items()
    ]
    for where, properties in places:
        if properties.pop("DeploymentPreference", None) is not None:
            left_out[f"{where}.DeploymentPreference"] = "the emulator has no CodeDeploy"
    for name, resource in list(document["Resources"].items()):
        kind = resource["Type"]
        if kind in known_types or kind.startswith("AWS::Serverless::"):
            continue
        del document["Resources"][name]
        if refers(document, name):
            raise Refused(f"{name} cannot be left out: something refers to it")
        left_out[name] = f"the emulator has no {kind}"


def stand_ins(document, left_out):
    """Alarms on an expression, which the emulator does not read: alarms on the first metric in it."""
    standing = {}
    for name, alarm in of_type(document, "AWS::CloudWatch::Alarm").items():
        if "Metrics" not in alarm["Properties"]:
            continue
        properties = document["Resources"].pop(name)["Properties"]
        stat = next(m["MetricStat"] for m in properties.pop("Metrics") if "MetricStat" in m)
        properties |= {**stat["Metric"], "Period": stat["Period"], "Statistic": stat["Stat"]}
        standing[name] = {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}
        left_out[name] = "the emulator has no metric math; an alarm on its first metric stands in"
    return standing


def expanded(before, known_types):
    document = copy.deepcopy(before)
    left_out = {}
    leave_out(document, known_types, left_out)
    added = stand_ins(document, left_out)
    for name, resource in of_type(before, HTTP_API).items():
        if "FailOnWarnings" in resource["Properties"]:
            left_out[f"{name}.FailOnWarnings"] = "it is about imported definitions, and none is"
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
        raise Refused(f"{', '.join(sorted(taken))} is a name the template has taken")
    document["Resources"].update(added)
    return document, added, left_out


def routes_written_out(document):
    """The same as `routes`, read from plain resources."""
    resources = document["Resources"]
    found = []
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
            raise Refused(f"{properties['RouteKey']} and its integration are of two APIs")
        found.append((api, method, path, function, authorizer, scopes, timeout))
    return sorted(found, key=str)


def without(document, paths):
    """The document without these `A.B.C`; a resource's property may be named without `Properties`."""
    document = copy.deepcopy(document)
    for path in paths:
        *parents, last = path.split(".")
        if parents[:1] == ["Globals"]:
            place = document
        elif parents:
            place = document["Resources"]
            parents = [parents[0], "Properties", *parents[1:]]
        else:
            place = document["Resources"]
        for parent in parents:
            place = place[parent]
        del place[last]
    return document


def check(before, after, added, left_out):
    """Read from the two documents alone: what the expansion itself believes does not count."""
    wanted, got = routes(before), routes_written_out(after)
    if wanted != got:
        raise Refused(f"the routes differ: {wanted} and {got}")
    if len({(api, method, path) for api, method, path, *_ in wanted}) != len(wanted):
        raise Refused("two events have the same route")
    before = without(before, left_out)
    for section in sorted(set(before) | set(after)):
        if section != "Resources" and before.get(section) != after.get(section):
            raise Refused(f"{section} differs")
    apis = of_type(before, HTTP_API)
    kept = set(after["Resources"]) - set(added)
    if kept != set(before["Resources"]):
        raise Refused(f"{kept ^ set(before['Resources'])} is not in both")
    for name in sorted(kept - set(apis)):
        was = copy.deepcopy(before["Resources"][name])
        if was["Type"] == FUNCTION:
            events = was["Properties"].get("Events", {})
            events = {key: event for key, event in events.items() if event["Type"] != "HttpApi"}
            was["Properties"].pop("Events", None)
            if events:
                was["Properties"]["Events"] = events
        if was != after["Resources"][name]:
            raise Refused(f"{name} differs")
    for name, was in apis.items():
        now = after["Resources"][name]
        stage = after["Resources"][f"{name}ApiGatewayDefaultStage"]["Properties"]
        for key, value in was["Properties"].items():
            if key == "Auth":
                continue
            if now["Properties"].get(key) != value and stage.get(key) != value:
                raise Refused(f"{name}.{key} is in neither the API nor its stage")
        for authorizer, spec in was["Properties"].get("Auth", {}).get("Authorizers", {}).items():
            written = after["Resources"][authorizer_id(name, authorizer)]["Properties"]
            if written["JwtConfiguration"] != capitalised(spec["JwtConfiguration"]):
                raise Refused(f"{authorizer} differs")
            if written["IdentitySource"] != [spec["IdentitySource"]]:
                raise Refused(f"{authorizer} reads another header")
    return len(wanted), len(kept - set(apis))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("template", type=pathlib.Path)
    parser.add_argument("--types", type=pathlib.Path, help="the emulator's resource types, one a line")
    parser.add_argument("--output", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    before = yaml_parse(arguments.template.read_text())
    known_types = set(arguments.types.read_text().split())
    try:
        after, added, left_out = expanded(before, known_types)
        count, same = check(before, after, added, left_out)
    except Refused as why:
        sys.exit(f"{arguments.template}: {why}")
    arguments.output.write_text(json.dumps(after, indent=1))
    print(f"{count} HttpApi events are {count} routes with the same method, path and function.")
    print(f"{same} other resources, and all parameters, conditions and outputs, are the same.")
    for what, why in left_out.items():
        print(f"left out: {what} ({why})")


if __name__ == "__main__":
    main()
