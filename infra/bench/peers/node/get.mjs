// GET /customers/{id}: returns a customer.

import { GetCommand } from "@aws-sdk/lib-dynamodb";
import { TABLE, answer, client, log, withoutKeys, tenantOf } from "./table.mjs";

export async function handler(event) {
  const tenant = tenantOf(event);
  if (!tenant) return answer(401, { message: "the token has no tenant" });
  const { id } = event.pathParameters;
  const Key = { pk: `T#${tenant}#C#${id}`, sk: "CUSTOMER" };
  const { Item } = await client.send(
    new GetCommand({ TableName: TABLE, Key, ConsistentRead: true }),
  );
  if (!Item) return answer(404, { message: "the customer does not exist" });
  log(event, "read", { customer_id: id });
  return answer(200, { data: withoutKeys(Item) });
}
