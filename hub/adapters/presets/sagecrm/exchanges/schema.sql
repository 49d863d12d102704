-- Columns that are read, as public code and articles have them: int as INTEGER, nvarchar as VARCHAR, datetime as TIMESTAMP.
CREATE TABLE Company (
  comp_companyid INTEGER NOT NULL PRIMARY KEY, comp_primarypersonid INTEGER, comp_primaryaddressid INTEGER, comp_name VARCHAR(60),
  comp_website VARCHAR(100), comp_sector VARCHAR(40), comp_deleted SMALLINT, comp_updateddate TIMESTAMP);
CREATE TABLE Person (
  pers_personid INTEGER NOT NULL PRIMARY KEY, pers_companyid INTEGER, pers_primaryaddressid INTEGER, pers_salutation VARCHAR(40),
  pers_firstname VARCHAR(30), pers_middlename VARCHAR(30), pers_lastname VARCHAR(40), pers_title VARCHAR(50),
  pers_deleted SMALLINT, pers_updateddate TIMESTAMP);
CREATE TABLE Address (
  addr_addressid INTEGER NOT NULL PRIMARY KEY, addr_address1 VARCHAR(60), addr_address2 VARCHAR(60), addr_city VARCHAR(60),
  addr_state VARCHAR(30), addr_country VARCHAR(30), addr_postcode VARCHAR(10), addr_deleted SMALLINT, addr_updateddate TIMESTAMP);
CREATE TABLE Email (
  emai_emailid INTEGER NOT NULL PRIMARY KEY, emai_emailaddress VARCHAR(255), emai_deleted SMALLINT, emai_updateddate TIMESTAMP);
CREATE TABLE EmailLink (
  elink_linkid INTEGER NOT NULL PRIMARY KEY, elink_entityid INTEGER, elink_recordid INTEGER, elink_type VARCHAR(40),
  elink_emailid INTEGER, elink_deleted SMALLINT, elink_updateddate TIMESTAMP);
CREATE TABLE Phone (
  phon_phoneid INTEGER NOT NULL PRIMARY KEY, phon_countrycode VARCHAR(5), phon_areacode VARCHAR(20), phon_number VARCHAR(20),
  phon_deleted SMALLINT, phon_updateddate TIMESTAMP);
CREATE TABLE PhoneLink (
  plink_linkid INTEGER NOT NULL PRIMARY KEY, plink_entityid INTEGER, plink_recordid INTEGER, plink_type VARCHAR(40),
  plink_phoneid INTEGER, plink_deleted SMALLINT, plink_updateddate TIMESTAMP);
CREATE TABLE Cases (
  case_caseid INTEGER NOT NULL PRIMARY KEY, case_primarycompanyid INTEGER, case_primarypersonid INTEGER,
  case_referenceid VARCHAR(20), case_description VARCHAR(255), case_problemnote VARCHAR(4000), case_status VARCHAR(40),
  case_stage VARCHAR(40), case_priority VARCHAR(40), case_opened TIMESTAMP, case_closed TIMESTAMP, case_deleted SMALLINT,
  case_updateddate TIMESTAMP);
CREATE TABLE Opportunity (
  oppo_opportunityid INTEGER NOT NULL PRIMARY KEY, oppo_primarycompanyid INTEGER, oppo_primarypersonid INTEGER,
  oppo_description VARCHAR(60), oppo_status VARCHAR(40), oppo_stage VARCHAR(40), oppo_forecast NUMERIC(24, 6),
  oppo_forecast_cid INTEGER, oppo_certainty INTEGER, oppo_opened TIMESTAMP, oppo_targetclose TIMESTAMP, oppo_closed TIMESTAMP,
  oppo_deleted SMALLINT, oppo_updateddate TIMESTAMP);
CREATE TABLE Currency (curr_currencyid INTEGER NOT NULL PRIMARY KEY, curr_symbol VARCHAR(5));
