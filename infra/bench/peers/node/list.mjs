// GET /customers: returns one page of the tenant's customers, newest first.

import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import { TABLE, answer, client, log, withoutKeys, tenantOf } from "./table.mjs";

export async function handler(event) {
  const tenant = tenantOf(event);
  if (!tenant) return answer(401, { message: "the token has no tenant" });
  const page = await client.send(
    new QueryCommand({
      TableName: TABLE,
      IndexName: "created",
      KeyConditionExpression: "tenant_pk = :tenant",
      ExpressionAttributeValues: { ":tenant": `T#${tenant}` },
      ScanIndexForward: false,
      Limit: 20,
    }),
  );
  const last = page.LastEvaluatedKey;
  const next_cursor = last ? Buffer.from(JSON.stringify(last)).toString("base64url") : null;
  log(event, "listed", { count: page.Items.length });
  return answer(200, { data: { items: page.Items.map(withoutKeys), next_cursor } });
}
