-- Ada's address was corrected and Berta's taken away, both without a change of their own rows; a case came from Berta, the
-- company's was deleted, and the opportunity is won.
UPDATE Email SET emai_emailaddress = 'ada.new@example.com', emai_updateddate = '2026-10-20 10:00:00' WHERE emai_emailid = 42;
UPDATE EmailLink SET elink_deleted = 1, elink_updateddate = '2026-10-20 10:05:00' WHERE elink_linkid = 54;
INSERT INTO Cases VALUES (83, 10, 11, '0-83', 'Lid is missing', NULL, 'In Progress', 'Logged', 'Normal', '2026-10-20 09:00:00', NULL, NULL, '2026-10-20 10:10:00');
UPDATE Cases SET case_deleted = 1, case_updateddate = '2026-10-20 10:15:00' WHERE case_caseid = 82;
UPDATE Opportunity SET oppo_status = 'Won', oppo_forecast_cid = 1, oppo_updateddate = '2026-10-20 10:20:00' WHERE oppo_opportunityid = 91;
