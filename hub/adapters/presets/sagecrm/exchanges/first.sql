-- A company with two people, of whom one is deleted, cases of a person and of the company, and an opportunity. Company and
-- person share the number 10: links tell them apart by the entity's.
INSERT INTO Currency VALUES (1, 'GBP');
INSERT INTO Currency VALUES (2, '£');
INSERT INTO Address VALUES (31, '1 Test Street', NULL, 'London', NULL, 'UK', 'EC1A 1AA', NULL, '2026-10-01 09:00:00');
INSERT INTO Company VALUES (10, 10, 31, 'Example Works Ltd', 'https://works.example.com', 'Retail', NULL, '2026-10-01 09:00:00');
INSERT INTO Person VALUES (10, 10, 31, 'Ms', 'Ada', NULL, 'Example', 'Buyer', NULL, '2026-10-01 09:05:00');
INSERT INTO Person VALUES (11, 10, NULL, 'Ms', 'Berta', NULL, 'Sample', NULL, 0, '2026-10-01 09:10:00');
INSERT INTO Person VALUES (12, 10, NULL, 'Mr', 'Carl', NULL, 'Gone', NULL, 1, '2026-10-01 09:15:00');
INSERT INTO Email VALUES (41, 'works@example.com', NULL, '2026-10-01 09:00:00');
INSERT INTO Email VALUES (42, 'ada@example.com', NULL, '2026-10-01 09:05:00');
INSERT INTO Email VALUES (43, 'ada.home@example.com', NULL, '2026-10-01 09:05:00');
INSERT INTO Email VALUES (44, 'berta@example.com', NULL, '2026-10-01 09:10:00');
INSERT INTO EmailLink VALUES (51, 5, 10, 'Business', 41, NULL, '2026-10-01 09:00:00');
INSERT INTO EmailLink VALUES (52, 13, 10, 'Business', 42, NULL, '2026-10-01 09:05:00');
INSERT INTO EmailLink VALUES (53, 13, 10, 'Private', 43, NULL, '2026-10-01 09:05:00');
INSERT INTO EmailLink VALUES (54, 13, 11, 'Business', 44, NULL, '2026-10-01 09:10:00');
INSERT INTO Phone VALUES (61, '44', '20', '7946 0000', NULL, '2026-10-01 09:00:00');
INSERT INTO Phone VALUES (62, NULL, NULL, '07700 900101', NULL, '2026-10-01 09:05:00');
INSERT INTO PhoneLink VALUES (71, 5, 10, 'Business', 61, NULL, '2026-10-01 09:00:00');
INSERT INTO PhoneLink VALUES (72, 13, 10, 'Mobile', 62, NULL, '2026-10-01 09:05:00');
INSERT INTO Cases VALUES (81, 10, 10, '0-81', 'Kettle leaks', 'It drips.', 'In Progress', 'Logged', 'High', '2026-10-05 08:00:00', NULL, NULL, '2026-10-05 09:00:00');
INSERT INTO Cases VALUES (82, 10, NULL, '0-82', 'Invoice missing', NULL, 'Closed', 'Solved', 'Low', '2026-10-06 08:00:00', '2026-10-06 09:00:00', NULL, '2026-10-06 09:00:00');
INSERT INTO Opportunity VALUES (91, 10, 10, 'Kettles for the canteen', 'In Progress', 'Quoted', 1250.5, 2, 60, '2026-10-07 08:00:00', '2026-12-01 00:00:00', NULL, NULL, '2026-10-07 09:00:00');
