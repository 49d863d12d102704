-- What PostGraphile is given: the hub's own tables under views with the relations that a customer's questions follow.
-- PostgreSQL flattens such views, so they cost a question nothing; the joins are those of the hub's read plans.

DROP SCHEMA IF EXISTS peer CASCADE;
CREATE SCHEMA peer;

CREATE VIEW peer.customer AS
  SELECT id, kind, name, email, telephone, street_address, postal_code, address_locality, address_country,
         status, segment, customer_since, tier, account_manager, credit_limit, credit_limit_currency, customer_number
  FROM public.customer;
COMMENT ON VIEW peer.customer IS E'@primaryKey id';

CREATE VIEW peer.identifier AS
  SELECT m.customer_id, i.scheme, i.value, i.source, i.entity_id, i.property
  FROM public.membership m JOIN public.identifier i ON i.entity_id = m.party_id
  WHERE i.type IN ('Person', 'Organization');
COMMENT ON VIEW peer.identifier IS
  E'@primaryKey scheme,value,entity_id,property\n@foreignKey (customer_id) references customer (id)|@foreignFieldName identifiers';

CREATE VIEW peer.purchase AS
  SELECT m.customer_id, o.id, o.order_number, o.order_date, o.status, o.channel, o.total, o.total_currency, o.source
  FROM public.membership m JOIN public.e_order o ON o.party_id = m.party_id;
COMMENT ON VIEW peer.purchase IS
  E'@primaryKey id\n@foreignKey (customer_id) references customer (id)|@foreignFieldName orders';

CREATE VIEW peer.purchase_line AS
  SELECT id, order_id, line_number, sku, description, quantity, line_total, line_total_currency
  FROM public.e_order_line;
COMMENT ON VIEW peer.purchase_line IS
  E'@primaryKey id\n@foreignKey (order_id) references purchase (id)|@foreignFieldName lines';

CREATE VIEW peer.shipment AS
  SELECT id, order_id, shipment_number, status, carrier, shipped_at, delivered_at
  FROM public.e_shipment;
COMMENT ON VIEW peer.shipment IS
  E'@primaryKey id\n@foreignKey (order_id) references purchase (id)|@foreignFieldName shipments';

CREATE VIEW peer.invoice AS
  SELECT m.customer_id, v.id, v.invoice_number, v.invoice_date, v.due_date, v.status, v.total, v.total_currency,
         v.balance, v.balance_currency
  FROM public.membership m JOIN public.e_invoice v ON v.party_id = m.party_id;
COMMENT ON VIEW peer.invoice IS
  E'@primaryKey id\n@foreignKey (customer_id) references customer (id)|@foreignFieldName invoices';

CREATE VIEW peer.payment AS
  SELECT m.customer_id, p.id, p.payment_reference, p.paid_at, p.method, p.status, p.amount, p.amount_currency
  FROM public.membership m JOIN public.e_payment p ON p.party_id = m.party_id;
COMMENT ON VIEW peer.payment IS
  E'@primaryKey id\n@foreignKey (customer_id) references customer (id)|@foreignFieldName payments';

CREATE VIEW peer.ticket AS
  SELECT m.customer_id, t.id, t.ticket_number, t.subject, t.status, t.priority, t.opened_at
  FROM public.membership m JOIN public.e_ticket t ON t.party_id = m.party_id;
COMMENT ON VIEW peer.ticket IS
  E'@primaryKey id\n@foreignKey (customer_id) references customer (id)|@foreignFieldName tickets';

CREATE VIEW peer.interaction AS
  SELECT m.customer_id, n.id, n.kind, n.direction, n.summary, n.start_time
  FROM public.membership m JOIN public.e_interaction n ON n.party_id = m.party_id;
COMMENT ON VIEW peer.interaction IS
  E'@primaryKey id\n@foreignKey (customer_id) references customer (id)|@foreignFieldName interactions';

CREATE FUNCTION peer.customers_by_identifier(scheme text, value text) RETURNS SETOF peer.customer
LANGUAGE sql STABLE AS $$
  SELECT c.* FROM peer.customer c
  WHERE c.id IN (
    SELECT m.customer_id FROM public.identifier i JOIN public.membership m ON m.party_id = i.entity_id
    WHERE i.scheme = customers_by_identifier.scheme AND i.value = customers_by_identifier.value
      AND i.type IN ('Person', 'Organization')
  )
  ORDER BY c.id
  LIMIT 5
$$;
