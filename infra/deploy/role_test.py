"""Tests that the role of CloudFormation in deploy-role.yaml can create, change, tag and delete every
resource of template.yaml. The permissions come from the schemas of the resource types, which cfn-lint
ships: each schema lists what its handlers call. Requires cfn-lint and the Python of the SAM CLI."""

import collections
import fnmatch
import json
import logging
import os
import pathlib
import sys

import cfnlint
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

HERE = pathlib.Path(__file__).resolve().parent
TEMPLATE = HERE.parent.parent / "template.yaml"
ROLES = HERE / "deploy-role.yaml"
SCHEMAS = pathlib.Path(cfnlint.__file__).parent / "data/schemas"
REGION = "eu-central-1"
HANDLERS = ["create", "update", "delete", "read"]

# Permissions that only some properties of a type need. The test fails if the template sets one of the
# properties, or if the schema no longer names one of the permissions. `Name` is a property of the
# resource, `Name.Other` a property inside it, and `Names.*.Other` one inside an element of a list.
UNUSED = [
    ("AWS::ApiGatewayV2::DomainName", ["MutualTlsAuthentication"], ["s3:GetObjectVersion"]),
    ("AWS::Cognito::UserPool", ["LambdaConfig.KMSKeyID"], [
        "kms:CreateGrant", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey",
        "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo",
    ]),
    # Only a custom domain has a distribution and a certificate. The stack uses a prefix of Cognito's domain.
    ("AWS::Cognito::UserPoolDomain", ["CustomDomainConfig"], [
        "cloudfront:updateDistribution", "cognito-idp:UpdateUserPoolDomain", "kms:CreateGrant",
        "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
    ]),
    ("AWS::DynamoDB::Table", ["Replicas", "ReplicaSpecification"], [
        "dynamodb:AssociateTableReplica", "dynamodb:BatchWriteItem", "dynamodb:CreateTableReplica",
        "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query",
        "dynamodb:Scan", "dynamodb:UpdateItem",
    ]),
    ("AWS::DynamoDB::Table", ["ImportSourceSpecification"], [
        "dynamodb:ImportTable", "logs:CreateLogStream", "logs:DescribeLogStreams",
        "logs:PutLogEvents", "s3:GetObjectMetadata",
    ]),
    ("AWS::DynamoDB::Table", ["KinesisStreamSpecification"], [
        "dynamodb:DisableKinesisStreamingDestination", "dynamodb:EnableKinesisStreamingDestination",
        "dynamodb:UpdateKinesisStreamingDestination", "kinesis:DescribeStream", "kinesis:PutRecords",
    ]),
    ("AWS::DynamoDB::Table", ["ContributorInsightsSpecification"], ["dynamodb:UpdateContributorInsights"]),
    ("AWS::DynamoDB::Table", ["ResourcePolicy", "StreamSpecification.ResourcePolicy"], [
        "dynamodb:DeleteResourcePolicy", "dynamodb:PutResourcePolicy",
    ]),
    ("AWS::Events::EventBus", ["Policy"], ["events:PutPermission", "events:RemovePermission"]),
    ("AWS::Lambda::Function", ["FileSystemConfigs"], [
        "elasticfilesystem:DescribeMountTargets", "s3files:ListMountTargets",
    ]),
    ("AWS::Lambda::Function", ["KmsKeyArn", "Code.SourceKMSKeyArn"], [
        "kms:CreateGrant", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey",
    ]),
    # SAM uploads each build under a new name, and does not name versions of objects.
    ("AWS::Lambda::Function", ["Code.S3ObjectVersion"], ["s3:GetObjectVersion"]),
    ("AWS::Logs::LogGroup", ["DataProtectionPolicy"], [
        "firehose:TagDeliveryStream", "logs:DeleteDataProtectionPolicy",
        "logs:PutDataProtectionPolicy", "s3:REST.PUT.OBJECT",
    ]),
    ("AWS::Logs::LogGroup", ["FieldIndexPolicies"], ["logs:DeleteIndexPolicy", "logs:PutIndexPolicy"]),
    ("AWS::Logs::LogGroup", ["ResourcePolicyDocument"], ["logs:DeleteResourcePolicy"]),
    ("AWS::Logs::LogGroup", ["DeletionProtectionEnabled"], ["logs:PutLogGroupDeletionProtection"]),
    ("AWS::Logs::LogGroup", ["BearerTokenAuthenticationEnabled"], ["logs:PutBearerTokenAuthentication"]),
    ("AWS::Pipes::Pipe", ["KmsKeyIdentifier"], ["kms:Decrypt", "kms:GenerateDataKey"]),
    ("AWS::Pipes::Pipe", ["LogConfiguration.FirehoseLogDestination"], ["firehose:TagDeliveryStream"]),
    ("AWS::S3::Bucket", ["AccelerateConfiguration"], ["s3:PutAccelerateConfiguration"]),
    ("AWS::S3::Bucket", ["AccessControl"], ["s3:PutObjectAcl"]),
    ("AWS::S3::Bucket", ["AnalyticsConfigurations"], [
        "s3:DeleteBucketAnalyticsConfiguration", "s3:PutAnalyticsConfiguration",
    ]),
    ("AWS::S3::Bucket", ["CorsConfiguration"], ["s3:DeleteBucketCors"]),
    ("AWS::S3::Bucket", ["IntelligentTieringConfigurations"], ["s3:PutIntelligentTieringConfiguration"]),
    ("AWS::S3::Bucket", ["InventoryConfigurations"], ["s3:PutInventoryConfiguration"]),
    ("AWS::S3::Bucket", ["MetadataConfiguration", "MetadataTableConfiguration"], [
        "s3:CreateBucketMetadataTableConfiguration", "s3:DeleteBucketMetadataTableConfiguration",
        "s3:UpdateBucketMetadataAnnotationTableConfiguration",
        "s3:UpdateBucketMetadataInventoryTableConfiguration",
        "s3:UpdateBucketMetadataJournalTableConfiguration", "s3tables:CreateNamespace",
        "s3tables:CreateTable", "s3tables:CreateTableBucket", "s3tables:GetTable",
        "s3tables:GetTableMetadataLocation", "s3tables:PutTableBucketPolicy",
        "s3tables:PutTableEncryption", "s3tables:PutTablePolicy", "s3tables:UpdateTableMetadataLocation",
    ]),
    ("AWS::S3::Bucket", ["MetricsConfigurations"], [
        "s3:DeleteBucketMetricsConfiguration", "s3:PutMetricsConfiguration",
    ]),
    ("AWS::S3::Bucket", ["ObjectLockConfiguration", "ObjectLockEnabled"], ["s3:PutObjectLockConfiguration"]),
    ("AWS::S3::Bucket", ["ReplicationConfiguration"], [
        "s3:DeleteBucketReplication", "s3:DeleteObject", "s3:PutReplicationConfiguration",
    ]),
    ("AWS::S3::Bucket", ["WebsiteConfiguration"], ["s3:DeleteBucketWebsite"]),
]

# Permissions on the stack's key. Its key policy grants them to every principal of the account that calls
# through the service, so the role does not need them.
THROUGH_KEY_POLICY = [
    ("AWS::DynamoDB::Table", "dynamodb", [
        "kms:CreateGrant", "kms:Decrypt", "kms:Encrypt",
    ]),
    ("AWS::Events::Archive", "events", [
        "kms:Decrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo",
    ]),
    ("AWS::Events::EventBus", "events", [
        "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo",
    ]),
]

# Permissions that the schemas do not name.
ALSO_NEEDED = {
    # A stage delivers its access log.
    "AWS::ApiGatewayV2::Stage": [
        "logs:CreateLogDelivery", "logs:DescribeResourcePolicies", "logs:PutResourcePolicy",
    ],
    # An archive has a rule on its bus, which EventBridge creates with the permissions of the caller.
    "AWS::Events::Archive": [
        "events:DeleteRule", "events:PutRule", "events:PutTargets", "events:RemoveTargets",
    ],
}

# Other permissions that the role does not have, each with the reason.
NOT_NEEDED = {
    ("AWS::DynamoDB::Table", "kms:ListAliases"): "the template names the key by its ARN, not by an alias",
    ("AWS::S3::Bucket", "s3:DeleteBucketEncryption"): "no action of IAM: s3:PutEncryptionConfiguration allows it",
    ("AWS::S3::Bucket", "s3:DeleteBucketLifecycle"): "no action of IAM: s3:PutLifecycleConfiguration allows it",
    ("AWS::S3::Bucket", "s3:DeleteBucketTagging"): "no action of IAM: s3:PutBucketTagging allows it",
    ("AWS::DynamoDB::Table", "kms:RevokeGrant"): "DynamoDB revokes its own grant, and only when another key replaces the key",
}


def translated(document):
    """Returns the resources that SAM generates from a template."""
    for resource in document["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/code"
    parameters = {name: parameter.get("Default") for name, parameter in document["Parameters"].items()}
    return Translator({}, Parser()).translate(document, parameter_values=parameters)["Resources"]


def schema(kind):
    files = json.loads((SCHEMAS / f"providers/{REGION}.json").read_text())
    return json.loads((SCHEMAS / f"resources/{files[kind]}.json").read_text())


def needed(kind):
    """Returns the permissions that a resource type needs, each with the handlers that need it."""
    described, permissions = schema(kind), collections.defaultdict(set)
    for handler in HANDLERS:
        for permission in described.get("handlers", {}).get(handler, {}).get("permissions", []):
            permissions[permission].add(handler)
    for permission in ALSO_NEEDED.get(kind, []):
        permissions[permission].add("not in the schema")
    # A deployment with `--tags` tags all resources.
    for permission in described.get("tagging", {}).get("permissions", []):
        permissions[permission].add("tags")
    return permissions


def allowed(statements, permission):
    patterns = [action for statement in statements for action in listed(statement["Action"])]
    return any(fnmatch.fnmatchcase(permission.lower(), pattern.lower()) for pattern in patterns)


def listed(value):
    return value if isinstance(value, list) else [value]


def first_branch(value):
    """Returns the value of an `Fn::If` if its condition holds. Returns any other value unchanged."""
    return value["Fn::If"][1] if "Fn::If" in value else value


def sets(value, path):
    """Returns whether a value has the property at the path, also in a branch of a condition."""
    if not path:
        return value != {"Ref": "AWS::NoValue"}
    if isinstance(value, list):
        return any(sets(element, path) for element in value)
    if not isinstance(value, dict):
        return False
    if "Fn::If" in value:
        return any(sets(branch, path) for branch in value["Fn::If"][1:])
    return path[0] in value and sets(value[path[0]], path[1:])


def key_policy_grants(template, service, permission):
    """Returns whether the key's policy grants the permission to callers of a service."""
    statements = template["Resources"]["Key"]["Properties"]["KeyPolicy"]["Statement"]
    for statement in statements:
        services = statement.get("Condition", {}).get("StringEquals", {}).get("kms:ViaService", [])
        if any(via["Fn::Sub"].startswith(f"{service}.") for via in services):
            return allowed([statement], permission)
    return False


def faults():
    template = yaml_parse(TEMPLATE.read_text())
    resources = translated(yaml_parse(TEMPLATE.read_text()))
    role = yaml_parse(ROLES.read_text())["Resources"]["StackRole"]["Properties"]
    statements = [
        statement
        for policy in role["Policies"]
        for statement in first_branch(policy)["PolicyDocument"]["Statement"]
    ]
    by_type = collections.defaultdict(list)
    for resource in resources.values():
        by_type[resource["Type"]].append(resource.get("Properties", {}))
    excused = collections.defaultdict(set)
    for kind, properties, permissions in UNUSED:
        for path in properties:
            if any(sets(resource, path.split(".")) for resource in by_type[kind]):
                yield f"{kind}: the template sets {path}, so its permissions are needed"
        excused[kind].update(permissions)
    for kind, service, permissions in THROUGH_KEY_POLICY:
        for permission in permissions:
            # The schema names an action that IAM does not have.
            action = "kms:ReEncryptTo" if permission == "kms:ReEncrypt" else permission
            if not key_policy_grants(template, service, action):
                yield f"{kind}: the key policy does not grant {permission} through {service}"
        excused[kind].update(permissions)
    for kind, permission in NOT_NEEDED:
        excused[kind].add(permission)
    for kind in sorted(by_type):
        permissions = needed(kind)
        if not permissions:
            yield f"{kind}: the schema names no permissions"
        for permission, handlers in sorted(permissions.items()):
            if permission not in excused[kind] and not allowed(statements, permission):
                yield f"{kind}: the role lacks {permission} ({', '.join(sorted(handlers))})"
        for permission in sorted(excused[kind] - set(permissions)):
            yield f"{kind}: the schema does not name {permission}; remove it from the list"
        for permission in sorted(excused[kind]):
            if allowed(statements, permission) and not permission.startswith("kms:"):
                yield f"{kind}: the role has {permission}; remove it from the list"


def main():
    logging.disable(logging.ERROR)
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
    problems = list(faults())
    if problems:
        sys.exit("\n".join(problems))
    print("the role has every permission that the schemas of the template's resources name")


if __name__ == "__main__":
    main()
