-- Ada has another address, told by her contact point alone; the company moved, and Berta was merged into another party;
-- the second order is booked, a line of the first was sent, and half of the invoice is paid.
UPDATE hz_contact_points SET email_address = 'ada.new@example.com', last_update_date = '2026-10-20 10:00:00' WHERE contact_point_id = 3002;
UPDATE hz_locations SET address1 = '3 New Street', last_update_date = '2026-10-20 10:05:00' WHERE location_id = 4001;
UPDATE hz_parties SET status = 'M', last_update_date = '2026-10-20 10:10:00' WHERE party_id = 1003;
UPDATE oe_order_headers_all SET booked_flag = 'Y', flow_status_code = 'BOOKED', sold_to_org_id = 2002, last_update_date = '2026-10-20 10:15:00' WHERE header_id = 6002;
UPDATE oe_order_lines_all SET flow_status_code = 'SHIPPED', ordered_quantity = 3, last_update_date = '2026-10-20 10:20:00' WHERE line_id = 6101;
UPDATE ar_payment_schedules_all SET amount_due_remaining = 75, last_update_date = '2026-10-20 10:25:00' WHERE payment_schedule_id = 8101;
