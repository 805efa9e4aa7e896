// POST /customers: validates the body, and writes the customer, an event and the claim of the client
// id in one transaction.

import { randomUUID } from "node:crypto";
import { TransactWriteCommand } from "@aws-sdk/lib-dynamodb";
import { TABLE, answer, client, log, tenantOf } from "./table.mjs";

const STRING_FIELDS = ["client_id", "website", "email", "phone", "industry", "incorporated_on"];
const isString = (value) => typeof value === "string" && value.length > 0;

function profile(body) {
  const name = typeof body.name === "string" ? body.name.trim() : "";
  if (name.length < 1 || name.length > 200) throw new Error("name must have 1 to 200 characters");
  const { country, entity_type = "company", tags = [] } = body;
  if (country !== undefined && !/^[A-Za-z]{2}$/.test(country)) {
    throw new Error("country must have two letters");
  }
  if (!["company", "individual"].includes(entity_type)) {
    throw new Error("entity_type must be company or individual");
  }
  if (!Array.isArray(tags) || !tags.every(isString)) throw new Error("tags must be strings");
  const fields = { name, entity_type, tags };
  for (const field of STRING_FIELDS) {
    if (body[field] === undefined || body[field] === null) continue;
    if (!isString(body[field])) throw new Error(`${field} must be a string`);
    fields[field] = body[field];
  }
  return country ? { ...fields, country: country.toUpperCase() } : fields;
}

const put = (Item) => ({
  Put: { TableName: TABLE, Item, ConditionExpression: "attribute_not_exists(pk)" },
});

export async function handler(event) {
  const tenant = tenantOf(event);
  if (!tenant) return answer(401, { message: "the token has no tenant" });
  let fields;
  try {
    fields = profile(JSON.parse(event.body));
  } catch (error) {
    return answer(400, { message: error.message });
  }
  const customer_id = randomUUID();
  const now = new Date().toISOString();
  const pk = `T#${tenant}#C#${customer_id}`;
  const customer = {
    ...fields,
    customer_id,
    tenant_id: tenant,
    status: "active",
    risk: { level: "not_set" },
    monitoring: { status: "off", lists: [], open_alerts: 0 },
    sessions: { total: 0, approved: 0, rejected: 0, manual_review: 0, active: 0 },
    version: 1,
    created_at: now,
    updated_at: now,
  };
  const keys = {
    pk,
    sk: "CUSTOMER",
    type: "customer",
    tenant_pk: `T#${tenant}`,
    risk_pk: `T#${tenant}#RISK#not_set`,
    name_sk: `${fields.name.toLowerCase()}\x1f${customer_id}`,
  };
  const event_id = randomUUID();
  const changes = Object.fromEntries(Object.entries(fields).map(([name, to]) => [name, { to }]));
  const kind = "customer.created";
  const writes = [
    put({ ...customer, ...keys }),
    put({ pk, sk: `EVENT#${event_id}`, type: "event", event_id, kind, customer_id, at: now, changes }),
  ];
  if (fields.client_id) {
    const claim = { pk: `T#${tenant}#CLIENT#${fields.client_id}`, sk: "CLIENT" };
    writes.push(put({ ...claim, type: "client", customer_id }));
  }
  try {
    await client.send(new TransactWriteCommand({ TransactItems: writes }));
  } catch (error) {
    if (error.name === "TransactionCanceledException") {
      return answer(409, { message: "client_id is already in use" });
    }
    throw error;
  }
  log(event, "created", { customer_id });
  return answer(201, { data: customer }, { location: `/customers/${customer_id}` });
}
