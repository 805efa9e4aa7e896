"""Tests that `expand.check` rejects every change of an expanded template."""

import copy
import pathlib
import unittest

from samcli.yamlhelper import yaml_parse

import expand

TEMPLATE = pathlib.Path(__file__).resolve().parents[2] / "template.yaml"


class CheckTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.before = yaml_parse(TEMPLATE.read_text())
        cls.types = {resource["Type"] for resource in cls.before["Resources"].values()}
        cls.after, cls.added, cls.left_out = expand.expand(cls.before, cls.types)

    def assert_rejected(self, change):
        after = copy.deepcopy(self.after)
        change(after["Resources"], after)
        with self.assertRaises(expand.ExpansionError):
            expand.check(self.before, after, self.added, self.left_out)

    def route(self, resources):
        return next(r for r in resources.values() if r["Type"] == "AWS::ApiGatewayV2::Route")

    def integrations(self, resources):
        return [r for r in resources.values() if r["Type"] == "AWS::ApiGatewayV2::Integration"]

    def test_an_unchanged_result_passes(self):
        routes, others = expand.check(self.before, self.after, self.added, self.left_out)
        self.assertGreater(routes, 10)
        self.assertGreater(others, routes)

    def test_a_missing_route(self):
        lost = next(name for name in self.added if name.endswith("Route"))
        self.assert_rejected(lambda resources, _: resources.pop(lost))

    def test_a_route_with_another_path_or_authorizer(self):
        for key, value in [
            ("RouteKey", "GET /elsewhere"),
            ("AuthorizerId", {}),
            ("AuthorizationScopes", ["kyc/read"]),
        ]:
            self.assert_rejected(lambda r, _: self.route(r)["Properties"].update({key: value}))

    def test_two_swapped_functions(self):
        def swap(resources, _):
            one, two, *_ = (i["Properties"] for i in self.integrations(resources))
            one["IntegrationUri"], two["IntegrationUri"] = (
                two["IntegrationUri"],
                one["IntegrationUri"],
            )

        self.assert_rejected(swap)

    def test_a_change_of_another_resource_or_section(self):
        def role(resources, _):
            del resources["GetCustomer"]["Properties"]["Policies"][0]["Statement"][0]

        self.assert_rejected(role)
        self.assert_rejected(lambda r, _: r["Table"]["Properties"].update(BillingMode="PROVISIONED"))
        self.assert_rejected(lambda r, _: r["Rescreen"]["Properties"]["Events"].popitem())
        self.assert_rejected(lambda r, _: r.pop("Lists"))
        self.assert_rejected(lambda r, _: r.update(More={"Type": "AWS::SQS::Queue"}))
        self.assert_rejected(lambda _, after: after["Parameters"].pop("MemorySize"))
        self.assert_rejected(lambda _, after: after["Globals"]["Function"].update(Timeout=30))
        self.assert_rejected(lambda _, after: after["Outputs"].popitem())

    def test_an_authorizer_with_another_issuer(self):
        def trust(resources, _):
            authorizer = next(
                r for r in resources.values() if r["Type"] == "AWS::ApiGatewayV2::Authorizer"
            )
            authorizer["Properties"]["JwtConfiguration"]["Issuer"] = "https://elsewhere.example"

        self.assert_rejected(trust)

    def test_an_alarm_on_an_expression_is_replaced(self):
        alarm = "TableWriteThrottlesAlarm"
        self.assertIn(alarm, self.left_out)
        properties = self.after["Resources"][alarm]["Properties"]
        self.assertEqual(properties["MetricName"], "WriteThrottleEvents")
        self.assertNotIn("Metrics", properties)
        alarms = {n: r for n, r in self.before["Resources"].items() if n.endswith("Alarm")}
        self.assertEqual(
            {n for n, r in alarms.items() if "Metrics" in r["Properties"]}, set(alarms) & set(self.left_out)
        )
        self.assertEqual(self.after["Resources"]["StoppedPipeAlarm"]["Condition"], "JobsRun")

    def test_an_unsupported_property_of_the_api(self):
        before = copy.deepcopy(self.before)
        before["Resources"]["Api"]["Properties"]["Domain"] = {"DomainName": "kyc.bank.example"}
        with self.assertRaises(expand.ExpansionError):
            expand.expand(before, self.types)

    def test_a_resource_that_cannot_be_left_out(self):
        with self.assertRaises(expand.ExpansionError):
            expand.expand(self.before, self.types - {"AWS::DynamoDB::Table"})


if __name__ == "__main__":
    unittest.main()
