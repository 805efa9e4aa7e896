"""Tests rules that hold for all resources of a kind in template.yaml, after SAM's own translation.
Requires the Python of the SAM CLI."""

import json
import logging
import os
import pathlib
import unittest

from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

TEMPLATE = pathlib.Path(__file__).resolve().parent.parent.parent / "template.yaml"
NO_VALUE = {"Ref": "AWS::NoValue"}
BOUNDARY = {"Fn::If": ["HasBoundary", {"Ref": "PermissionsBoundaryArn"}, NO_VALUE]}
KEY = {"Fn::GetAtt": ["Key", "Arn"]}


def translate():
    document = yaml_parse(TEMPLATE.read_text())
    for resource in document["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/code"
    parameters = {name: parameter.get("Default") for name, parameter in document["Parameters"].items()}
    return document, Translator({}, Parser()).translate(document, parameter_values=parameters)


class TemplateTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        logging.disable(logging.ERROR)
        os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")
        cls.document, cls.translated = translate()
        cls.resources = cls.translated["Resources"]

    def of_type(self, kind):
        resources = {n: r["Properties"] for n, r in self.resources.items() if r["Type"] == kind}
        self.assertTrue(resources, kind)
        return resources.items()

    def properties(self, name):
        return self.resources[name]["Properties"]

    def test_every_role_can_have_a_permissions_boundary(self):
        for name, role in self.of_type("AWS::IAM::Role"):
            self.assertEqual(role.get("PermissionsBoundary"), BOUNDARY, name)

    def test_every_function_can_be_in_a_vpc_and_logs_json(self):
        for name, function in self.of_type("AWS::Lambda::Function"):
            self.assertEqual(function["VpcConfig"]["Fn::If"][0], "InVpc", name)
            self.assertEqual(function["LoggingConfig"]["LogFormat"], "JSON", name)

    def test_the_access_log_names_callers_only_as_an_option(self):
        self.assertEqual(self.document["Parameters"]["LogCallers"]["Default"], "false")
        stage = next(stage for _, stage in self.of_type("AWS::ApiGatewayV2::Stage"))
        settings = stage["AccessLogSettings"]
        text, variables = settings["Format"]["Fn::Sub"]
        condition, callers, default = variables["Caller"]["Fn::If"]
        self.assertEqual((condition, default), ("CallersAreLogged", ""))
        common = json.loads(text.replace("${Caller}", default))
        for value in common.values():
            self.assertNotRegex(value, "identity|authorizer")
        self.assertEqual(json.loads(text.replace("${Caller}", callers)), common | {
            "source_ip": "$context.identity.sourceIp", "sub": "$context.authorizer.claims.sub",
        })
        # Callers are in a group with its own retention, and the alarms count the lines of that group.
        arns = [{"Fn::GetAtt": [name, "Arn"]} for name in ["CallerLogs", "AccessLogs"]]
        self.assertEqual(settings["DestinationArn"], {"Fn::If": ["CallersAreLogged", *arns]})
        self.assertEqual(self.properties("CallerLogs")["RetentionInDays"], {"Ref": "CallerLogRetentionDays"})
        groups = [{"Ref": "CallerLogs"}, {"Ref": "AccessLogs"}]
        for name in ["Unauthenticated", "Forbidden"]:
            self.assertEqual(self.properties(name)["LogGroupName"], {"Fn::If": ["CallersAreLogged", *groups]})

    def test_jobs_can_be_switched_off(self):
        for name, schedule in self.of_type("AWS::Scheduler::Schedule"):
            self.assertEqual(schedule["State"], {"Ref": "Jobs"}, name)
        self.assertEqual(self.properties("Events")["DesiredState"], {"Fn::If": ["JobsRun", "RUNNING", "STOPPED"]})
        for name, alarm in self.of_type("AWS::CloudWatch::Alarm"):
            # If Jobs is DISABLED, jobs send no metrics. No alarm may treat that as a failure.
            self.assertNotEqual(alarm["TreatMissingData"], "breaching", name)

    def test_an_asynchronous_run_does_not_wait_for_hours(self):
        for name, config in self.of_type("AWS::Lambda::EventInvokeConfig"):
            self.assertEqual(config["MaximumEventAgeInSeconds"], 3600, name)

    def test_everything_that_holds_data_is_encrypted_with_the_key(self):
        for kind, path in [
            ("AWS::DynamoDB::Table", ["SSESpecification", "KMSMasterKeyId"]),
            ("AWS::Events::Archive", ["KmsKeyIdentifier"]),
            ("AWS::Events::EventBus", ["KmsKeyIdentifier"]),
            ("AWS::Logs::LogGroup", ["KmsKeyId"]),
            ("AWS::SQS::Queue", ["KmsMasterKeyId"]),
        ]:
            for name, properties in self.of_type(kind):
                for part in path:
                    properties = properties.get(part, {})
                self.assertEqual(properties, KEY, name)

    def test_the_key_can_be_used_by_the_bus_and_the_archive(self):
        policy = self.properties("Key")["KeyPolicy"]["Statement"]
        statement = next(s for s in policy if s.get("Sid") == "BusAndArchive")
        context = statement["Condition"]["StringEquals"]["kms:EncryptionContext:aws:events:event-bus:arn"]
        own, given = context["Fn::If"][1:]
        bus = self.properties("EventBus")["Name"]
        self.assertTrue(own["Fn::Sub"].endswith(":event-bus/${%s}" % bus["Ref"]), own)
        self.assertEqual(given, self.properties("EventArchive")["SourceArn"]["Fn::If"][2])

    def test_the_pipe_reads_the_kind_at_one_place_of_record_and_enrichment(self):
        target = self.properties("Events")["TargetParameters"]
        # `shared::events` tests that both have the kind there.
        self.assertEqual(target["EventBridgeEventBusParameters"]["DetailType"], "$.dynamodb.NewImage.kind.S")
        self.assertEqual(target["InputTemplate"], "<$.event>")

    def test_users_cannot_take_an_address_in_another_case_or_unverified(self):
        pool = self.properties("UserPool")
        self.assertEqual(pool["UsernameConfiguration"], {"CaseSensitive": False})
        settings = pool["UserAttributeUpdateSettings"]
        self.assertEqual(settings, {"AttributesRequireVerificationBeforeUpdate": ["email"]})

    def test_every_permission_is_a_scope_and_a_group(self):
        scopes = {scope["ScopeName"]: scope["ScopeDescription"] for scope in self.properties("Scopes")["Scopes"]}
        groups = {group["GroupName"]: group["Description"] for _, group in self.of_type("AWS::Cognito::UserPoolGroup")}
        self.assertEqual(groups, {f"kyc:{name}": text for name, text in scopes.items()})
        self.assertLessEqual({"audit", "export", "manage", "review"}, set(scopes))

    def test_expected_errors_are_no_failures(self):
        patterns = {
            name: properties["FilterPattern"] for name, properties in self.of_type("AWS::Logs::MetricFilter")
        }
        # `monitoring::sources` tests the levels of the lines.
        self.assertEqual(patterns["ServerErrors"], '{ $.status >= 500 && $.level = "ERROR" }')
        self.assertEqual(patterns["ExpectedErrors"], '{ $.status >= 500 && $.level = "INFO" }')

    def test_alarms_on_failed_requests_are_rates(self):
        for name in ["ServerErrorsAlarm", "GatewayErrorsAlarm", "UnauthenticatedAlarm", "ForbiddenAlarm"]:
            rate, *metrics = self.properties(name)["Metrics"]
            self.assertIn("/ requests", rate["Expression"], name)
            requests = next(m["MetricStat"]["Metric"] for m in metrics if m["Id"] == "requests")
            self.assertIn(requests["MetricName"], ["Requests", "Count"], name)

    def test_metrics_of_alarms_exist(self):
        """Metrics in the stack's namespace come from a filter or from a line of the functions."""
        filters = {
            transformation["MetricName"]
            for _, properties in self.of_type("AWS::Logs::MetricFilter")
            for transformation in properties["MetricTransformations"]
        }
        sources = "".join(
            path.read_text() for path in (TEMPLATE.parent / "shared/src").rglob("*.rs")
        )
        for name, alarm in self.of_type("AWS::CloudWatch::Alarm"):
            metrics = [m["MetricStat"]["Metric"] for m in alarm.get("Metrics", []) if "MetricStat" in m]
            for metric in metrics or [alarm]:
                if metric["Namespace"] == {"Ref": "AWS::StackName"} and metric["MetricName"] not in filters:
                    self.assertIn(f'"{metric["MetricName"]}"', sources, name)

    def test_an_alarm_on_hourly_runs_stays_on_between_them(self):
        for name in ["WatchlistRefusedAlarm", "WatchlistTooLargeAlarm", "RefreshFailedAlarm"]:
            alarm = self.properties(name)
            self.assertEqual((alarm["Period"], alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]), (3600, 2, 1))

    def test_a_stopped_pipe_of_a_quiet_stack_raises_an_alarm(self):
        """A change in every third hour is enough. Requests that change nothing do not count."""
        alarm = self.properties("StoppedPipeAlarm")
        periods = {metric["MetricStat"]["Period"] for metric in alarm["Metrics"] if "MetricStat" in metric}
        self.assertEqual(periods, {3600})
        self.assertEqual((alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]), (6, 2))
        # `redaction` tests which requests write a transaction.
        self.assertIn("$.transactions > 0", self.properties("Changes")["FilterPattern"])

    def test_the_documented_cost_of_alarms_is_that_of_their_metrics(self):
        metrics = 0
        for _, alarm in self.of_type("AWS::CloudWatch::Alarm"):
            metrics += sum("MetricStat" in metric for metric in alarm.get("Metrics", [])) or 1
        text = (TEMPLATE.parent / "docs/operations.md").read_text()
        row = next(line for line in text.splitlines() if line.startswith("| alarms | "))
        self.assertEqual(row, f"| alarms | {metrics / 10:.2f}: 0.10 for each of {metrics} metrics |")

    def test_daily_and_weekly_passes_have_a_time_of_day(self):
        for name in ["DailySchedule", "WeeklySchedule", "ReconcileSchedule"]:
            self.assertTrue(self.document["Parameters"][name]["Default"].startswith("cron("), name)

    def test_every_parameter_has_a_group_and_is_used(self):
        groups = self.document["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
        grouped = [name for group in groups for name in group["Parameters"]]
        self.assertEqual(sorted(grouped), sorted(self.document["Parameters"]))
        text = TEMPLATE.read_text()
        for name in grouped:
            self.assertTrue(f"!Ref {name}" in text or "${%s}" % name in text, name)


if __name__ == "__main__":
    unittest.main()
