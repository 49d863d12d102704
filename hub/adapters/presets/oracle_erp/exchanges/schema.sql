-- Columns that are read, and some that are not, as public descriptions of the tables have them: NUMBER as NUMERIC,
-- VARCHAR2 as VARCHAR, DATE (which has a time) as TIMESTAMP.
CREATE TABLE hz_parties (
  party_id NUMERIC(15) NOT NULL PRIMARY KEY, party_number VARCHAR(30) NOT NULL, party_name VARCHAR(360) NOT NULL,
  party_type VARCHAR(30) NOT NULL, last_update_date TIMESTAMP NOT NULL, person_first_name VARCHAR(150),
  person_middle_name VARCHAR(60), person_last_name VARCHAR(150), tax_reference VARCHAR(50), url VARCHAR(2000),
  status VARCHAR(1) NOT NULL);
CREATE TABLE hz_cust_accounts (
  cust_account_id NUMERIC(15) NOT NULL PRIMARY KEY, party_id NUMERIC(15) NOT NULL, account_number VARCHAR(30) NOT NULL,
  last_update_date TIMESTAMP NOT NULL, status VARCHAR(1) NOT NULL);
CREATE TABLE hz_contact_points (
  contact_point_id NUMERIC(15) NOT NULL PRIMARY KEY, contact_point_type VARCHAR(30) NOT NULL, status VARCHAR(30) NOT NULL,
  owner_table_name VARCHAR(30) NOT NULL, owner_table_id NUMERIC(15) NOT NULL, primary_flag VARCHAR(1) NOT NULL,
  last_update_date TIMESTAMP NOT NULL, email_address VARCHAR(2000), phone_line_type VARCHAR(30),
  phone_country_code VARCHAR(10), phone_area_code VARCHAR(10), phone_number VARCHAR(40));
CREATE TABLE hz_locations (
  location_id NUMERIC(15) NOT NULL PRIMARY KEY, last_update_date TIMESTAMP NOT NULL, country VARCHAR(60) NOT NULL,
  address1 VARCHAR(240) NOT NULL, address2 VARCHAR(240), city VARCHAR(60), postal_code VARCHAR(60), state VARCHAR(60));
CREATE TABLE hz_party_sites (
  party_site_id NUMERIC(15) NOT NULL PRIMARY KEY, party_id NUMERIC(15) NOT NULL, location_id NUMERIC(15) NOT NULL,
  last_update_date TIMESTAMP NOT NULL, identifying_address_flag VARCHAR(1) NOT NULL, status VARCHAR(1) NOT NULL);
CREATE TABLE oe_order_headers_all (
  header_id NUMERIC NOT NULL PRIMARY KEY, org_id NUMERIC, order_number NUMERIC NOT NULL, ordered_date TIMESTAMP,
  cust_po_number VARCHAR(50), sold_to_org_id NUMERIC, transactional_curr_code VARCHAR(15), flow_status_code VARCHAR(30),
  booked_flag VARCHAR(1), cancelled_flag VARCHAR(1), last_update_date TIMESTAMP NOT NULL);
CREATE TABLE oe_order_lines_all (
  line_id NUMERIC NOT NULL PRIMARY KEY, header_id NUMERIC NOT NULL, line_number NUMERIC NOT NULL,
  line_category_code VARCHAR(30) NOT NULL, ordered_item VARCHAR(2000), ordered_quantity NUMERIC, order_quantity_uom VARCHAR(3),
  unit_selling_price NUMERIC, tax_value NUMERIC, flow_status_code VARCHAR(30), last_update_date TIMESTAMP NOT NULL);
CREATE TABLE ra_customer_trx_all (
  customer_trx_id NUMERIC(15) NOT NULL PRIMARY KEY, trx_number VARCHAR(20) NOT NULL, trx_date TIMESTAMP NOT NULL,
  bill_to_customer_id NUMERIC(15), invoice_currency_code VARCHAR(15), complete_flag VARCHAR(1) NOT NULL,
  last_update_date TIMESTAMP NOT NULL);
CREATE TABLE ar_payment_schedules_all (
  payment_schedule_id NUMERIC(15) NOT NULL PRIMARY KEY, customer_trx_id NUMERIC(15), class VARCHAR(20) NOT NULL,
  due_date TIMESTAMP NOT NULL, amount_due_original NUMERIC NOT NULL, tax_original NUMERIC,
  amount_due_remaining NUMERIC NOT NULL, last_update_date TIMESTAMP NOT NULL);
