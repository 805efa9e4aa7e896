"""Create, get and list customers with Powertools for AWS Lambda and boto3.

This peer follows the documentation of both. It uses the same rows of the same table as the functions
that it is compared with. One handler has three routes, as in the documentation of Powertools.
Clients are created once, outside the handler.
"""

import base64
import json
import os
import uuid
from datetime import datetime, timezone

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import (
    BadRequestError,
    NotFoundError,
    ServiceError,
    UnauthorizedError,
)
from aws_lambda_powertools.logging import correlation_paths
from boto3.dynamodb.conditions import Key

logger = Logger(service="customers")
app = APIGatewayHttpResolver()
table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])

KEYS = ("pk", "sk", "type", "tenant_pk", "risk_pk", "name_sk")
STRING_FIELDS = ("client_id", "website", "email", "phone", "industry", "incorporated_on")
PAGE = 20


def tenant() -> str:
    claims = app.current_event.request_context.authorizer.jwt_claim
    if "tenant_id" not in claims:
        raise UnauthorizedError("the token has no tenant")
    return claims["tenant_id"]


def profile(body: dict) -> dict:
    name = body.get("name")
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= 200:
        raise BadRequestError("name must have 1 to 200 characters")
    country = body.get("country")
    if country is not None and not (isinstance(country, str) and len(country) == 2 and country.isalpha()):
        raise BadRequestError("country must have two letters")
    entity_type = body.get("entity_type", "company")
    if entity_type not in ("company", "individual"):
        raise BadRequestError("entity_type must be company or individual")
    tags = body.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise BadRequestError("tags must be strings")
    strings = {field: body[field] for field in STRING_FIELDS if body.get(field) is not None}
    if not all(isinstance(value, str) and value for value in strings.values()):
        raise BadRequestError(f"{', '.join(STRING_FIELDS)} must be strings")
    fields = {"name": name.strip(), "entity_type": entity_type, "tags": tags, **strings}
    return {**fields, "country": country.upper()} if country else fields


def without_keys(item: dict) -> dict:
    return {name: value for name, value in item.items() if name not in KEYS}


@app.post("/customers")
def create() -> Response:
    fields = profile(app.current_event.json_body)
    owner, customer_id = tenant(), str(uuid.uuid4())
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    pk = f"T#{owner}#C#{customer_id}"
    customer = {
        **fields,
        "customer_id": customer_id,
        "tenant_id": owner,
        "status": "active",
        "risk": {"level": "not_set"},
        "monitoring": {"status": "off", "lists": [], "open_alerts": 0},
        "sessions": {"total": 0, "approved": 0, "rejected": 0, "manual_review": 0, "active": 0},
        "version": 1,
        "created_at": now,
        "updated_at": now,
    }
    keys = {
        "pk": pk,
        "sk": "CUSTOMER",
        "type": "customer",
        "tenant_pk": f"T#{owner}",
        "risk_pk": f"T#{owner}#RISK#not_set",
        "name_sk": f"{fields['name'].casefold()}\x1f{customer_id}",
    }
    event_id = str(uuid.uuid4())
    event = {
        "pk": pk,
        "sk": f"EVENT#{event_id}",
        "type": "event",
        "event_id": event_id,
        "kind": "customer.created",
        "customer_id": customer_id,
        "at": now,
        "changes": {name: {"to": value} for name, value in fields.items()},
    }
    writes = [put({**customer, **keys}), put(event)]
    if client_id := fields.get("client_id"):
        claim = {"pk": f"T#{owner}#CLIENT#{client_id}", "sk": "CLIENT"}
        writes.append(put({**claim, "type": "client", "customer_id": customer_id}))
    client = table.meta.client
    try:
        client.transact_write_items(TransactItems=writes)
    except client.exceptions.TransactionCanceledException as error:
        raise ServiceError(409, "client_id is already in use") from error
    logger.info("created", extra={"customer_id": customer_id})
    return Response(
        status_code=201,
        content_type="application/json",
        headers={"Location": f"/customers/{customer_id}"},
        body=json.dumps({"data": customer}),
    )


def put(item: dict) -> dict:
    condition = "attribute_not_exists(pk)"
    return {"Put": {"TableName": table.name, "Item": item, "ConditionExpression": condition}}


@app.get("/customers/<customer_id>")
def get(customer_id: str) -> dict:
    key = {"pk": f"T#{tenant()}#C#{customer_id}", "sk": "CUSTOMER"}
    item = table.get_item(Key=key, ConsistentRead=True).get("Item")
    if item is None:
        raise NotFoundError("the customer does not exist")
    logger.info("read", extra={"customer_id": customer_id})
    return {"data": without_keys(item)}


@app.get("/customers")
def list_customers() -> dict:
    page = table.query(
        IndexName="created",
        KeyConditionExpression=Key("tenant_pk").eq(f"T#{tenant()}"),
        ScanIndexForward=False,
        Limit=PAGE,
    )
    last = page.get("LastEvaluatedKey")
    cursor = base64.urlsafe_b64encode(json.dumps(last).encode()).decode() if last else None
    logger.info("listed", extra={"count": len(page["Items"])})
    return {"data": {"items": [without_keys(item) for item in page["Items"]], "next_cursor": cursor}}


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_HTTP)
def handler(event: dict, context) -> dict:
    return app.resolve(event, context)
