// Contains the code that the three handlers of the Node peer share. The AWS SDK's document client is
// created once, outside the handlers.

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";

export const TABLE = process.env.TABLE_NAME;
export const client = DynamoDBDocumentClient.from(new DynamoDBClient({}));

export function tenantOf(event) {
  return event.requestContext.authorizer?.jwt?.claims?.tenant_id;
}

export function answer(statusCode, body, headers = {}) {
  return {
    statusCode,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  };
}

export function log(event, message, fields) {
  const requestId = event.requestContext.requestId;
  console.log(JSON.stringify({ level: "INFO", message, requestId, ...fields }));
}

export function withoutKeys({ pk, sk, type, tenant_pk, risk_pk, name_sk, ...customer }) {
  return customer;
}
