"""What the expansion must notice: whatever is changed in its result is refused."""

import copy
import pathlib
import unittest

from samcli.yamlhelper import yaml_parse

import expand

TEMPLATE = pathlib.Path(__file__).resolve().parents[2] / "template.yaml"


class Changed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.before = yaml_parse(TEMPLATE.read_text())
        cls.types = {resource["Type"] for resource in cls.before["Resources"].values()}
        cls.after, cls.added, cls.left_out = expand.expanded(cls.before, cls.types)

    def refused(self, change):
        after = copy.deepcopy(self.after)
        change(after["Resources"], after)
        with self.assertRaises(expand.Refused):
            expand.check(self.before, after, self.added, self.left_out)

    def route(self, resources):
        return next(r for r in resources.values() if r["Type"] == "AWS::ApiGatewayV2::Route")

    def integrations(self, resources):
        return [r for r in resources.values() if r["Type"] == "AWS::ApiGatewayV2::Integration"]

    def test_nothing_changed(self):
        routes, others = expand.check(self.before, self.after, self.added, self.left_out)
        self.assertGreater(routes, 10)
        self.assertGreater(others, routes)

    def test_a_route_is_lost(self):
        lost = next(name for name in self.added if name.endswith("Route"))
        self.refused(lambda resources, _: resources.pop(lost))

    def test_a_route_has_another_path_or_no_authorizer(self):
        for key, value in [
            ("RouteKey", "GET /elsewhere"),
            ("AuthorizerId", {}),
            ("AuthorizationScopes", ["kyc/read"]),
        ]:
            self.refused(lambda r, _: self.route(r)["Properties"].update({key: value}))

    def test_two_functions_change_places(self):
        def swap(resources, _):
            one, two, *_ = (i["Properties"] for i in self.integrations(resources))
            one["IntegrationUri"], two["IntegrationUri"] = (
                two["IntegrationUri"],
                one["IntegrationUri"],
            )

        self.refused(swap)

    def test_something_else_of_the_template_is_touched(self):
        def role(resources, _):
            del resources["GetCustomer"]["Properties"]["Policies"][0]["Statement"][0]

        self.refused(role)
        self.refused(lambda r, _: r["Table"]["Properties"].update(BillingMode="PROVISIONED"))
        self.refused(lambda r, _: r["Rescreen"]["Properties"]["Events"].popitem())
        self.refused(lambda r, _: r.pop("Lists"))
        self.refused(lambda r, _: r.update(More={"Type": "AWS::SQS::Queue"}))
        self.refused(lambda _, after: after["Parameters"].pop("MemorySize"))
        self.refused(lambda _, after: after["Globals"]["Function"].update(Timeout=30))
        self.refused(lambda _, after: after["Outputs"].popitem())

    def test_the_authorizer_trusts_somebody_else(self):
        def trust(resources, _):
            of = next(r for r in resources.values() if r["Type"] == "AWS::ApiGatewayV2::Authorizer")
            of["Properties"]["JwtConfiguration"]["Issuer"] = "https://elsewhere.example"

        self.refused(trust)

    def test_an_alarm_on_an_expression_has_a_stand_in(self):
        alarm = "TableWriteThrottlesAlarm"
        self.assertIn(alarm, self.left_out)
        properties = self.after["Resources"][alarm]["Properties"]
        self.assertEqual(properties["MetricName"], "WriteThrottleEvents")
        self.assertNotIn("Metrics", properties)
        others = {n for n, r in self.before["Resources"].items() if n.endswith("Alarm")}
        self.assertEqual(len(others & set(self.left_out)), 2)

    def test_a_setting_of_the_api_is_not_known(self):
        before = copy.deepcopy(self.before)
        before["Resources"]["Api"]["Properties"]["CorsConfiguration"] = {"AllowOrigins": ["*"]}
        with self.assertRaises(expand.Refused):
            expand.expanded(before, self.types)

    def test_what_is_left_out_is_referred_to(self):
        with self.assertRaises(expand.Refused):
            expand.expanded(self.before, self.types - {"AWS::DynamoDB::Table"})


if __name__ == "__main__":
    unittest.main()
